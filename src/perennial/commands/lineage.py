"""lineage: from a version to all that it was made from."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from perennial import paths
from perennial.adapters import lockfile, registry
from perennial.adapters.bundles import champions
from perennial.adapters.registry import Remembered
from perennial.commands import origins
from perennial.commands.origins import Meant, Origin
from perennial.core.dataset.plan import PARTS
from perennial.errors import InputError

FORMATS = ("tree", "prov")


@dataclass(frozen=True)
class Lineage:
    """All that is known of what a version was made from.

    `source` is where that is recorded; `data` the batches of each part as the plan names them;
    `stages` what each stage made, by digest; `parent` the champion it was compared with and
    `ancestors` the champions before that one, nearest first, as `{"version", "digest"}`. What is
    not recorded is None, or empty.
    """

    model: str
    version: str | None
    digest: str
    champion: bool
    source: str
    decision: Mapping[str, Any] | None
    plan: Mapping[str, Any] | None
    data: Mapping[str, Sequence[Mapping[str, Any]]]
    seed: int | None
    params: Mapping[str, Any] | None
    code: Mapping[str, Any] | None
    stages: Mapping[str, Mapping[str, Any]]
    environment: Mapping[str, Any] | None
    parent: Mapping[str, str | None] | None
    ancestors: Sequence[Mapping[str, str | None]]
    children: Sequence[Mapping[str, str | None]]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"schema_version": 1, **asdict(self)}


def require_format(form: str, batch: str | None) -> None:
    """Check how lineage is asked for.

    Raises:
        InputError: there is no such format, or not of a batch.
    """
    if form not in FORMATS:
        raise InputError(f"--format {form}: there is none such", f"One of {', '.join(FORMATS)}.")
    if batch is not None and form != "tree":
        raise InputError(f"--format {form}: of a version only", "Leave --batch out, or use --json.")


def lineage(wanted: str | None) -> Lineage:
    """Return what a version was made from.

    Raises:
        InputError: there is no such version.
        IntegrityError: its record was changed.
        UnreachableError: the registry can't be reached.
    """
    meant = origins.meant(wanted)
    origin = origins.known(meant)
    registered = everyone(meant.uri, meant.model)
    own = next((each for each in registered if each.version.digest == meant.digest), None)
    champion = champions.read()
    plan = json.loads(origin.plan) if origin else None
    ancestors = _ancestors(registered, own, origin)
    return Lineage(
        meant.model,
        meant.number,
        meant.digest,
        champion is not None and champion.digest == meant.digest,
        origin.source if origin else "the registry, which has no more than its batches",
        _decision(meant, own),
        _plan(plan, origin),
        _data(plan, own),
        _seed(origin),
        _params(origin),
        _code(origin),
        _stages(origin),
        origin.environment if origin else None,
        ancestors[0] if ancestors else None,
        ancestors[1:],
        _children(registered, meant.digest),
    )


def everyone(uri: str, model: str) -> list[Remembered]:
    """Return what the registry remembers of every version that this project registered."""
    known = [version for version in registry.versions(uri, model) if version.digest]
    return registry.remembered(uri, model, known)


def _decision(meant: Meant, own: Remembered | None) -> dict[str, Any] | None:
    """Return the gates' verdict as it was registered, with how many gates said what."""
    if own is None or meant.version is None:
        return None
    name = paths.GATE_REPORT.name
    report = registry.kept_file(meant.uri, meant.version, f"reports/{name}")
    if report is None:
        return {"verdict": own.tags.get("verdict"), "why": None, "gates": {}}
    gate = json.loads(report)
    said = [each["verdict"] for each in gate["gates"]]
    # what passes first; any other word as it comes
    words = sorted(set(said), key=lambda word: (word != "pass", word))
    counted = {word: said.count(word) for word in words}
    return {"verdict": gate["verdict"], "why": gate["why"], "gates": counted}


def _plan(plan: Mapping[str, Any] | None, origin: Origin | None) -> dict[str, Any] | None:
    if plan is None or origin is None:
        return None
    named = {key: plan.get(key) for key in ("action", "because", "split")}
    return {"sha256": _sha256(origin.plan), **named}


def _data(
    plan: Mapping[str, Any] | None, own: Remembered | None
) -> dict[str, Sequence[Mapping[str, Any]]]:
    found = plan["parts"] if plan else own.datasets if own else {}
    return {part: list(found[part]) for part in PARTS if part in found}


def _seed(origin: Origin | None) -> int | None:
    """Return the seed that the stages drew from, which is one parameter for all of them."""
    for entry in (origin.lock if origin else {}).values():
        if "seed" in entry.get("params", {}).get(paths.PARAMS.name, {}):
            return int(entry["params"][paths.PARAMS.name]["seed"])
    return None


def _params(origin: Origin | None) -> dict[str, Any] | None:
    """Return the parameters' digest, and every group that a stage read, as dvc.lock has it."""
    if origin is None:
        return None
    groups: dict[str, Any] = {}
    for entry in origin.lock.values():
        groups |= entry.get("params", {}).get(paths.PARAMS.name, {})
    return {"sha256": _sha256(origin.params), "groups": dict(sorted(groups.items()))}


def _code(origin: Origin | None) -> dict[str, Any] | None:
    if origin is None:
        return None
    return dict(origin.code) if origin.code else {"commit": origin.commit}


def _stages(origin: Origin | None) -> dict[str, dict[str, Any]]:
    """Return each stage's digest and outputs; register's own entry is of an earlier run."""
    lock = {
        name: entry for name, entry in (origin.lock if origin else {}).items() if "outs" in entry
    }
    return {
        name: {
            "digest": lockfile.digest_of(entry),
            "outs": {each["path"]: each.get("md5") for each in entry["outs"]},
        }
        for name, entry in lock.items()
    }


def _ancestors(
    everyone: Sequence[Remembered], own: Remembered | None, origin: Origin | None
) -> list[dict[str, str | None]]:
    """Return the champions that led to a version, nearest first: each is the one that the one
    before it in the list was compared with."""
    tagged = own.tags.get("champion") if own else None
    digest = tagged or (json.loads(origin.champion).get("digest") if origin else None)
    known = {each.version.digest: each for each in everyone}
    found: list[dict[str, str | None]] = []
    while digest is not None and digest not in {each["digest"] for each in found}:
        one = known.get(digest)
        found.append(_named(one, digest))
        digest = one.tags.get("champion") if one else None
    return found


def _children(everyone: Sequence[Remembered], digest: str) -> list[dict[str, str | None]]:
    """Return the versions that were compared with this one as champion."""
    mine = [each for each in everyone if each.tags.get("champion") == digest]
    return [_named(each, each.version.digest) for each in mine if each.version.digest != digest]


def _named(version: Remembered | None, digest: str | None) -> dict[str, str | None]:
    return {"version": version.version.version if version else None, "digest": digest}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
