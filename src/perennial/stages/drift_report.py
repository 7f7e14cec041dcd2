"""What monitor found, for machines (`reports/drift.json`) and for people (`reports/drift.html`)."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from perennial import paths
from perennial.adapters import files, pages
from perennial.adapters.parquet import batches
from perennial.params import Params

if TYPE_CHECKING:
    from perennial.core.monitoring.finding import Finding, Known

PICTURED = 6  # features that moved most are drawn before and after


def nothing(period: str, action: str, why: str) -> dict[str, Any]:
    """Return the report of a month in which nothing was compared."""
    return {
        "schema_version": 2,
        "period": period,
        "reference": None,
        "window": [],
        "n": 0,
        "verdict": "none",
        "action": action,
        "why": why,
        "late": [],
        "replaced": [],
        "history": None,
        "schema": [],
        "tests": [],
        "domain": None,
        "signals": [],
        "corrections": [],
    }


def of(
    found: "Finding",
    known: "Known",
    digest: str,
    history: Mapping[str, Any] | None,
    params: Params,
) -> dict[str, Any]:
    """Return the report of what was found.

    Args:
        found: The examination and the choice.
        known: The champion's plan, and the batches.
        digest: The champion's.
        history: How the history to train on was chosen, if it was.
        params: The groups monitor, target, sensitive and features.
    """
    report = nothing(known.accepted[-1]["period"], found.choice.action, found.choice.why)
    report |= {"late": known.late, "replaced": known.replaced, "history": history}
    if found.examination is None or found.current is None:
        return report
    parts = known.plan["parts"]
    periods = sorted({ref["period"] for ref in (*parts["calibration"], *parts["holdout"])})
    examined = found.examination.to_json(params.monitor.harm.log_loss)
    return {
        **report,
        **{key: examined[key] for key in ("verdict", "tests", "domain", "signals", "corrections")},
        "reference": {"champion": digest, "periods": periods},
        "window": [ref["period"] for ref in found.window],
        "n": len(found.current),
        "schema": _schema(found, known, params),
    }


def _schema(found: "Finding", known: "Known", params: Params) -> list[dict[str, Any]]:
    """Return how the columns of the newest batches differ from those of the reference.

    The target is left out: it comes with the labels.
    """
    from perennial.core.drift import schema
    from perennial.core.monitoring import finding

    places = (paths.ACCEPTED, paths.BATCHES)
    reference, newest = (
        batches.kinds(refs, places) for refs in (finding.checked_on(known.plan), found.window)
    )
    used = {feature.source for feature in params.features.columns.values()}
    used |= {attribute.source for attribute in params.sensitive.values()}
    changes = schema.changes(reference, newest, used)
    return [one.to_json() for one in changes if one.column != params.target.column]


def write(report: Mapping[str, Any], found: "Finding | None") -> None:
    """Write the report, its table and pictures, and the page."""
    files.write_bytes(paths.DRIFT_PLOTS / "tests.csv", _table(report["tests"]))
    pictures = _draw(report, found) if found and found.examination else []
    files.write_json(paths.DRIFT_REPORT, report)
    pages.write_drift(paths.DRIFT_PAGE, report, pictures)


def _draw(report: Mapping[str, Any], found: "Finding") -> list[tuple[str, bytes]]:
    """Draw effects and the features that moved most; return each picture with its words."""
    from perennial.adapters import plots

    assert found.reference is not None
    assert found.current is not None
    known = report["reference"]["periods"]
    title = f"{' to '.join(_ends(report['window']))} against {' to '.join(_ends(known))}"
    drawn = [("How far each feature moved", paths.DRIFT_PLOTS / "effects.png")]
    if report["tests"]:
        plots.effects(drawn[0][1], report["tests"], title)
    strongest = list(dict.fromkeys(test["feature"] for test in report["tests"]))
    before, after = found.reference.derived, found.current.derived
    for place, feature in enumerate([f for f in strongest if f in before][:PICTURED]):
        path = paths.DRIFT_PLOTS / f"feature-{place}.png"
        plots.before_after(path, feature, before[feature], after[feature])
        drawn.append((f"{feature}, before and after", path))
    return [(words, path.read_bytes()) for words, path in drawn if path.is_file()]


def _ends(periods: Sequence[str]) -> list[str]:
    return list(dict.fromkeys([periods[0], periods[-1]]))


def _table(tests: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the tests as CSV, for people and `dvc plots`."""
    names = ["feature", "name", "effect", "threshold", "p_value", "q_value", "drifted"]
    table = io.StringIO()
    writer = csv.DictWriter(table, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    # nine digits, as in JSON: the folder is hashed, and processors differ in the last one
    rounded = ({k: f"{v:.9g}" if isinstance(v, float) else v for k, v in t.items()} for t in tests)
    writer.writerows(rounded)
    return table.getvalue().encode()
