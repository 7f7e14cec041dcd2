"""The picture of a calibration of drift: false alarms and power, each with its interval."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from perennial.adapters import files

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SPREAD = 0.26  # between the windows' sizes, of the space from one line to the next


def calibration(path: Path, report: Mapping[str, Any]) -> None:
    """Draw how often an alarm is raised: without drift by window size, and by what is planted.

    Args:
        path: Of the picture.
        report: As `perennial calibrate-drift` writes it.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    lines, sizes = planted(report["power"]), [size["rows"] for size in report["by_size"]]
    fig, (left, right) = pyplot.subplots(
        1,
        2,
        figsize=(12, 1.5 + 0.26 * len(lines)),
        layout="constrained",
        gridspec_kw={"width_ratios": (1, 2)},
    )
    _without_drift(left, report)
    for order, size in enumerate(sizes):
        known = [
            (at, line["alarmed"][size]) for at, line in enumerate(lines) if size in line["alarmed"]
        ]
        places = np.array([at for at, _ in known]) + SPREAD * (order - (len(sizes) - 1) / 2)
        _intervals(right, places, [rate for _, rate in known], f"C{order}", f"{size:,} rows")
    right.set_yticks(range(len(lines)), list(map(_name, lines)))
    right.set(title="Alarms with a change planted", xlabel="Share of windows", xlim=(-0.02, 1.02))
    right.axvline(report["allowed"], color="k", linestyle=":", linewidth=1)
    right.set_ylim(len(lines) - 0.5, -0.5)
    right.grid(axis="y", alpha=0.2)
    fig.legend(
        *right.get_legend_handles_labels(),
        loc="outside lower right",
        ncols=len(sizes),
        frameon=False,
    )
    with files.replacing(path) as temporary:
        fig.savefig(temporary, format="png", dpi=100, metadata={"Software": None})
    pyplot.close(fig)


def planted(power: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one line for each change planted, with `alarmed` and `by_look` by window size."""
    lines: dict[tuple[Any, ...], dict[str, Any]] = {}
    for cell in power:
        key = tuple(cell[name] for name in ("kind", "column", "size", "share"))
        named = {name: cell[name] for name in ("kind", "column", "size", "share")}
        line = lines.setdefault(key, {**named, "alarmed": {}, "by_look": {}})
        line["alarmed"][cell["rows"]] = cell["alarmed"]
        line["by_look"][cell["rows"]] = cell["by_look"]
    return list(lines.values())


def _without_drift(axes: "Axes", report: Mapping[str, Any]) -> None:
    looks = report["by_look"]
    names = [f"{size['rows']:,} rows" for size in report["by_size"]]
    names += ["all sizes", *(f"by {name}" for name in looks)]
    found = [size["false_alarm_rate"] for size in report["by_size"]]
    found += [report["false_alarm_rate"], *looks.values()]
    _intervals(axes, np.arange(len(found)), found, "k", None)
    axes.set_yticks(range(len(found)), names)
    axes.axvline(report["allowed"], color="C3", linestyle=":", linewidth=1.5)
    axes.set(
        title="Alarms without drift", xlabel="Share of windows; dotted: allowed", xlim=(0, None)
    )
    axes.set_ylim(len(found) - 0.5, -0.5)


def _name(line: Mapping[str, Any]) -> str:
    moved = line["kind"] == "number moved"
    size = f" {line['size']:g} sd in {line['share']:.0%}" if moved else f" {line['size']:.0%}"
    return f"{line['kind']}{size if line['kind'] != 'features decoupled' else ''}: {line['column']}"


def _intervals(
    axes: "Axes",
    places: np.ndarray,
    rates: Sequence[Mapping[str, float]],
    colour: str,
    label: str | None,
) -> None:
    values = [rate["value"] for rate in rates]
    error = [
        [max(rate["value"] - rate["low"], 0.0) for rate in rates],
        [max(rate["high"] - rate["value"], 0.0) for rate in rates],
    ]
    axes.errorbar(
        values,
        places,
        xerr=error,
        fmt="o",
        capsize=2,
        markersize=4,
        linewidth=1,
        color=colour,
        label=label,
    )
