"""Pictures by matplotlib, scikit-learn's displays and SHAP's own plots; same values, same bytes."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from perennial.adapters import files

if TYPE_CHECKING:
    from matplotlib.axes import Axes


POINTS = 20_000  # of a curve, as CSV


@contextlib.contextmanager
def figure(path: Path, width: float = 6.0, height: float = 4.5) -> "Iterator[Axes]":
    """Yield axes to draw on; the picture is written to `path`, without the time or a version."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    fig, axes = pyplot.subplots(figsize=(width, height), layout="constrained")
    try:
        yield axes
        save(path)
    finally:
        pyplot.close("all")
        del fig


def save(path: Path) -> None:
    """Write the current figure."""
    from matplotlib import pyplot

    with files.replacing(path) as temporary:
        pyplot.savefig(temporary, dpi=110, bbox_inches="tight", metadata={"Software": None})


def curves(
    folder: Path,
    target: np.ndarray,
    models: Mapping[str, np.ndarray],
    decision: np.ndarray,
    calibration: Sequence[Mapping[str, float | int]],
) -> None:
    """Draw ROC, precision-recall, calibration and confusion, with their points as CSV for
    `dvc plots diff`."""
    from sklearn import metrics

    with figure(folder / "roc.png") as axes:
        for name, score in models.items():
            metrics.RocCurveDisplay.from_predictions(target, score, name=name, ax=axes)
        axes.plot([0, 1], [0, 1], "k:", linewidth=1)
        axes.set_title(f"ROC on the holdout ({len(target):,} rows)")
    with figure(folder / "precision-recall.png") as axes:
        for name, score in models.items():
            metrics.PrecisionRecallDisplay.from_predictions(target, score, name=name, ax=axes)
        axes.axhline(target.mean(), color="k", linestyle=":", linewidth=1)
        axes.set_title("Precision and recall on the holdout")
    with figure(folder / "calibration.png") as axes:
        _calibration(axes, calibration)
    with figure(folder / "confusion.png", 4.5, 4.0) as axes:
        metrics.ConfusionMatrixDisplay.from_predictions(target, decision, ax=axes, colorbar=False)
        axes.set_title("Decisions on the holdout")
    score = models["candidate"]
    false_positive, true_positive, _ = metrics.roc_curve(target, score)
    precision, recall, _ = metrics.precision_recall_curve(target, score)
    _csv(folder / "roc.csv", _thinned({"fpr": false_positive, "tpr": true_positive}))
    _csv(folder / "precision-recall.csv", _thinned({"recall": recall, "precision": precision}))
    _csv(folder / "calibration.csv", pd.DataFrame(calibration)[["stated", "value"]])


def _calibration(axes: "Axes", bins: Sequence[Mapping[str, float | int]]) -> None:
    frame = pd.DataFrame(bins)
    error = [frame["value"] - frame["low"], frame["high"] - frame["value"]]
    axes.errorbar(frame["stated"], frame["value"], yerr=error, fmt="o-", capsize=3)
    axes.plot([0, 1], [0, 1], "k:", linewidth=1)
    axes.set(xlabel="Stated probability", ylabel="Rate observed, with its interval")
    axes.set_title("Calibration on the holdout")


def global_attributions(
    folder: Path, values: np.ndarray, base: float, features: pd.DataFrame, seed: int
) -> None:
    """Draw SHAP's beeswarm and bar over all rows explained."""
    import shap

    explained = _explanation(values, base, features)
    for name, draw in (("beeswarm", shap.plots.beeswarm), ("bar", shap.plots.bar)):
        np.random.seed(seed)  # noqa: NPY002  the beeswarm shuffles with NumPy's global state
        with figure(folder / f"{name}.png"):
            draw(explained, max_display=15, show=False)


def waterfall(
    path: Path, values: np.ndarray, base: float, features: pd.DataFrame, row: int, title: str
) -> None:
    """Draw how one row's log odds come about."""
    import shap
    from matplotlib import pyplot

    with figure(path):
        shap.plots.waterfall(_explanation(values, base, features)[row], max_display=12, show=False)
        pyplot.title(title)


def _explanation(values: np.ndarray, base: float, features: pd.DataFrame) -> Any:
    import shap

    shown = features.astype(object).where(features.notna(), np.nan)
    return shap.Explanation(
        values=values,
        base_values=np.full(len(values), base),
        data=shown.to_numpy(),
        feature_names=list(features.columns),
    )


