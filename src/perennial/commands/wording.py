"""Numbers, names and times as people read them."""

from collections.abc import Mapping

METRICS = {
    "roc_auc": "ROC AUC",
    "average_precision": "average precision",
    "log_loss": "log loss",
    "brier": "Brier score",
    "ece": "calibration error (ECE)",
    "accuracy": "accuracy",
    "f1": "F1",
}


def number(value: float | None) -> str:
    """Return a number to three digits; a dash where there is none."""
    return "—" if value is None else f"{value:.3g}"


def estimate(value: Mapping[str, float] | None) -> str:
    """Return an estimate with its interval, as `0.712 [0.669, 0.751]`."""
    if value is None:
        return "—"
    return f"{number(value['value'])} [{number(value['low'])}, {number(value['high'])}]"


def metric(name: str) -> str:
    """Return a metric's name as people know it."""
    return METRICS.get(name, name)


def duration(seconds: float) -> str:
    """Return a duration as `0.4 s`, `12 s` or `3 min 5 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def digest(value: str | None) -> str:
    """Return the start of a digest, enough to tell it from others."""
    return value[:12] if value else "—"


def plural(count: int, one: str, many: str) -> str:
    """Return a count with its noun."""
    return f"{count:,} {one if count == 1 else many}"
