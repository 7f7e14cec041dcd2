"""`perennial calibrate-drift`: false alarms on the user's own data, and what drift is seen."""

from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from typing import Any

from perennial import paths
from perennial.adapters import drift_plots, files, pages, workers
from perennial.commands import calibrating
from perennial.commands.calibrating import changed, null
from perennial.core import estimates
from perennial.errors import InputError

ALLOWED = 0.05  # of null windows, at most so many may raise an alarm
CONFIDENCE = 0.95
WINDOWS = {"whole": 1002, "quick": 60}
EACH = 50  # null windows for one window of each change and size
LARGEST = 1000  # rows of a window: more are slow to examine, and seen anyway
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Found:
    """What was found; `report` is reports/calibrate-drift.json."""

    report: dict[str, Any]

    @property
    def faults(self) -> list[str]:
        """Return in words that false alarms are proven too frequent; nothing is well."""
        rate = self.report["false_alarm_rate"]
        if rate["low"] <= ALLOWED:
            return []
        return [
            f"{rate['value']:.1%} [{rate['low']:.1%}, {rate['high']:.1%}] of {rate['n']:,} windows "
            f"without drift raise an alarm; {ALLOWED:.0%} are allowed"
        ]


def calibrate(windows: int | None, quick: bool, progress: Progress) -> Found:
    """Examine null windows and changed ones; write report, picture and page.

    Args:
        windows: How many null windows, over all sizes; None for as many as tell 5 % well.
        quick: Few windows, as CI does.
        progress: Told how many windows are done, of how many.

    Raises:
        InputError: there is no model, or too few rows to draw windows from.
    """
    calibrating.pool.cache_clear()  # a process may be asked about more than one folder
    sizes, total = _sizes(), windows or WINDOWS["quick" if quick else "whole"]
    each = -(-total // len(sizes))
    plants = calibrating.planted()
    with workers.processes() as submit:
        nulls = [submit(null, rows, seed) for rows in sizes for seed in range(each)]
        moved = [
            submit(changed, rows, seed, number)
            for number in range(len(plants))
            for rows in (sizes[0], sizes[-1])
            for seed in range(max(1, total // EACH))
        ]
        for done, _ in enumerate(as_completed([*nulls, *moved]), start=1):
            progress(done, len(nulls) + len(moved))
    report = _report([f.result() for f in nulls], [f.result() for f in moved], sizes, quick)
    files.write_json(paths.CALIBRATION_REPORT, report)
    drift_plots.calibration(paths.CALIBRATION_PICTURE, report)
    pages.write_calibration(paths.CALIBRATION_PAGE, report, paths.CALIBRATION_PICTURE.read_bytes())
    return Found(report)


def _sizes() -> list[int]:
    """Return the window sizes: from the fewest rows tested to a third of the pool, or 1,000."""
    known = calibrating.pool()
    least, most = known.params.monitor.min_rows, min(len(known.rows) // 3, LARGEST)
    if most < least:
        raise InputError(
            f"{len(known.rows):,} rows that the model was not trained on are too few: windows of "
            f"monitor.min_rows = {least:,} are drawn from them, and twice as many must be left",
            "Raise split.holdout_rows or split.calibration_rows, or lower monitor.min_rows.",
        )
    return sorted({least, round((least * most) ** 0.5), most})


def _report(
    nulls: Sequence[dict[str, Any]],
    moved: Sequence[dict[str, Any]],
    sizes: Sequence[int],
    quick: bool,
) -> dict[str, Any]:
    from perennial.core.nulls import suggest

    known = calibrating.pool()
    return {
        "schema_version": 1,
        "quick": quick,
        "model": known.digest,
        "pool": len(known.rows),
        "windows": len(nulls),
        "allowed": ALLOWED,
        "false_alarm_rate": _rate(nulls),
        "by_look": _by_look(nulls),
        "by_size": [
            {"rows": rows, "false_alarm_rate": _rate([n for n in nulls if n["rows"] == rows])}
            for rows in sizes
        ],
        "power": [
            {
                "kind": plant.kind,
                "column": plant.column,
                "size": plant.size,
                "share": plant.share,
                "rows": rows,
                "alarmed": _rate(cell := [m for m in moved if _is(m, number, rows)]),
                "by_look": _by_look(cell),
            }
            for number, plant in enumerate(calibrating.planted())
            for rows in (sizes[0], sizes[-1])
        ],
        "suggested": suggest([n["needed"] for n in nulls], known.params.monitor, ALLOWED),
    }


def _is(window: dict[str, Any], number: int, rows: int) -> bool:
    return bool(window["plant"] == number and window["rows"] == rows)


def _rate(windows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    alarmed = sum(bool(window["alarms"]) for window in windows)
    return dict(estimates.proportion(alarmed, len(windows), CONFIDENCE).to_json())


def _by_look(windows: Sequence[dict[str, Any]]) -> dict[str, int]:
    names = sorted({name for window in windows for name in window["alarms"]})
    return {name: sum(name in window["alarms"] for window in windows) for name in names}
