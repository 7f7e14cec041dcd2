"""From a choice to the plan that carries it out."""

from collections.abc import Mapping
from typing import Any

from perennial.core.dataset.plan import make_plan, shares
from perennial.core.monitoring import history
from perennial.core.monitoring.finding import Known, Read
from perennial.core.monitoring.policy import Choice
from perennial.params import Params


def follow(
    choice: Choice, known: Known, recipe: Mapping[str, Any] | None, read: Read, params: Params
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Return the plan for a choice other than `keep`, and how its history was chosen, if it was.

    Args:
        choice: What is to be done.
        known: The champion's plan, and the labelled batches.
        recipe: The champion's; None under `retune`.
        read: Reads batches.
        params: The groups seed, split, features and sensitive.

    Raises:
        InputError: nothing would be left to train on.
    """
    split, train = params.split, None
    if choice.action == "recalibrate":  # `finding.consider` chooses it only by time
        train = known.plan["parts"]["train"]
    plan = make_plan(known.labelled, split, choice.action, choice.because, recipe, train)
    if split.history.kind != "chosen" or train is not None:
        return plan, None
    parts = plan["parts"]
    wanted = shares(parts["train"])
    chosen, reached = history.choose(wanted, parts["calibration"], recipe, read, params)
    parts["train"] = wanted[chosen]
    return plan, {"chosen": chosen, "roc_auc": reached}
