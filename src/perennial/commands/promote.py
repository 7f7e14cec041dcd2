"""The act: the candidate becomes champion, if the gate says so of just this candidate."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from perennial import paths
from perennial.adapters import bundles, dag, files, histories, registry
from perennial.adapters.bundles import champions
from perennial.adapters.bundles.champions import Champion
from perennial.adapters.files.configuration import read_params
from perennial.commands import aliases, attempts, entries, pending, trust
from perennial.commands.pending import Promotion
from perennial.commands.summary import optional
from perennial.core import succession
from perennial.errors import InputError, IntegrityError

AGAIN = "Run `perennial run` (or `dvc repro`), so that the candidate is judged as things are now."


def promote() -> Promotion:
    """Make the candidate champion; first finish what an earlier promotion left undone.

    Raises:
        BlockedError: the verdict is not `promote`.
        InputError: nothing was judged, or what was judged is no longer how things are.
        IntegrityError: a report, the candidate or the registry is not what was judged.
        UnreachableError: the registry can't be reached.
    """
    finished = pending.finish()
    champion = champions.read()
    gate = files.read_json(paths.GATE_REPORT, f"Nothing has been judged yet. {AGAIN}")
    if champion is not None and champion.digest == bundles.digest(paths.CANDIDATE):
        return finished or _settle(champion)
    _check(gate, champion)
    if faults := histories.end_faults(histories.read(), champion):
        raise IntegrityError(faults, f"Nothing was promoted. {histories.REMEDY}")
    _decide(gate, champion)
    promotion = pending.finish()
    assert promotion is not None  # it was just decided
    return promotion


def declined() -> str | None:
    """Return why nobody but a person is to promote the candidate; None if nothing is against it.

    Whom a person moved away from would be promoted again by the same data, if a scheduled request
    or a colleague's run makes it once more.

    Raises:
        IntegrityError: the history was tampered with.
    """
    digest = optional(paths.GATE_REPORT).get("candidate")
    entry = succession.moved_away_from(histories.read()).get(str(digest))
    if entry is None:
        return None
    return (
        f"candidate {_short(digest)} was champion until {entry['who']} moved away from it on "
        f"{entry['when']} ({entry['why']}); `perennial promote` puts it back by hand"
    )


def _settle(champion: Champion) -> Promotion:
    """Bring the registry and champion.json to one on the champion's version."""
    version = aliases.point(champion)
    if version != champion.version:
        champion = replace(champion, version=version)
        champions.write(champion)
    same = {"version": champion.version, "digest": champion.digest}
    return Promotion(champion, same, False, "the candidate is the champion already")


def _check(gate: Mapping[str, Any], champion: Champion | None) -> None:
    """Refuse a candidate that was not judged fit, just as it is and against who is champion now."""
    if gate.get("verdict") != "promote":
        raise dag.BlockedError(
            f"{paths.GATE_REPORT}: the verdict is {gate.get('verdict')}: {gate.get('why')}",
            "Nothing was promoted: only a candidate with the verdict `promote` becomes champion.",
        )
    for path in (paths.GATE_REPORT, paths.PLAN):
        found = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        if found != dag.md5_in_lock(path):
            raise IntegrityError(
                f"{path}: not as its stage left it; dvc.lock has another digest",
                f"Nothing was promoted. {AGAIN}",
            )
    if faults := bundles.faults(paths.CANDIDATE, gate["candidate"]):
        raise IntegrityError(faults, f"It is not what was judged; nothing was promoted. {AGAIN}")
    compared, now = gate["champion"], champion.digest if champion else None
    if compared != now:
        raise InputError(
            f"the candidate was compared with {_short(compared)}, but champion is {_short(now)}",
            f"Nothing was promoted. {AGAIN}",
        )


def _decide(gate: Mapping[str, Any], champion: Champion | None) -> None:
    params = read_params("registry")
    digest, verdict = gate["candidate"], gate["verdict"]
    version = _registered(params.registry.uri, params.registry.model, digest)
    trust.require_version(registry.resolve(params.registry.uri), params.registry.model, version)
    plan = files.read_json(paths.PLAN, AGAIN)
    objects = {
        "plan": {"sha256": entries.plan_digest(plan), "md5": dag.md5_in_lock(paths.PLAN)},
        "bundle": {"md5": dag.md5_in_lock(paths.CANDIDATE)},
    }
    after = {"version": version, "digest": digest}
    entry = entries.made("promote", champion, after, objects, verdict, gate["why"])
    tried = [*(champion.attempts if champion else []), attempts.describe(gate, plan)]
    model = params.registry.model
    promoted = Champion(model, version, digest, plan, verdict, entry["when"], tried)
    pending.decide(promoted, entry, params.registry.uri)


def _registered(uri: str | None, model: str, digest: str) -> str:
    """Return the version under which the candidate is registered."""
    report = files.read_json(paths.REGISTRATION, f"The candidate is not registered. {AGAIN}")
    if (report.get("digest"), report.get("model")) != (digest, model):
        raise InputError(f"{paths.REGISTRATION}: is about another candidate or model", AGAIN)
    found = registry.find_version(registry.resolve(uri), model, digest)
    if found is None or found != report.get("version"):
        raise IntegrityError(
            f"registry: {model} version {report.get('version')} is gone, or is not candidate "
            f"{digest[:12]}",
            f"Nothing was promoted. {AGAIN}",
        )
    return found


def _short(digest: str | None) -> str:
    return digest[:12] if digest else "nobody"