def group_rates(path: Path, table: Mapping[str, Any], rates: Sequence[str], title: str) -> None:
    """Draw the rates of every group with their intervals; `table` as core.fairness.table has it."""
    names = sorted(table)
    with figure(path, 9.0, 1.6 + 0.55 * len(names)) as axes:
        for index, rate in enumerate(rates):
            cells = [(place, table[name][rate]) for place, name in enumerate(names)]
            known = [(place, cell) for place, cell in cells if cell is not None]
            values = [cell["value"] for _, cell in known]
            error = [
                [cell["value"] - cell["low"] for _, cell in known],
                [cell["high"] - cell["value"] for _, cell in known],
            ]
            height = [place + 0.15 * (index - (len(rates) - 1) / 2) for place, _ in known]
            label = rate.replace("_", " ")
            axes.errorbar(values, height, xerr=error, fmt="o", capsize=2, label=label)
        sizes = [table[name]["selection_rate"]["n"] for name in names]
        ticks = [f"{name}\n{size:,} rows" for name, size in zip(names, sizes, strict=True)]
        axes.set_yticks(range(len(names)), ticks)
        axes.set(xlim=(0, 1), xlabel="Rate, with its interval", title=title)
        axes.invert_yaxis()
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def effects(path: Path, tests: Sequence[Mapping[str, Any]], title: str) -> None:
    """Draw each feature's strongest drift test: how many times its threshold the effect is."""
    frame = pd.DataFrame([dict(test) for test in tests]).dropna(subset=["threshold"])
    frame["strength"] = frame["effect"] / frame["threshold"]
    frame = frame.sort_values(["drifted", "strength", "feature", "name"])
    frame = frame.drop_duplicates("feature", keep="last")
    with figure(path, 7.0, 1.4 + 0.28 * len(frame)) as axes:
        shown = frame[["feature", "name", "effect"]].itertuples(index=False)
        labels = [f"{_literal(feature)} ({name} {effect:.2f})" for feature, name, effect in shown]
        axes.barh(labels, frame["strength"], color=np.where(frame["drifted"], "C3", "C0"))
        axes.axvline(1.0, color="k", linestyle=":")
        axes.set(xlabel="Effect over its threshold (red: drifted)", title=title)


def before_after(path: Path, feature: str, before: pd.Series, after: pd.Series) -> None:
    """Draw one feature's distribution in the reference and in the newest rows, as shares."""
    together = pd.concat([before, after]).dropna()
    with figure(path, 6.0, 2.8) as axes:
        if pd.api.types.is_numeric_dtype(before) and len(together):
            edges = np.unique(np.quantile(together, np.linspace(0.005, 0.995, 31)))
            shares = [
                np.histogram(np.clip(side.dropna(), edges[0], edges[-1]), edges)[0] / len(side)
                for side in (before, after)
            ]
            for label, share in zip(("reference", "newest"), shares, strict=True):
                axes.stairs(np.cumsum(share), edges, baseline=None, label=label)
            axes.set(xlabel=_literal(feature), ylabel="Share up to here")
        else:
            counted = [
                side.astype(object).fillna("(missing)").value_counts(normalize=True)
                for side in (before, after)
            ]
            table = pd.concat(counted, axis=1, keys=["reference", "newest"]).fillna(0.0)
            table = table.sort_index().sort_values("reference", ascending=False, kind="stable")
            table = table.iloc[:15]
            place = np.arange(len(table))
            axes.bar(place - 0.2, table["reference"], 0.4, label="reference")
            axes.bar(place + 0.2, table["newest"], 0.4, label="newest")
            levels = [_literal(str(level)) for level in table.index]
            axes.set_xticks(place, levels, rotation=30, ha="right", fontsize="small")
            axes.set(ylabel="Share", title=_literal(feature))
        axes.legend(frameon=False)


def _literal(text: str) -> str:
    """Return a text that matplotlib does not take for mathematics: names may hold dollar signs."""
    return text.replace("$", r"\$")


def power(path: Path, gates: Mapping[str, Mapping[str, Any]], rows: int) -> None:
    """Draw how often each gate catches an effect, by its size, with the interval simulated."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    labels = {
        "champion": "ROC AUC below the champion's",
        "fairness": "Difference between two groups",
        "calibration": "Expected calibration error",
    }
    fig, all_axes = pyplot.subplots(1, len(gates), figsize=(11, 3.4), layout="constrained")
    for axes, (name, found) in zip(np.atleast_1d(all_axes), gates.items(), strict=True):
        table = pd.DataFrame([{"effect": r["effect"], **r["caught"]} for r in found["caught"]])
        if not table.empty:
            error = [table["value"] - table["low"], table["high"] - table["value"]]
            axes.errorbar(table["effect"], table["value"], yerr=error, fmt="o-", capsize=2)
        axes.axhline(0.8, color="k", linestyle=":", linewidth=1)
        axes.set(ylim=(0, 1.02), title=name, xlabel=labels.get(name, "Effect"))
    np.atleast_1d(all_axes)[0].set_ylabel(f"Caught, on {rows:,} rows")
    try:
        save(path)
    finally:
        pyplot.close(fig)


def _thinned(curve: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return at most `POINTS` of a curve's points, evenly spaced: more than any eye can tell."""
    points = len(next(iter(curve.values())))
    chosen = np.unique(np.linspace(0, points - 1, min(points, POINTS)).round().astype("int64"))
    return {name: values[chosen] for name, values in curve.items()}


def _csv(path: Path, columns: Any) -> None:
    with files.replacing(path) as temporary:
        pd.DataFrame(columns).to_csv(temporary, index=False, float_format="%.6g")
