"""Facts about a candidate, as flat names and values: what a registry shows in its tables."""

import json
from collections.abc import Mapping
from typing import Any


def raw_inputs(model: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, str]:
    """Return the raw columns that a candidate predicts from, sorted: each a `number` or `category`.

    A sensitive column is asked for only where a feature or the decision needs it.

    Args:
        model: The candidate's `model.json`.
        spec: Its `features.json`.
    """
    uses = [(c["from"], c["as"] == "category") for c in spec["columns"].values()]
    attribute = model["decision"]["attribute"]
    if attribute is not None:
        sensitive = spec["sensitive"][attribute]
        uses.append((sensitive["from"], sensitive["bins"] is None))
    numbers = {source for source, is_category in uses if not is_category}
    return {s: "number" if s in numbers else "category" for s in sorted({s for s, _ in uses})}


def parameters(model: Mapping[str, Any], plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a candidate was made: plan, recipe, calibration and decision."""
    calibration = {k: v for k, v in model["calibration"].items() if not isinstance(v, list)}
    groups = {
        "plan": {"action": plan["action"], "because": plan["because"], **plan["split"]},
        "calibration": calibration,
        "decision": {
            **model["decision"],
            "by_group": json.dumps(model["decision"]["by_group"], sort_keys=True),
        },
    }
    for number, member in enumerate(model["recipe"]["members"]):
        groups[f"member_{number}"] = {**member["params"], "rounds": member["rounds"]}
    flat = {f"{g}.{name}": v for g, values in groups.items() for name, v in values.items()}
    return {"kind": model["kind"], **flat}


def measures(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return each estimate of a metrics report as its value and its bounds."""
    flat = {}
    for name, estimate in metrics["holdout"].items():
        for key, suffix in (("value", ""), ("low", "_low"), ("high", "_high")):
            if estimate[key] is not None:
                flat[f"{name}{suffix}"] = float(estimate[key])
    return flat
