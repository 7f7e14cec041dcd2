"""The act: the candidate becomes champion, if the gate says so of just this candidate."""

import getpass
import hashlib
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from perennial import paths
from perennial.adapters import bundles, champions, dag, files, git, registry
from perennial.adapters.champions import Champion
from perennial.adapters.configuration import read_params
from perennial.commands import attempts, pending, trust
from perennial.commands.pending import ALIAS, Promotion
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
    _decide(gate, champion)
    promotion = pending.finish()
    assert promotion is not None  # it was just decided
    return promotion


def point_alias(champion: Champion) -> str:
    """Have the registry hold the champion, which one made anew has lost, and its alias point to it.

    Returns:
        The version that the champion has in the registry.

    Raises:
        IntegrityError: the registry has lost it, and its bytes are not to be had.
        UnreachableError: the registry can't be reached.
    """
    uri = registry.resolve(read_params("registry").registry.uri)
    version = registry.find_version(uri, champion.model, champion.digest)
    if version is None:
        from perennial.commands.refill import refill

        version = refill(uri, champion)
    registry.set_alias(uri, champion.model, ALIAS, version)
    return version


def _settle(champion: Champion) -> Promotion:
    """Bring the registry and champion.json to one on the champion's version."""
    version = point_alias(champion)
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
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    entry = {
        "when": now,
        "who": git.author() or _account(),
        "action": "promote",
        "from": {"version": champion.version, "digest": champion.digest} if champion else None,
        "to": {"version": version, "digest": digest},
        "verdict": verdict,
        "why": gate["why"],
        "commit": git.commit(),
    }
    tried = [*(champion.attempts if champion else []), attempts.describe(gate, plan)]
    model = params.registry.model
    promoted = Champion(model, version, digest, plan, verdict, when=now, attempts=tried)
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


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in a container
        return f"user {os.getuid()}"


def _short(digest: str | None) -> str:
    return digest[:12] if digest else "nobody"
