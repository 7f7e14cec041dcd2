"""fairness: rates of every group and intersection, the differences, and what mitigation cost."""

from typing import Any

import pandas as pd

from perennial import paths
from perennial.adapters import files, plots
from perennial.adapters.files.configuration import read_params
from perennial.core import fairness as core
from perennial.core.model.decision import row_utility
from perennial.core.statistics import clusters, estimates, roc
from perennial.params import Fairness, Training
from perennial.stages.running import run


def fairness() -> None:
    """Report the candidate's decisions on the holdout by group, beside those of one threshold."""
    params = read_params("fairness", "evaluation", "training")
    settings, confidence = params.fairness, params.evaluation.confidence
    scores = pd.read_parquet(paths.SCORES)
    report: dict[str, Any] = {"schema_version": 1, "confidence": confidence, "attributes": {}}
    target, key = scores["target"].to_numpy(), clusters.of(scores)
    decided = {name: scores[name].to_numpy() for name in ("decision", "unmitigated_decision")}
    paths.FAIRNESS_PLOTS.mkdir(parents=True, exist_ok=True)  # an output, empty without attributes
    for attributes in core.combinations_of(settings):
        name = " × ".join(attributes)
        group = core.group_names(scores, attributes)
        section, plain = (
            _section(core.counts(target, decision, group, key), settings, confidence)
            for decision in decided.values()
        )
        report["attributes"][name] = {**section, "unmitigated": plain["differences"]}
        plots.group_rates(
            paths.FAIRNESS_PLOTS / f"{'-'.join(attributes)}.png",
            report["attributes"][name]["groups"],
            ("selection_rate", "true_positive_rate", "false_positive_rate"),
            f"Decisions on the holdout by {name.replace('_', ' ')}",
        )
    report["mitigation"] = _cost(scores, params.training, confidence)
    files.write_json(paths.FAIRNESS_REPORT, report)
    print(f"fairness: {len(report['attributes'])} attributes and intersections reported")


def _cost(scores: pd.DataFrame, settings: Training, confidence: float) -> dict[str, Any]:
    """Return what mitigation changed, paired on the same rows: mitigated less unmitigated."""
    target = scores["target"].to_numpy()
    worth = [
        row_utility(settings.utility, target, scores[name].to_numpy())
        for name in ("decision", "unmitigated_decision")
    ]
    right = [
        (scores[name] == scores["target"]) * 1.0 for name in ("decision", "unmitigated_decision")
    ]
    key = clusters.of(scores)
    mitigated, plain = (scores[name].to_numpy() for name in ("probability", "unmitigated"))
    auc = roc.roc_auc_difference(target, mitigated, plain, confidence, key)
    return {
        **settings.mitigation.model_dump(),
        "cost": {
            "accuracy": estimates.mean((right[0] - right[1]).to_numpy(), confidence, key).to_json(),
            "utility": estimates.mean(worth[0] - worth[1], confidence, key).to_json(),
            "roc_auc": auc.to_json(),
        },
    }


def _section(counted: core.Counted, settings: Fairness, confidence: float) -> dict[str, Any]:
    differences, ratios = {}, {}
    for rate in core.RATES:
        found = core.largest_difference(counted, rate, settings.min_group, confidence)
        if found is not None:
            estimate, (higher, lower) = found
            differences[rate] = {**estimate.to_json(), "higher": higher, "lower": lower}
        found = core.smallest_ratio(counted, rate, settings.min_group, confidence)
        if found is not None:
            estimate, (lower, higher) = found
            ratios[rate] = {**estimate.to_json(), "higher": higher, "lower": lower}
    sizes = {name: rates["selection_rate"][1] for name, rates in counted.items()}
    return {
        "groups": core.table(counted, confidence),
        "counts": counted,
        "differences": differences,
        "ratios": ratios,
        "smallest_group": {"name": min(sizes, key=sizes.__getitem__), "n": min(sizes.values())},
    }


if __name__ == "__main__":
    run(fairness)
