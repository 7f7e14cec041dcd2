"""Which settings of `policy`, `monitor.harm` and `split.history` are worth having, on one half of
the history: how docs/decisions/0013 was measured.

    python benchmarks/replay_settings.py first_half [name of a variant]...
    python benchmarks/replay_settings.py ungated    what the gates cost: always, with no gate at all
"""

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from perennial.adapters.engine import processors
from perennial.adapters.files.configuration import read_params
from perennial.commands import replay, replaying
from perennial.commands.past import past
from perennial.core.replay import rules, summary
from perennial.params import Params

VARIANTS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "cooldown 0": {"policy": {"cooldown": 0}},
    "cooldown 2": {"policy": {"cooldown": 2}},
    "confirm 2": {"policy": {"confirm": 2}},
    "harm 0.05": {"monitor": {"harm": {"roc_auc": 0.05, "log_loss": 0.05, "prior": 0.1}}},
    "harm 0.01": {"monitor": {"harm": {"roc_auc": 0.01, "log_loss": 0.01, "prior": 0.1}}},
    "min_labelled 500": {"policy": {"min_labelled": 500}},
    "min_labelled 1000": {"policy": {"min_labelled": 1000}},
    "budget 3 in 12": {"policy": {"budget": {"attempts": 3, "periods": 12}}},
    "last 5,000 rows": {"split": {"history": {"kind": "rows", "last": 5000}}},
    "last 10,000 rows": {"split": {"history": {"kind": "rows", "last": 10000}}},
    "chosen": {"split": {"history": {"kind": "chosen", "last": None}}},
}
DRAWN = {"confidence": 0.95, "replicates": 2000, "seed": 1}


def changed(name: str) -> Params:
    """Return the project's parameters with one variant's changes."""
    content = read_params().model_dump(by_alias=True, exclude_unset=True)
    for group, changes in VARIANTS[name].items():
        content[group] = {**content[group], **changes}
    return Params.model_validate(content)


def steps(policy: str, variant: str, periods: list[str], start: str) -> list[replaying.Step]:
    """Replay one policy under one variant; all start from the bootstrap of the project as it is."""
    params, taken = changed(variant), []
    state = replaying.bootstrap(read_params(), start)
    for number, period in enumerate(periods, start=1):
        step = replaying.step(rules.parse(policy), state, number, period, params)
        taken.append(step)
        state = step.state
    return taken


def ungated() -> None:
    """Compare the newest candidate of `always`, whatever its verdict, with who was in charge."""
    params = read_params()
    start, every = replay._periods(None, params)
    taken = steps("always", "as it is", every, start)
    champion = replay.scores(taken, params)
    newest = [step.record["candidate"] or step.record["champion"] for step in taken]
    in_charge = [taken[0].record["champion"], *newest[:-1]]
    known = past(params)
    refs = {ref["period"]: ref for ref in known.labelled}
    probabilities = [
        replaying.load(digest).predict(known.read([refs[period]])[0])["probability"].to_numpy()
        for digest, period in zip(in_charge, every, strict=True)
    ]
    free = summary.Scored(champion.targets, probabilities)
    never = replay.scores(steps("never", "as it is", every, start), params)
    for other, name in ((never, "never"), (champion, "always with its gates")):
        for half in summary.HALVES:
            found = summary.difference(free, other, half, **DRAWN)
            shown = [
                "{value:+.3f} [{low:+.3f}, {high:+.3f}]".format(**found[measure])
                for measure in ("roc_auc", "log_loss")
            ]
            print("| ungated - " + name, half, *shown, sep=" | ")


def main(half: str, names: list[str]) -> None:
    params = read_params()
    start, every = replay._periods(None, params)
    middle = (len(every) + 1) // 2
    periods = every[:middle] if half == "first_half" else every
    os.environ["OMP_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(processors.count(), get_context("spawn")) as pool:
        pool.submit(replaying.bootstrap, params, start).result()
        never = pool.submit(steps, "never", "as it is", periods, start)
        running = {
            (policy, name): pool.submit(steps, policy, name, periods, start)
            for name in names
            for policy in ("drift", "always")
            if policy == "drift" or name == "as it is"
        }
        base = replay.scores(never.result(), params)
        heads = ["policy", "variant", "retrained", "searches", "promoted"]
        print("|", " | ".join([*heads, "ROC AUC - never", "log loss - never"]), "|")
        for (policy, name), future in running.items():
            taken = future.result()
            found = summary.difference(
                replay.scores(taken, params), base, "all" if half == "first_half" else half, **DRAWN
            )
            own = taken if half == "first_half" else taken[middle:]
            counts = replay._counts([step.record for step in own])
            shown = [
                "{value:+.3f} [{low:+.3f}, {high:+.3f}]".format(**found[measure])
                for measure in ("roc_auc", "log_loss")
            ]
            cells = [policy, name, counts["retrainings"], counts["searches"], counts["promotions"]]
            print("|", " | ".join(map(str, [*cells, *shown])), "|", flush=True)
            for step in own:
                r = step.record
                if r["verdict"]:
                    print(
                        "   ",
                        r["period"],
                        r["action"],
                        r["because"],
                        r["verdict"],
                        (r["judged"] or "")[:150],
                        flush=True,
                        file=sys.stderr,
                    )


if __name__ == "__main__":
    if sys.argv[1] == "ungated":
        ungated()
    else:
        main(sys.argv[1], sys.argv[2:] or list(VARIANTS))
