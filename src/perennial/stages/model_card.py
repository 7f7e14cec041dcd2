"""The model card, which the stage gate writes with its verdict: what this candidate is, was made
from and can do, each sentence filled from an artefact."""

from pathlib import Path
from typing import Any

from perennial import paths
from perennial.adapters import files, pages
from perennial.core.card import contents as card
from perennial.params import Params

# Neither the validation's report nor the monitor's: a month that changes nothing would change them,
# and with them the gate
ARTEFACTS = (
    paths.PLAN,
    paths.CANDIDATE / "model.json",
    paths.FEATURES_REPORT,
    paths.METRICS,
    paths.EXPLAIN_REPORT,
    paths.FAIRNESS_REPORT,
    paths.GATE_REPORT,
    paths.SLICES_REPORT,
    paths.BEHAVIOUR_REPORT,
    paths.LEAKS_REPORT,
    paths.PARITY_REPORT,
)


def write(params: Params) -> None:
    """Write the model card, as Markdown and as a page.

    Args:
        params: With the groups that the card tells of: target, sensitive, features, training,
            evaluation and fairness.
    """
    artefacts = {path.as_posix(): _read(path) for path in ARTEFACTS}
    artefacts[paths.PARAMS.as_posix()] = {
        "target": params.target.model_dump(),
        "sensitive": {k: v.model_dump(by_alias=True) for k, v in params.sensitive.items()},
        "features": params.features.model_dump(by_alias=True),
        "training": params.training.model_dump(),
        "evaluation": params.evaluation.model_dump(),
        "fairness": params.fairness.model_dump(),
    }
    pages.write_card(paths.MODEL_CARD, paths.MODEL_CARD_PAGE, card.write(artefacts))


def _read(path: Path) -> dict[str, Any]:
    return files.read_json(path, "Run `dvc repro`.")
