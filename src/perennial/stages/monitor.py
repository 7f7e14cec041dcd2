"""monitor: the newest batches against what the champion was checked on; writes the plan.

Under `keep` the plan is the champion's own, byte for byte, so that all below is a cache hit.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from perennial import paths
from perennial.adapters import batches, champions, files
from perennial.adapters.champions import Champion
from perennial.adapters.configuration import read_params
from perennial.core.plan import Action, BatchRef, make_plan, newest_period
from perennial.params import Params
from perennial.params.drift import Monitor
from perennial.stages.running import run


def monitor() -> None:
    """Compare, decide and write `data/plan.json`, `reports/drift.json` and its picture."""
    params = read_params("monitor", "policy", "split")
    champion = champions.read()
    accepted = [batches.describe(batch) for batch in batches.find(paths.ACCEPTED)]
    report: dict[str, Any] = {"period": accepted[-1]["period"], "reference": None, "n": 0}
    report |= {"verdict": "none", "tests": []}
    if champion is None:
        report |= {"action": "bootstrap", "why": "nobody is champion yet"}
        plan: Mapping[str, Any] = make_plan(accepted, params.split, "bootstrap", "bootstrap")
    else:
        last = newest_period(champion.plan)
        newer = [ref for ref in accepted if ref["period"] > last]
        report["why"] = f"no batch is newer than {last}, the last that the champion knows"
        if newer:
            report |= _compare(champion, newer, params.monitor)
        action, because = _decide(report["verdict"], params)
        report["action"] = action
        plan = _plan(champion, accepted, params, action, because)
    files.write_bytes(paths.DRIFT_PLOTS / "tests.csv", _table(report["tests"]))
    files.write_bytes(paths.PLAN, files.exact_json_bytes(plan))
    files.write_json(paths.DRIFT_REPORT, {"schema_version": 1, **report})
    print(f"monitor: {report['action']}: {report['why']}")


def _decide(verdict: str, params: Params) -> tuple[Action, str]:
    """Return what to do and what it follows from: a request, or the drift found."""
    if params.policy.request != "none":
        return params.policy.request, "request"
    return ("retrain", verdict) if verdict in ("drift", "harmful") else ("keep", verdict)


def _plan(
    champion: Champion, accepted: Sequence[BatchRef], params: Params, action: Action, because: str
) -> Mapping[str, Any]:
    if action == "keep":
        return champion.plan
    recipe = None
    if action == "retrain":
        from perennial.stages import incumbent

        recipe = incumbent.load(champion).recipe
    return make_plan(accepted, params.split, action, because, recipe)


def _compare(champion: Champion, newer: Sequence[BatchRef], settings: Monitor) -> dict[str, Any]:
    """Compare the newest rows with those the champion was calibrated and judged on."""
    import pandas as pd

    from perennial.adapters import plots
    from perennial.core import drift, features
    from perennial.stages import incumbent

    model = incumbent.load(champion)
    known = champion.plan["parts"]["calibration"] + champion.plan["parts"]["holdout"]
    derived, scores = [], []
    for refs in (known, _window(newer, settings.min_rows)):
        raw = batches.read_verified(refs, (paths.ACCEPTED, paths.BATCHES))
        rows = features.derive(pd.concat(raw.values(), ignore_index=True), model.spec.columns)
        derived.append(rows)
        scores.append(model.margin(features.apply(model.spec, rows)))
    found = drift.compare(
        derived[0], derived[1], model.spec.columns, scores[0], scores[1], settings
    ).to_json()
    if found["tests"]:
        title = f"{newer[-1]['period']} against {known[0]['period']} to {known[-1]['period']}"
        plots.effects(paths.DRIFT_PLOTS / "effects.png", found["tests"], title)
    reference = {"champion": champion.digest, "periods": sorted({r["period"] for r in known})}
    return {**found, "reference": reference, "n": len(derived[1])}


def _table(tests: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the tests as CSV, for people and `dvc plots`."""
    names = ["feature", "name", "effect", "threshold", "p_value", "q_value", "drifted"]
    rows = [
        ",".join("" if test[name] is None else str(test[name]) for name in names) for test in tests
    ]
    return "\n".join([",".join(names), *rows, ""]).encode()


def _window(newer: Sequence[BatchRef], rows: int) -> list[BatchRef]:
    """Return the newest batch, with those before it until there are rows enough to test."""
    window: list[BatchRef] = []
    for ref in reversed(newer):
        window.insert(0, ref)
        if sum(r["rows"] for r in window) >= rows:
            break
    return window


if __name__ == "__main__":
    run(monitor)
