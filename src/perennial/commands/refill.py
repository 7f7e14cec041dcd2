"""The champion into a registry that has lost it, or never had it: a clone's own starts empty.

The stage `register` sees to the candidate. Where a challenge failed, that is not the champion.
"""

import json
from pathlib import Path

from perennial import paths
from perennial.adapters import batches, bundles, dag, registry
from perennial.adapters.champions import Champion
from perennial.core import facts
from perennial.core.model.candidate import MODEL, SPEC

EXAMPLE_ROWS = 3


def refill(uri: str, champion: Champion, bundle: Path = paths.CHAMPION_BUNDLE) -> str:
    """Register a champion, or an earlier one, from its bytes and return its version there.

    Its metrics and reports were those of its own run, so they are not recorded again.

    Raises:
        IntegrityError: its bytes, or the batches of its plan, are not to be had.
        UnreachableError: the registry can't be reached or written.
    """
    if bundle == paths.CHAMPION_BUNDLE and not bundles.is_whole(bundle, champion.digest):
        dag.fetch(bundle)
    artefacts = bundles.read(bundle, champion.digest)
    model = json.loads(artefacts[MODEL])
    inputs = facts.raw_inputs(model, json.loads(artefacts[SPEC]))
    newest = champion.plan["parts"]["holdout"][-1:]
    raw = batches.read_verified(newest, (paths.ACCEPTED, paths.BATCHES), list(inputs))
    record = registry.Record(
        model=champion.model,
        digest=champion.digest,
        bundle=bundle,
        inputs=inputs,
        example=raw[newest[0]["period"]][list(inputs)].head(EXAMPLE_ROWS),
        params=facts.parameters(model, champion.plan),
        metrics={},
        datasets=champion.plan["parts"],
        artifacts={"origin": [paths.CHAMPION]},
        tags={"verdict": champion.verdict, "refilled": "true"},
    )
    return registry.register(uri, record).version
