"""The champion as a model: its bundle fetched by digest, or the run ends with exit 3.

A champion that champion.json names and that can't be loaded is never counted as no champion.
"""

from typing import TYPE_CHECKING

from perennial import paths
from perennial.adapters import bundles, dag
from perennial.adapters.bundles import signing
from perennial.adapters.bundles.champions import Champion
from perennial.adapters.files.configuration import trusted_keys
from perennial.core.model.candidate import Candidate, from_artefacts
from perennial.errors import InputError, IntegrityError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def load(champion: Champion) -> Candidate:
    """Return the champion's model, fetched from DVC's cache or remote if it is not here.

    Raises:
        IntegrityError: it can't be had, its digest is not the one that champion.json names, or it
            is not signed by a key that is trusted.
    """
    if not bundles.is_whole(paths.CHAMPION_BUNDLE, champion.digest):
        dag.fetch(paths.CHAMPION_BUNDLE)
    artefacts = bundles.read(paths.CHAMPION_BUNDLE, champion.digest)
    found = signing.fault_of_file(paths.CHAMPION_SIGNATURE, champion.digest, trusted_keys())
    if found:
        raise IntegrityError(f"{paths.CHAMPION_BUNDLE}: {found}", signing.REMEDY)
    try:
        return from_artefacts(artefacts)
    except (KeyError, TypeError, ValueError, InputError) as error:
        raise IntegrityError(
            f"{paths.CHAMPION_BUNDLE}: not a model that this version can load: {error!r}",
            "Check out the version of Perennial that promoted it, or name another champion.",
        ) from error


def score(model: Candidate, raw: "pd.DataFrame") -> "tuple[pd.DataFrame, np.ndarray]":
    """Return the champion's feature matrix of raw rows, and its probabilities, shape (rows,).

    Raises:
        IntegrityError: the rows lack what it was trained on. A champion that can't be asked is not
            one that lost.
    """
    try:
        features = model.spec.transform(raw)
        return features, model.predict(raw)["probability"].to_numpy()
    except InputError as error:
        raise IntegrityError(
            [f"the champion can't score the holdout: {fault}" for fault in error.faults],
            "Deliver the columns it was trained on, or name another champion.",
        ) from error
