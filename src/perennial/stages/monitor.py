"""monitor: the newest batches against what the champion was checked on; writes the plan.

Under `keep` the plan is the champion's own, byte for byte, so that all below is a cache hit.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from perennial import paths
from perennial.adapters import files, forgotten
from perennial.adapters.bundles import champions
from perennial.adapters.bundles.champions import Champion
from perennial.adapters.files.configuration import read_params
from perennial.adapters.parquet import batches
from perennial.core.dataset.plan import BatchRef, make_plan
from perennial.core.ledger import forgetting
from perennial.params import Params
from perennial.stages import drift_report
from perennial.stages.running import run


def monitor() -> None:
    """Compare, decide and write `data/plan.json`, `reports/drift.json` and its page."""
    params = read_params(
        "seed", "target", "sensitive", "features", "split", "training", "monitor", "policy"
    )
    champion = champions.read()
    found = batches.find(paths.ACCEPTED)
    accepted = [batches.describe(batch) for batch in found]
    labelled = [
        ref
        for ref, batch in zip(accepted, found, strict=True)
        if batches.has_column(batch, params.target.column)
    ]
    if champion is None:
        plan: Mapping[str, Any] = make_plan(labelled, params.split, "bootstrap", "bootstrap")
        why = "nobody is champion yet"
        report = drift_report.nothing(accepted[-1]["period"], "bootstrap", why)
        drift_report.write(report, None)
    else:
        plan, report = _challenge(champion, accepted, labelled, params)
    files.write_bytes(paths.PLAN, files.exact_json_bytes(plan))
    print(f"monitor: {report['action']}: {report['why']}")


def _challenge(
    champion: Champion,
    accepted: Sequence[BatchRef],
    labelled: Sequence[BatchRef],
    params: Params,
) -> tuple[Mapping[str, Any], dict[str, Any]]:
    """Decide about the champion; return the plan and the report, which is written."""
    from perennial.core.monitoring import finding
    from perennial.stages import incumbent, planning

    gone = forgetting.outdated(forgotten.read(), champion.plan)
    known = finding.Known(champion.plan, champion.attempts, accepted, labelled, gone)
    read = planning.reader(params.target)
    found = finding.consider(known, lambda: incumbent.load(champion), read, params)
    plan, history = planning.follow(found.choice, champion, known, read, params)
    report = drift_report.of(found, known, champion.digest, history, params)
    drift_report.write(report, found)
    return plan, report


if __name__ == "__main__":
    run(monitor)
