"""explain: SHAP values of the candidate on training and holdout rows, checked to be additive."""

from typing import Any

import pandas as pd

from perennial import paths
from perennial.adapters import batches, bundles, files, matrices, plots
from perennial.adapters.configuration import read_params
from perennial.core import attribution
from perennial.core.candidate import Candidate, from_artefacts
from perennial.stages.running import run


def explain() -> None:
    """Write attributions, their shares and errors, and the plots of the holdout."""
    params = read_params("seed", "explanation")
    settings = params.explanation
    candidate = from_artefacts(bundles.read(paths.CANDIDATE))
    report: dict[str, Any] = {"schema_version": 1, "unit": "log odds, before calibration"}
    for part in ("train", "holdout"):
        features = matrices.read_part(paths.FEATURES, part).features
        chosen = features.iloc[attribution.evenly(len(features), settings.rows)]
        values, base = candidate.contributions(chosen)
        frame = pd.DataFrame(values, columns=features.columns)
        batches.write_parquet(paths.ATTRIBUTIONS / f"{part}.parquet", frame)
        report[part] = {
            "rows": len(chosen),
            "base": base,
            "importance": attribution.importance(frame),
            "additivity_error": attribution.additivity_error(
                values, base, candidate.margin(chosen)
            ),
        }
    report["waterfalls"] = _draw(candidate, chosen, values, base, settings.waterfalls, params.seed)
    files.write_json(paths.EXPLAIN_REPORT, report)
    first = report["train"]["importance"][0]
    print(f"explain: {first['feature']} has the largest share, {first['share']:.0%} in training")


def _draw(
    candidate: Candidate, chosen: pd.DataFrame, values: Any, base: float, count: int, seed: int
) -> list[dict[str, Any]]:
    plots.global_attributions(paths.SHAP_PLOTS, values, base, chosen, seed)
    probability = candidate.probability(chosen)
    drawn = []
    for index, row in enumerate(attribution.spread(probability, count)):
        name = f"waterfall-{index}.png"
        number, stated = int(chosen.index[row]), float(probability[row])
        title = f"Holdout row {number}: probability {stated:.0%}"
        plots.waterfall(paths.SHAP_PLOTS / name, values, base, chosen, row, title)
        drawn.append({"picture": name, "holdout_row": number, "probability": stated})
    return drawn


if __name__ == "__main__":
    run(explain)
