"""`perennial prove-gates`: bad candidates are stopped by the gate meant for each, good ones not."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from itertools import chain
from typing import Any

from perennial import paths
from perennial.adapters import files, pages, plots
from perennial.adapters.engine import workers
from perennial.adapters.files.configuration import read_params
from perennial.commands import champion_faults, proving, seen
from perennial.core.statistics import estimates
from perennial.errors import InputError

ALLOWED = 0.05  # of the good candidates, at most so many may be blocked by chance
GOOD = {"synthetic": 200, "shipped": 20}
QUICK = {"synthetic": 16, "shipped": 2}
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Proof:
    """What the proof found; `report` is reports/prove-gates.json."""

    report: dict[str, Any]

    @property
    def faults(self) -> list[str]:
        """Return in words what the gates got wrong; nothing is the proof."""
        report = self.report
        missed = [
            f"{p['kind']} ({p['population']}): not stopped by {p['expected_gate']}"
            for p in report["planted"]
            if not p["stopped"]
        ]
        spoilt = [
            f"{p['kind']} ({p['population']}): {p['expected_gate']} fails without it too"
            for p in report["planted"]
            if p.get("control") == "fail"
        ]
        unproven = [f"{name}: no plant is meant for this gate" for name in report["unproven"]]
        return [*missed, *spoilt, *unproven, *_too_strict(report["good"])]


def _too_strict(good: Mapping[str, Any]) -> list[str]:
    """Return the fault of too many good candidates blocked, if that is so."""
    rate = good["rate"]
    if rate is None:
        return []
    # few good candidates can't tell 5 % from none: then only a rate that is proven too high
    seen = rate["value"] if rate["n"] >= GOOD["synthetic"] else rate["low"]
    names = ", ".join(good["by_gate"])
    words = f"{good['false_blocks']} of {rate['n']} good candidates are blocked, by {names}"
    return [words] if seen > ALLOWED else []


def prove(quick: bool, only: Sequence[str], progress: Progress) -> Proof:
    """Plant every fault in both populations and draw good candidates; write report and page.

    Args:
        quick: Draw few good candidates, as CI does.
        only: Plant these kinds only and draw no good candidate; all, if none is named.
        progress: Told how many tasks are done, of how many.

    Raises:
        InputError: a kind is unknown.
    """
    params, kinds = read_params(), _kinds(only)
    start = time.perf_counter()
    sizes = dict.fromkeys(GOOD, 0) if only else QUICK if quick else GOOD
    with workers.processes() as submit:
        planted = [
            submit(proving.plant, population, kind)
            for population in proving.POPULATIONS
            for kind in kinds
            if kind not in champion_faults.FAULTS
        ]
        drawn = {
            population: [
                submit(proving.good, population, seed) for seed in range(1, sizes[population] + 1)
            ]
            for population in proving.POPULATIONS
        }
        gates = [] if only else [submit(control_gates)]
        power = [] if only else [submit(seen.power_tables, params)]
        everything = [*planted, *chain(*drawn.values()), *gates, *power]
        for done, _ in enumerate(as_completed(everything), start=1):
            progress(done, len(everything))
    lines = [future.result() for future in planted]
    found = [line for line in lines if "left_out" not in line]
    found += champion_faults.planted([kind for kind in kinds if kind in champion_faults.FAULTS])
    rates = {name: _rate([one.result() for one in futures]) for name, futures in drawn.items()}
    report: dict[str, Any] = {
        "schema_version": 1,
        "quick": quick,
        "planted": found,
        "left_out": [line for line in lines if "left_out" in line],
        "unproven": _unproven(gates[0].result(), found) if gates else [],
        "good": rates["synthetic"],
        "good_shipped": rates["shipped"],
        "power": power[0].result() if power else None,
    }
    if not only:
        files.write_json(paths.PROOF_REPORT, report)
        plots.power(paths.PROOF_POWER, report["power"]["gates"], report["power"]["rows"])
        pages.write_proof(paths.PROOF_PAGE, report, paths.PROOF_POWER.read_bytes())
    files.write_json(paths.PROOF_SECONDS, {"seconds": round(time.perf_counter() - start, 1)})
    return Proof(report)


def _kinds(only: Sequence[str]) -> list[str]:
    every = [*(one.kind for one in proving.plants()), *champion_faults.FAULTS]
    if unknown := sorted(set(only) - set(every)):
        raise InputError(
            [f"{kind}: no such kind of plant" for kind in unknown], f"Kinds: {', '.join(every)}."
        )
    return [kind for kind in every if not only or kind in only]


def control_gates() -> dict[str, list[str]]:
    """Return the names of the gates that decide on each population."""
    return {
        population: [gate.name for gate in proving.base(population).outcome.gates]
        for population in proving.POPULATIONS
    }


def _unproven(gates: dict[str, list[str]], planted: Sequence[dict[str, Any]]) -> list[str]:
    """Return the kinds of gate that no plant is meant for."""
    meant = {line["expected_gate"].split("_")[0] for line in planted}
    known = {name for names in gates.values() for name in names}
    whole = {line["expected_gate"] for line in planted}
    families = {"fairness", "proxies", "flipped", "direction"}
    return sorted(
        name for name in known if name not in whole and name.split("_")[0] not in families & meant
    )


def _rate(drawn: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return how many good candidates were blocked: by any gate, and by each."""
    n = len(drawn)
    if not n:
        return {"n": 0, "false_blocks": 0, "rate": None, "by_gate": {}}
    blocked = sum(bool(one["blocked"]) for one in drawn)
    names = sorted({name for one in drawn for name in one["blocked"]})
    by_gate = {name: sum(name in one["blocked"] for one in drawn) for name in names}
    return {
        "n": n,
        "false_blocks": blocked,
        "rate": estimates.proportion(blocked, n, 0.95).to_json(),
        "by_gate": {
            name: estimates.proportion(count, n, 0.95).to_json() for name, count in by_gate.items()
        },
    }
