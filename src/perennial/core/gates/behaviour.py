"""Gates on what the candidate does when rows are moved, changed, or strange; and what it costs."""

from collections.abc import Mapping
from typing import Any

from perennial.core.gates.result import Gate, Precision, not_measured, on_fact, on_interval
from perennial.core.statistics import estimates
from perennial.core.statistics.estimates import Estimate
from perennial.params.gates import CostGate, ParityGate, Threshold, Tolerance


def invariance(gaps: Mapping[str, float], rows: int, settings: Tolerance) -> Gate:
    """A row's probability hangs on that row alone: not on order, batch, or columns' order.

    Args:
        gaps: Largest difference of probability under each change of arrangement.
        rows: How many rows were tried.
        settings: The difference allowed.
    """
    worst = max(gaps, key=lambda name: gaps[name])
    return on_fact(
        "invariance",
        gaps[worst],
        rows,
        settings.tolerance,
        f"largest change of a probability ({worst.replace('_', ' ')}) {{value}} must be at most "
        "{threshold}",
    )


def robustness(counts: Mapping[str, int], rows: int) -> Gate:
    """Missing, unseen and extreme values still give a probability.

    Args:
        counts: How many probabilities were not finite or outside 0..1, for each kind of value.
        rows: How many rows were tried.
    """
    kinds = ", ".join(name.replace("_", " ") for name, count in counts.items() if count)
    named = f": {kinds}" if kinds else ""
    return on_fact(
        "robustness",
        sum(counts.values()),
        rows,
        0,
        f"{{value}} probabilities of rows with missing, unseen or extreme values are no "
        f"probability; none may be{named}",
    )


def direction(
    name: str, found: Mapping[str, Any], settings: Threshold, precision: Precision
) -> Gate:
    """A change that the user declared moves probabilities as declared (Ribeiro et al. 2020)."""
    if not found["rows"]:
        why = "the change alters no holdout row"
        return not_measured(f"direction_{name}", settings.threshold, settings.insufficient, why)
    return on_interval(
        f"direction_{name}",
        _share(found["violations"], found, precision),
        settings.threshold,
        "below",
        settings.insufficient,
        f"share of rows where {found['says']} does not hold {{estimate}} must be below "
        "{threshold}",
    )


def flipped(
    attribute: str, found: Mapping[str, Any], settings: Threshold, precision: Precision
) -> Gate:
    """Few decisions hang on the sensitive attribute alone."""
    return on_interval(
        f"flipped_{attribute}",
        _share(found["changed"], found, precision),
        settings.threshold,
        "below",
        settings.insufficient,
        f"share of decisions that change when {attribute} alone does {{estimate}} must be below "
        "{threshold}",
    )


def cost(name: str, candidate: float, default: float, rows: int, settings: CostGate) -> Gate:
    """What the candidate costs, counted and not timed, as a ratio to default XGBoost.

    Args:
        name: `model_size` (bytes) or `node_visits` (a row).
        candidate: The candidate's.
        default: That of default XGBoost on the same rows.
        rows: How many rows it was counted on.
        settings: The ratio allowed.
    """
    limit = settings.model_size if name == "model_size" else settings.node_visits
    unit = "bytes" if name == "model_size" else "nodes visited a row"
    return on_fact(
        name,
        candidate / default if default else 1.0 + candidate,  # a default that never splits
        rows,
        limit,
        f"{candidate:,.0f} {unit} are {{value}} times those of default XGBoost ({default:,.0f}); "
        "at most {threshold} times are allowed",
    )


def parity(found: Mapping[str, Any], settings: ParityGate) -> list[Gate]:
    """The ONNX export and MLflow's pyfunc say what the candidate says, edge rows included.

    Args:
        found: The report `parity.json`: the extra's packages that are missing, and the
            largest gap of each form on each kind of rows.
        settings: The gap allowed, and whether a missing extra blocks.
    """
    gates = []
    for form in ("onnx", "pyfunc"):
        gaps = found["gaps"].get(form)
        if gaps is None:
            why = f"not installed: {', '.join(found['missing'])}"
            limit = settings.tolerance
            gates.append(not_measured(f"parity_{form}", limit, settings.insufficient, why))
            continue
        worst = max(gaps, key=lambda rows: _size(gaps[rows]["gap"]))
        sentence = (
            f"largest gap between {form} and the native model ({worst} rows) {{value}} must be at "
            "most {threshold}"
        )
        rows, gap = sum(part["rows"] for part in gaps.values()), _size(gaps[worst]["gap"])
        gates.append(on_fact(f"parity_{form}", gap, rows, settings.tolerance, sentence))
    return gates


def _share(count: float, found: Mapping[str, Any], precision: Precision) -> Estimate:
    counted = (int(count), int(found["rows"]), found["design_effect"], found["clusters"])
    return estimates.share_of(counted, precision.confidence)


def _size(gap: float | None) -> float:
    """Return a gap as a number: JSON has no infinity, so null stands for it."""
    return float("inf") if gap is None else gap
