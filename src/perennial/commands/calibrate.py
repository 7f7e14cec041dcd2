"""`perennial calibrate-drift`: false alarms on the user's own data, and what drift is seen."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from typing import Any

from perennial import paths
from perennial.adapters import drift_plots, files, pages
from perennial.adapters.engine import workers
from perennial.commands import calibrating
from perennial.commands.calibrating import changed, null
from perennial.core.statistics import estimates
from perennial.errors import InputError

ALLOWED = 0.05  # of null windows, at most so many may raise an alarm
CONFIDENCE = 0.95
WINDOWS = 1002
QUICK = 120
EACH = 40  # null windows for one window of each change and size
SECONDS = paths.STATE / "calibrate-drift.json"  # how long it took, which is no result
SIZES = (500, 1000)  # rows of a window, beside the fewest that are examined
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Found:
    """What was found; `report` is reports/calibrate-drift.json."""

    report: dict[str, Any]

    @property
    def faults(self) -> list[str]:
        """Return in words that false alarms are too frequent; nothing is well."""
        rate = self.report["false_alarm_rate"]
        # few windows can't tell 5 % from 6: then only a rate that is proven too high
        seen = rate["value"] if rate["n"] >= WINDOWS else rate["low"]
        if seen <= ALLOWED:
            return []
        by = [name for name, one in self.report["by_look"].items() if one["value"] > 0]
        return [
            f"{rate['value']:.1%} [{rate['low']:.1%}, {rate['high']:.1%}] of {rate['n']:,} windows "
            f"without drift raise an alarm, by {', '.join(by)}; {ALLOWED:.0%} are allowed"
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
    calibrating.planted.cache_clear()
    start, kinds = time.perf_counter(), len(calibrating.planted())
    sizes, total = _sizes(), windows or (QUICK if quick else WINDOWS)
    with workers.processes() as submit:
        # the long ones first, so that no worker is left with one at the end
        each = range(max(1, total // EACH))
        moved = [submit(changed, rows, seed) for rows in sizes[::-1] for seed in each]
        nulls = [
            submit(null, sizes[number % len(sizes)], number // len(sizes))
            for number in range(total)
        ]
        done, every = 0, len(nulls) + len(moved) * kinds
        for future in as_completed([*moved, *nulls]):
            done += kinds if isinstance(future.result(), list) else 1
            progress(done, every)
    examined = [window for future in moved for window in future.result()]
    report = _report([future.result() for future in nulls], examined, sizes, quick)
    files.write_json(paths.CALIBRATION_REPORT, report)
    drift_plots.calibration(paths.CALIBRATION_PICTURE, report)
    plants, picture = drift_plots.planted(report["power"]), paths.CALIBRATION_PICTURE.read_bytes()
    pages.write_calibration(paths.CALIBRATION_PAGE, report, plants, picture)
    files.write_json(SECONDS, {"seconds": round(time.perf_counter() - start, 1)})
    return Found(report)


def _sizes() -> list[int]:
    """Return the window sizes: the fewest rows examined, 500 and 1,000; at most half the pool."""
    known = calibrating.pool()
    least, most = known.params.monitor.min_rows, len(known.rows) // 2
    if most < least:
        raise InputError(
            f"{len(known.rows):,} rows that the model was not trained on are too few: windows of "
            f"monitor.min_rows = {least:,} are drawn from them, and as many must be left",
            "Raise split.holdout_rows or split.calibration_rows, or lower monitor.min_rows.",
        )
    return sorted({least, *(max(least, min(size, most)) for size in SIZES)})


def _report(
    nulls: Sequence[dict[str, Any]],
    moved: Sequence[dict[str, Any]],
    sizes: Sequence[int],
    quick: bool,
) -> dict[str, Any]:
    from perennial.core.nulls import as_yaml, suggest

    known = calibrating.pool()
    monitor = known.params.monitor
    suggested = suggest([n["reached"] for n in nulls], monitor, ALLOWED, CONFIDENCE)
    by_size = [[n for n in nulls if n["rows"] == rows] for rows in sizes]
    return {
        "schema_version": 1,
        "quick": quick,
        "model": known.digest,
        "pool": len(known.rows),
        "windows": len(nulls),
        "allowed": ALLOWED,
        "confidence": CONFIDENCE,
        "false_alarm_rate": _rate(nulls),
        "by_look": _by_look(nulls),
        "by_size": [
            {"rows": rows, "false_alarm_rate": _rate(own), "by_look": _by_look(own)}
            for rows, own in zip(sizes, by_size, strict=True)
            if own
        ],
        "power": _power(moved, sizes),
        "suggested": suggested,
        "suggested_params": as_yaml(suggested, monitor),
    }


def _power(moved: Sequence[dict[str, Any]], sizes: Sequence[int]) -> list[dict[str, Any]]:
    """Return each change's share of windows that alarmed, by size of the window."""
    found = []
    for number, plant in enumerate(calibrating.planted()):
        for rows in sizes:
            own = [m for m in moved if m["plant"] == number and m["rows"] == rows]
            if own:
                found.append(
                    {
                        "kind": plant.kind,
                        "column": plant.column,
                        "size": plant.size,
                        "share": plant.share,
                        "rows": rows,
                        "alarmed": _rate(own),
                        "by_look": {k: v for k, v in _by_look(own).items() if v["value"]},
                    }
                )
    return found


def _rate(windows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    alarmed = sum(bool(window["alarms"]) for window in windows)
    return dict(estimates.proportion(alarmed, len(windows), CONFIDENCE).to_json())


def _by_look(windows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    from perennial.core.nulls import rates

    return rates([window["alarms"] for window in windows], CONFIDENCE)
