"""The act: the candidate becomes champion.

It is decided once and written down; then each step can be done again. So a promotion that was
killed between two steps is finished by the next command, whatever has changed in the meantime, and
ends as if nothing had happened. champion.json, which is the truth, is written last.
"""

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from perennial import paths
from perennial.adapters import bundles, champions, dag, files, git, history, registry
from perennial.adapters.champions import Champion
from perennial.adapters.configuration import read_params
from perennial.commands.people import who
from perennial.core.plan import newest_period
from perennial.errors import InputError, IntegrityError

ALIAS = "champion"
PENDING = paths.STATE / "promotion"  # what was decided, until it is done
DECISION = PENDING / "decision.json"
BUNDLE = PENDING / "bundle"
AGAIN = "Run `perennial run` (or `dvc repro`), so that the candidate is judged as things are now."


@dataclass(frozen=True)
class Promotion:
    """What a promotion came to: who is champion now, and who was before."""

    champion: Champion
    before: Champion | None
    changed: bool
    why: str


def promote() -> Promotion:
    """Make the candidate champion, if the gate's verdict on just this candidate says so.

    Raises:
        BlockedError: the verdict is not `promote`.
        InputError: nothing was judged, or what was judged is no longer how things are.
        IntegrityError: a report, the candidate or the registry is not what was judged.
        UnreachableError: the registry can't be reached.
    """
    finished = finish()
    champion = champions.read()
    gate = files.read_json(paths.GATE_REPORT, f"Nothing has been judged yet. {AGAIN}")
    if champion is not None and champion.digest == bundles.digest(paths.CANDIDATE):
        return finished or _settled(champion)
    _check(gate, champion)
    _decide(gate, champion)
    promotion = finish()
    assert promotion is not None  # just decided
    return promotion


def finish() -> Promotion | None:
    """Carry out what was decided; None if nothing is left to be done.

    Raises:
        IntegrityError: what was decided on is damaged.
        UnreachableError: the registry can't be reached.
    """
    if not DECISION.exists():
        return None
    decision = files.read_json(DECISION, f"Remove {PENDING}. {AGAIN}")
    champion, entry = Champion(**decision["champion"]), decision["entry"]
    before = champions.read()
    now, known = before.digest if before else None, (entry["from"] or {}).get("digest")
    if now in (known, champion.digest):
        _place(champion.digest)
        dag.track(paths.CHAMPION_BUNDLE)
        uri = registry.resolve(decision["registry"])
        registry.set_alias(uri, champion.model, ALIAS, champion.version)
        history.append(entry)
        champions.write(champion)
        done = Promotion(champion, before, True, entry["why"])
    else:
        done = None  # somebody else was promoted since: what was decided then no longer holds
    DECISION.unlink()
    shutil.rmtree(PENDING)
    return done


def point_alias(champion: Champion) -> str | None:
    """Have the registry's alias point to the champion, where a registry that was emptied lost it.

    Returns:
        The version that the champion has in the registry; None if it is not there.
    """
    uri = registry.resolve(read_params("registry").registry.uri)
    version = registry.find_version(uri, champion.model, champion.digest)
    if version is not None:
        registry.set_alias(uri, champion.model, ALIAS, version)
    return version


def _settled(champion: Champion) -> Promotion:
    """Return that the candidate is champion already, the registry and champion.json at one."""
    version = point_alias(champion)
    if version is not None and version != champion.version:  # a registry that was made anew
        champion = replace(champion, version=version)
        champions.write(champion)
    return Promotion(champion, champion, False, "the candidate is the champion already")


def _check(gate: Mapping[str, Any], champion: Champion | None) -> None:
    """Refuse a candidate that was not judged fit, as it is and against who is champion now."""
    if gate.get("verdict") != "promote":
        raise dag.BlockedError(
            f"{paths.GATE_REPORT}: the verdict is {gate.get('verdict')}: {gate.get('why')}",
            "Nothing was promoted. Only a candidate that the gate lets pass becomes champion.",
        )
    for path in (paths.GATE_REPORT, paths.PLAN):
        found = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        if found != dag.md5_in_lock(path):
            raise IntegrityError(
                f"{path}: not what the stage wrote; dvc.lock has another digest",
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
    """Write down what is to be done; from here on it will be, whatever is killed."""
    params = read_params("registry")
    registered = _registered(params.registry.uri, params.registry.model, gate["candidate"])
    plan = files.read_json(paths.PLAN, AGAIN)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    attempt = {
        "period": newest_period({"parts": {p: plan["parts"]["holdout"] for p in plan["parts"]}}),
        "action": plan["action"],
        "verdict": gate["verdict"],
        "digest": gate["candidate"],
    }
    promoted = Champion(
        model=params.registry.model,
        version=registered,
        digest=gate["candidate"],
        plan=plan,
        verdict=gate["verdict"],
        when=now,
        attempts=[attempt],
    )
    entry = {
        "when": now,
        "who": who(),
        "action": "promote",
        "from": {"version": champion.version, "digest": champion.digest} if champion else None,
        "to": {"version": promoted.version, "digest": promoted.digest},
        "verdict": gate["verdict"],
        "why": gate["why"],
        "commit": git.commit(),
    }
    decision = {
        "schema_version": 1,
        "registry": params.registry.uri,
        "champion": asdict(promoted),
        "entry": entry,
    }
    _copy(paths.CANDIDATE, BUNDLE, gate["candidate"])
    files.write_bytes(DECISION, files.exact_json_bytes(decision))


def _registered(uri: str | None, model: str, digest: str) -> str:
    """Return the version under which the candidate is registered."""
    report = files.read_json(paths.REGISTRATION, f"The candidate is not registered. {AGAIN}")
    found = registry.find_version(registry.resolve(uri), model, digest)
    if report.get("digest") != digest or report.get("model") != model:
        raise InputError(f"{paths.REGISTRATION}: is not about this candidate", AGAIN)
    if found is None or found != report.get("version"):
        raise IntegrityError(
            f"registry: {model} version {report.get('version')} is not, or no longer whole, the "
            f"candidate {digest[:12]}",
            f"Nothing was promoted. {AGAIN}",
        )
    return found


def _place(digest: str) -> None:
    """Put the decided bundle to models/champion, unless it is there."""
    if not bundles.is_whole(paths.CHAMPION_BUNDLE, digest):
        _copy(BUNDLE, paths.CHAMPION_BUNDLE, digest)


def _copy(source: Path, target: Path, digest: str) -> None:
    """Copy a bundle of that digest, in place of what is there."""
    artefacts = bundles.read(source, digest)
    manifest = (source / bundles.MANIFEST).read_bytes()
    temporary = target.with_name(f".{target.name}.new")
    shutil.rmtree(temporary, ignore_errors=True)
    for name, content in {**artefacts, bundles.MANIFEST: manifest}.items():
        files.write_bytes(temporary / name, content)
    shutil.rmtree(target, ignore_errors=True)
    temporary.replace(target)


def _short(digest: str | None) -> str:
    return digest[:12] if digest else "nobody"
