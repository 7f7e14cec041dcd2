"""The champion into a registry that has lost it, or never had it: a clone's own starts empty.

The stage `register` sees to the candidate. Where a challenge failed, that is not the champion.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from perennial import paths
from perennial.adapters import bundles, dag, forgotten, registry
from perennial.adapters.bundles.champions import Champion
from perennial.adapters.parquet import batches
from perennial.core import examples, facts
from perennial.core.dataset.plan import BatchRef
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
    newest = _of_today(champion.plan["parts"]["holdout"][-1:])
    raw = batches.read_verified(newest, (paths.ACCEPTED, paths.BATCHES), list(inputs))
    record = registry.Record(
        model=champion.model,
        digest=champion.digest,
        bundle=bundle,
        inputs=inputs,
        example=examples.typical(raw[newest[0]["period"]][list(inputs)], EXAMPLE_ROWS),
        params=facts.parameters(model, champion.plan),
        metrics={},
        datasets=champion.plan["parts"],
        artifacts={"origin": [paths.CHAMPION]},
        tags={"verdict": champion.verdict, "refilled": "true"},
    )
    return registry.register(uri, record).version


def _of_today(refs: Sequence[BatchRef]) -> list[BatchRef]:
    """Return the batches; one that rows were taken out of since, as `perennial forget` left it."""
    left: dict[str, BatchRef] = {
        digest: {"period": ref["period"], "sha256": line["to"], "rows": ref["rows"]}
        for line in forgotten.read()
        for ref in refs
        for digest in line["from"]
        if line["period"] == ref["period"] and line["to"]
    }
    now = [left.get(ref["sha256"], ref) for ref in refs]
    return now if now == list(refs) else _of_today(now)
