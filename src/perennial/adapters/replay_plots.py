"""The picture of a replay: what each policy was worth, when it retrained, and what that cost."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from perennial.adapters import files

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SPAN = 3  # periods whose ROC AUCs are averaged for one point
STYLES: dict[str, dict[str, Any]] = {
    "never": {"color": "#8a8a8a", "linewidth": 2.0},
    "drift": {"color": "#c8421f", "linewidth": 3.6, "zorder": 5},
    "always": {"color": "#1a1a1a", "linewidth": 1.4, "zorder": 6},  # thin: both are often one line
}
BLUES = ("#2f6fb0", "#7fb2dd", "#1b3f6b", "#a9cbe6")


def replay(path: Path, report: Mapping[str, Any]) -> None:
    """Draw a replay.

    Args:
        path: Of the picture.
        report: As `perennial replay` writes it.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    policies = report["policies"]
    styles = _styles([policy["policy"] for policy in policies])
    height = 7.2 + 0.25 * len(policies)
    rows = [3.2, 0.3 * len(policies), 3.0]
    fig = pyplot.figure(figsize=(11, height), layout="constrained")
    grid = fig.add_gridspec(3, 2, height_ratios=rows)
    top = fig.add_subplot(grid[0, :])
    _ranking(top, policies, styles)
    ticks = fig.add_subplot(grid[1, :], sharex=top)
    _challenges(ticks, policies, styles)
    _saved(fig.add_subplot(grid[2, 0]), policies, styles)
    _cost(fig.add_subplot(grid[2, 1]), policies, styles)
    _halves((top, ticks), report)
    try:
        with files.replacing(path) as temporary:
            fig.savefig(temporary, dpi=110, metadata={"Software": None})
    finally:
        pyplot.close(fig)


def _styles(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    others = [name for name in names if name not in STYLES]
    blue = {
        name: {"color": BLUES[i % len(BLUES)], "linewidth": 1.6} for i, name in enumerate(others)
    }
    return {name: STYLES.get(name) or blue[name] for name in names}


def _ranking(
    axes: "Axes", policies: Sequence[Mapping[str, Any]], styles: Mapping[str, Any]
) -> None:
    for policy in policies:
        points = _by_span(policy["periods"])
        place, value = [p for p, _ in points], [v for _, v in points]
        axes.plot(
            place, value, "o-", label=policy["policy"], markersize=5, **styles[policy["policy"]]
        )
    axes.axhline(0.5, color="k", linestyle=":", linewidth=1)
    axes.set(ylabel="ROC AUC")
    axes.set_title(
        f"How well customers were ranked, in the months that came (mean of {SPAN}; dotted: a coin)",
        loc="left",
    )
    axes.legend(frameon=False, ncols=len(policies), loc="upper left", fontsize="small")
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.15 * (high - low))
    axes.tick_params(labelbottom=False)
    axes.spines[["top", "right"]].set_visible(False)


def _by_span(periods: Sequence[Mapping[str, Any]]) -> list[tuple[float, float]]:
    """Return the middle place of each span and the mean ROC AUC of its periods by their rows."""
    points = []
    for first in range(0, len(periods), SPAN):
        known = [p for p in periods[first : first + SPAN] if p["roc_auc"] is not None]
        if known:
            sizes = [p["rows"] for p in known]
            value = np.average([p["roc_auc"]["value"] for p in known], weights=sizes)
            last = min(first + SPAN, len(periods)) - 1
            points.append(((first + last) / 2, float(value)))
    return points


def _challenges(
    axes: "Axes", policies: Sequence[Mapping[str, Any]], styles: Mapping[str, Any]
) -> None:
    """Mark each retraining: filled where the candidate took charge, hollow where it did not."""
    names = [policy["policy"] for policy in policies]
    for line, policy in enumerate(policies):
        for place, record in enumerate(policy["periods"]):
            if record["verdict"] is None:
                continue
            colour = styles[policy["policy"]]["color"]
            face = colour if record["verdict"] == "promote" else "white"
            axes.plot(place, line, "s", color=colour, markerfacecolor=face, markersize=7)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    periods = [record["period"] for record in policies[0]["periods"]]
    axes.set_xticks(range(len(periods)), periods, rotation=60, ha="right", fontsize="small")
    axes.set_title(
        "Retrainings (filled: the gates let it take charge from the next month)",
        loc="left",
        fontsize="medium",
    )
    axes.spines[["top", "right"]].set_visible(False)


def _saved(axes: "Axes", policies: Sequence[Mapping[str, Any]], styles: Mapping[str, Any]) -> None:
    for policy in policies:
        if policy["saved_against_never"] is not None:
            total = [0.0, *policy["saved_against_never"]]
            axes.plot(range(len(total)), total, **styles[policy["policy"]])
    axes.set_title("Log loss saved against never retraining, summed up", loc="left")
    axes.set(ylabel="nats", xlabel="periods since the start")
    axes.spines[["top", "right"]].set_visible(False)


def _cost(axes: "Axes", policies: Sequence[Mapping[str, Any]], styles: Mapping[str, Any]) -> None:
    names = [policy["policy"] for policy in policies]
    place = np.arange(len(names))
    colours = [styles[name]["color"] for name in names]
    made = [policy["retrainings"] for policy in policies]
    won = [policy["promotions"] for policy in policies]
    axes.barh(place, made, color=colours, alpha=0.35)
    axes.barh(place, won, color=colours)
    for line, policy in enumerate(policies):
        words = f"{made[line]}, {won[line]} promoted; {policy['seconds']:,.0f} s"
        axes.annotate(
            words, (made[line], line), xytext=(5, 0), textcoords="offset points", va="center"
        )
    axes.set_yticks(place, names)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.75 * max([*made, 1]))
    axes.set_title("Retrainings and compute (dark: promoted)", loc="left")
    axes.spines[["top", "right"]].set_visible(False)


def _halves(panels: Sequence["Axes"], report: Mapping[str, Any]) -> None:
    """Part the periods that the policy was tuned on from those that it was not."""
    names = [record["period"] for record in report["policies"][0]["periods"]]
    if report["second_half"] in names:
        for axes in panels:
            axes.axvline(names.index(report["second_half"]) - 0.5, color="k", alpha=0.25)
