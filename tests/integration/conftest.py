"""Fixtures that several files of tests share."""

from tests.integration.configured import faults, params_yaml
from tests.integration.crowned import crowned
from tests.integration.derivable import three
from tests.integration.months import checks, empty_folder
from tests.integration.promoted import judged, pipeline, remembered
from tests.integration.registered import candidates, project, registered
from tests.integration.released import models, released, succeeded
from tests.integration.scoring import month_to_score
from tests.integration.whole_project import champion_project, promoted_project

__all__ = [
    "candidates",
    "champion_project",
    "checks",
    "crowned",
    "empty_folder",
    "faults",
    "judged",
    "models",
    "month_to_score",
    "params_yaml",
    "pipeline",
    "project",
    "promoted_project",
    "registered",
    "released",
    "remembered",
    "succeeded",
    "three",
]
