"""Fixtures that several files of tests share."""

from tests.integration.configured import faults, params_yaml
from tests.integration.promoted import judged, pipeline, remembered
from tests.integration.registered import candidates, project, registered
from tests.integration.released import models, released, succeeded

__all__ = [
    "candidates",
    "faults",
    "judged",
    "models",
    "params_yaml",
    "pipeline",
    "project",
    "registered",
    "released",
    "remembered",
    "succeeded",
]
