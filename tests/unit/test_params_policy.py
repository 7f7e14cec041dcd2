"""The groups `split.history`, `monitor.harm` and `policy`: what is no sense is refused by name."""

from typing import Any

import pytest
from pydantic import ValidationError

from perennial.params import History, Split
from perennial.params.drift import Harm, Policy

from .monitored import SHIPPED


@pytest.mark.parametrize(
    ("kind", "last"),
    [("all", 3), ("chosen", 3), ("periods", None), ("rows", None), ("periods", 0), ("rows", -1)],
)
def test_a_history_has_a_number_just_where_it_needs_one(kind: str, last: int | None) -> None:
    """`last` of `all` would be ignored in silence; `periods` without one would mean nothing."""
    with pytest.raises(ValidationError):
        History.model_validate({"kind": kind, "last": last})


@pytest.mark.parametrize(
    ("kind", "last"), [("all", None), ("chosen", None), ("periods", 1), ("rows", 1)]
)
def test_each_kind_of_history_is_taken_with_its_number(kind: str, last: int | None) -> None:
    """And under a split by time only: rows drawn at random have no newest."""
    history = {"kind": kind, "last": last}
    asked = {"key": None, "calibration_rows": 9, "holdout_rows": 9, "history": history}
    assert Split.model_validate({"kind": "time", **asked}).history.kind == kind
    if kind == "all":
        Split.model_validate({"kind": "stratified", **asked})
    else:
        with pytest.raises(ValidationError, match="needs `kind: time`"):
            Split.model_validate({"kind": "stratified", **asked})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("request", "rerun"),
        ("request", "recalibrate"),
        ("confirm", 0),
        ("cooldown", -1),
        ("cooldown", None),
        ("budget", {"attempts": 0, "periods": 1}),
        ("budget", {"attempts": 1, "periods": 0}),
        ("budget", {"attempts": 1}),
        ("min_labelled", 0),
        ("severe", 0.0),
        ("severe", 1.0),
        ("patience", 1),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(key: str, value: Any) -> None:
    """At its border too, and a key that nobody knows."""
    good = SHIPPED.policy.model_dump()
    assert Policy.model_validate(good) == SHIPPED.policy
    with pytest.raises(ValidationError, match=key):
        Policy.model_validate({**good, key: value})


@pytest.mark.parametrize("key", ["roc_auc", "log_loss", "prior"])
def test_no_harm_may_be_asked_to_matter_below_nothing(key: str) -> None:
    """0 is strict, and allowed: any proven change is harm then."""
    good = SHIPPED.monitor.harm.model_dump()
    Harm.model_validate({**good, key: 0.0})
    for wrong in (-0.01, float("nan"), None):
        with pytest.raises(ValidationError):
            Harm.model_validate({**good, key: wrong})
