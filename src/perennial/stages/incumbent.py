"""The champion as a model: its bundle fetched by digest, or the run ends with exit 3.

A champion that champion.json names and that can't be loaded is never counted as no champion.
"""

from perennial import paths
from perennial.adapters import bundles, dag
from perennial.adapters.champions import Champion
from perennial.core.candidate import Candidate, from_artefacts
from perennial.errors import InputError, IntegrityError


def load(champion: Champion) -> Candidate:
    """Return the champion's model, fetched from DVC's cache or remote if it is not here.

    Raises:
        IntegrityError: it can't be had, or its digest is not the one that champion.json names.
    """
    if not bundles.is_whole(paths.CHAMPION_BUNDLE, champion.digest):
        dag.fetch(paths.CHAMPION_BUNDLE)
    artefacts = bundles.read(paths.CHAMPION_BUNDLE, champion.digest)
    try:
        return from_artefacts(artefacts)
    except (KeyError, TypeError, ValueError, InputError) as error:
        raise IntegrityError(
            f"{paths.CHAMPION_BUNDLE}: not a model that this version can load: {error!r}",
            "Check out the version of Perennial that promoted it, or name another champion.",
        ) from error
