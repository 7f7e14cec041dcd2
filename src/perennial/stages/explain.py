"""explain: SHAP values of the candidate on training and holdout rows, checked to be additive."""

from typing import Any

import pandas as pd

from perennial import paths
from perennial.adapters import bundles, files, plots
from perennial.adapters.files.configuration import read_params
from perennial.adapters.parquet import batches, matrices
from perennial.core import attribution, proxies, training
from perennial.core.dataset.part import Part, evenly
from perennial.core.model.candidate import Candidate, from_artefacts
from perennial.core.statistics import clusters
from perennial.params import Params
from perennial.stages.running import run


def explain() -> None:
    """Write attributions, their shares and errors, proxies, and the plots of the holdout."""
    params = read_params("seed", "explanation", "fairness", "evaluation")
    settings = params.explanation
    candidate = from_artefacts(bundles.read(paths.CANDIDATE))
    parts = {name: matrices.read_part(paths.FEATURES, name) for name in ("train", "holdout")}
    report: dict[str, Any] = {"schema_version": 2, "unit": "log odds, before calibration"}
    for name, part in parts.items():
        chosen = part.features.iloc[evenly(len(part.features), settings.rows)]
        values, base = candidate.contributions(chosen)
        frame = pd.DataFrame(values, columns=part.features.columns)
        batches.write_parquet(paths.ATTRIBUTIONS / f"{name}.parquet", frame)
        if part.key is not None:
            own = pd.DataFrame({clusters.KEY: part.key[chosen.index]})
            batches.write_parquet(paths.ATTRIBUTIONS / f"{name}-keys.parquet", own)
        report[name] = {
            "rows": len(chosen),
            "base": base,
            "importance": attribution.importance(frame),
            "additivity_error": attribution.additivity_error(
                values, base, candidate.margin(chosen)
            ),
        }
    largest = report["train"]["importance"][0]
    report |= _elsewhere(candidate, parts, largest["feature"], params)
    report["waterfalls"] = _draw(candidate, chosen, values, base, settings.waterfalls, params.seed)
    files.write_json(paths.EXPLAIN_REPORT, report)
    print(
        f"explain: {largest['feature']} has the largest share, {largest['share']:.0%} in training"
    )


def _elsewhere(
    candidate: Candidate, parts: dict[str, Part], largest: str, params: Params
) -> dict[str, Any]:
    """Return what is known of the largest feature and of proxies by fitting other models."""
    train, holdout, spec = parts["train"], parts["holdout"], candidate.spec
    margin = training.margin_without(
        candidate.recipe, train, holdout.features, largest, params.seed
    )
    without = pd.DataFrame({"without_largest": margin.round(6)})  # hashed: see 0005
    batches.write_parquet(paths.ATTRIBUTIONS / "without-largest.parquet", without)
    found = proxies.find_all(train, holdout, spec, params)
    sources = {name: feature.source for name, feature in spec.columns.items()}
    return {"largest": largest, "sources": sources, "proxies": found}


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
