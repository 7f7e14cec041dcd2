"""Facts about a candidate, as flat names and values: what a registry shows in its tables."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["double", "string"]


def raw_inputs(model: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Kind]:
    """Return the raw columns that a candidate predicts from, sorted, each with its type.

    A sensitive column is asked for only where a feature or the decision needs it.

    Args:
        model: The candidate's `model.json`.
        spec: Its `features.json`.
    """
    uses = [(c["from"], c["as"] != "category") for c in spec["columns"].values()]
    attribute = model["decision"]["attribute"]
    if attribute is not None:
        sensitive = spec["sensitive"][attribute]
        uses.append((sensitive["from"], sensitive["bins"] is not None))
    numbers = {source for source, is_number in uses if is_number}
    return {s: "double" if s in numbers else "string" for s in sorted({s for s, _ in uses})}


def example(raw: "pd.DataFrame", inputs: Mapping[str, Kind], rows: int) -> "pd.DataFrame":
    """Return the first raw rows, with the columns and types of `inputs`."""
    import pandas as pd

    few = raw[list(inputs)].head(rows).reset_index(drop=True)
    columns = {
        name: pd.to_numeric(few[name], errors="coerce").astype("float64")
        if kind == "double"
        else few[name].astype("string").astype(object).where(few[name].notna(), None)
        for name, kind in inputs.items()
    }
    return pd.DataFrame(columns)


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
