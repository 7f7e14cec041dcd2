"""promote: the act of putting the candidate in charge.

Each step does nothing where it is done already, and champion.json, which is the truth, is written
last: killed between any two, the same command finishes the work.
"""

import getpass
import hashlib
import shutil
from datetime import UTC, datetime
from typing import Any

from perennial import paths
from perennial.adapters import bundles, champions, dag, files, git
from perennial.adapters.champions import Champion
from perennial.adapters.configuration import read_params
from perennial.core.plan import newest_period
from perennial.errors import InputError, IntegrityError

RERUN = "Run `dvc repro` (or `perennial run`), which puts the candidate through the gates."


def verdict() -> str:
    """Return the verdict of the gate's report."""
    return str(files.read_json(paths.GATE_REPORT, RERUN)["verdict"])


def promote() -> Champion:
    """Make the candidate champion: bundle, alias, history, and last champion.json.

    Returns:
        The champion, who may have been it before.

    Raises:
        InputError: the verdict is not `promote`, or is about another candidate or champion.
        IntegrityError: report, bundle or registration is not what its digest says.
        UnreachableError: the registry can't be reached.
    """
    before = champions.read()
    gate, digest = _checked(before)
    if before is not None and before.digest == digest:
        return before
    registration = _registration(digest)
    _place_bundle(digest)
    _move_alias(registration)
    after = _champion(before, gate, registration)
    _append_history(before, after, gate)
    champions.write(after)
    return after


def _checked(champion: Champion | None) -> tuple[dict[str, Any], str]:
    """Return the gate's report and the candidate's digest, which go together."""
    gate = files.read_json(paths.GATE_REPORT, RERUN)
    # MD5 is what DVC records
    found = hashlib.md5(paths.GATE_REPORT.read_bytes(), usedforsecurity=False).hexdigest()
    if dag.recorded_md5(paths.GATE_REPORT) != found:
        raise IntegrityError(
            f"{paths.GATE_REPORT}: not what the gate wrote: dvc.lock has another digest",
            RERUN,
        )
    digest = bundles.digest(paths.CANDIDATE)
    if champion is not None and champion.digest == digest:
        return gate, digest
    if gate["candidate"] != digest:
        raise IntegrityError(
            f"{paths.CANDIDATE}: is {digest[:12]}, the gate judged {gate['candidate'][:12]}", RERUN
        )
    if gate["champion"] != (champion.digest if champion else None):
        raise InputError("the gate compared the candidate with another champion", RERUN)
    if gate["verdict"] != "promote":
        raise InputError(
            f"the verdict is {gate['verdict']}: {gate['why']}",
            "Nothing was promoted. Only a candidate with the verdict `promote` can be.",
        )
    return gate, digest


def _registration(digest: str) -> dict[str, Any]:
    registration = files.read_json(paths.REGISTRATION, RERUN)
    if registration["digest"] != digest:
        raise IntegrityError(f"{paths.REGISTRATION}: is about another candidate", RERUN)
    return registration


def _place_bundle(digest: str) -> None:
    """Copy the candidate's bundle to the champion's place, whole or not at all, and track it."""
    if not bundles.is_whole(paths.CHAMPION_BUNDLE, digest):
        bundles.read(paths.CANDIDATE, digest)  # checks every artefact
        beside = paths.CHAMPION_BUNDLE.with_name(".champion.new")
        shutil.rmtree(beside, ignore_errors=True)
        shutil.copytree(paths.CANDIDATE, beside)
        shutil.rmtree(paths.CHAMPION_BUNDLE, ignore_errors=True)
        beside.rename(paths.CHAMPION_BUNDLE)
    dag.track(paths.CHAMPION_BUNDLE)


def _move_alias(registration: dict[str, Any]) -> None:
    from perennial.adapters import registry

    uri = registry.resolve(read_params("registry").registry.uri)
    model, version = registration["model"], registration["version"]
    if registry.find_version(uri, model, registration["digest"]) != version:
        raise IntegrityError(
            f"the registry has no version {version} of {model} as registered", RERUN
        )
    if registry.alias_version(uri, model, "champion") != version:
        registry.set_alias(uri, model, "champion", version)


def _champion(
    before: Champion | None, gate: dict[str, Any], registration: dict[str, Any]
) -> Champion:
    plan = files.read_json(paths.PLAN, RERUN)
    attempt = {
        "period": newest_period(plan),
        "action": plan["action"],
        "verdict": gate["verdict"],
        "digest": registration["digest"],
    }
    return Champion(
        model=registration["model"],
        version=registration["version"],
        digest=registration["digest"],
        plan=plan,
        verdict=gate["verdict"],
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        attempts=[*(before.attempts if before else []), attempt],
    )


def _append_history(before: Champion | None, after: Champion, gate: dict[str, Any]) -> None:
    """Append who, when, from what to what, and why; once, however often this is run."""
    lines = paths.HISTORY.read_bytes() if paths.HISTORY.exists() else b""
    entry = {
        "when": after.when,
        "who": git.author() or getpass.getuser(),
        "from": {"version": before.version, "digest": before.digest} if before else None,
        "to": {"version": after.version, "digest": after.digest},
        "verdict": after.verdict,
        "why": gate["why"],
        "commit": git.commit(),
    }
    last = read_history()[-1:]
    if last and (last[0]["from"], last[0]["to"]) == (entry["from"], entry["to"]):
        return
    files.write_bytes(paths.HISTORY, lines + files.json_line(entry))


def read_history() -> list[dict[str, Any]]:
    """Return the history, oldest first.

    Raises:
        IntegrityError: a line can't be read.
    """
    return files.read_json_lines(paths.HISTORY)
