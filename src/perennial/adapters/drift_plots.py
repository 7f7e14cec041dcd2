"""The picture of a calibration of drift: false alarms and power, each with its interval."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perennial.adapters import files

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def calibration(path: Path, report: Mapping[str, Any]) -> None:
    """Draw how often an alarm is raised: without drift by window size, and by what is planted.

    Args:
        path: Of the picture.
        report: As `perennial calibrate-drift` writes it.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    power = report["power"]
    fig, (left, right) = pyplot.subplots(
        1,
        2,
        figsize=(11, 1.5 + 0.14 * len(power)),
        layout="constrained",
        gridspec_kw={"width_ratios": (1, 2)},
    )
    sizes = report["by_size"]
    rows = [f"{size['rows']:,} rows" for size in sizes]
    _intervals(left, rows, [size["false_alarm_rate"] for size in sizes], "C0")
    left.axvline(report["allowed"], color="k", linestyle=":", linewidth=1)
    left.set(title="Alarms without drift", xlabel="Share of windows", xlim=(0, None))
    widths = sorted({cell["rows"] for cell in power})
    for colour, width in zip(("C0", "C1"), widths, strict=False):
        cells = [cell for cell in power if cell["rows"] == width]
        _intervals(right, list(map(_name, cells)), [c["alarmed"] for c in cells], colour, width)
    right.set(title="Alarms with a change planted", xlabel="Share of windows", xlim=(-0.02, 1.02))
    right.legend(frameon=False, title="Window", loc="center right")
    with files.replacing(path) as temporary:
        fig.savefig(temporary, format="png", dpi=100, metadata={"Software": None})
    pyplot.close(fig)


def _name(cell: Mapping[str, Any]) -> str:
    share = "" if cell["share"] == cell["size"] else f" in {cell['share']:.0%} of rows"
    return f"{cell['kind']} {cell['size']:g}{share}"


def _intervals(
    axes: "Axes",
    names: Sequence[str],
    rates: Sequence[Mapping[str, float]],
    colour: str,
    width: int | None = None,
) -> None:
    values = [rate["value"] for rate in rates]
    error = [
        [max(rate["value"] - rate["low"], 0.0) for rate in rates],
        [max(rate["high"] - rate["value"], 0.0) for rate in rates],
    ]
    label = f"{width:,} rows" if width else None
    axes.errorbar(values, list(names), xerr=error, fmt="o", capsize=2, color=colour, label=label)
    if not axes.yaxis_inverted():
        axes.invert_yaxis()
