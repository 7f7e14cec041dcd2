"""The act: an earlier champion is put in charge again, once it is proven to still work."""

from collections.abc import Mapping, Sequence
from typing import Any

from perennial.adapters import histories, registry
from perennial.adapters.bundles import champions
from perennial.adapters.bundles.champions import Champion
from perennial.adapters.files.configuration import read_params
from perennial.commands import aliases, earlier, entries, pending, trust
from perennial.commands.earlier import Earlier
from perennial.commands.pending import Promotion
from perennial.core import succession
from perennial.core.dataset.plan import newest_period
from perennial.errors import InputError, IntegrityError

SHORTEST = 7  # characters of a digest that are taken for one
SEE = "`perennial history` shows who was champion."


def rollback(to: str | None = None, why: str | None = None) -> Promotion:
    """Put an earlier champion in charge; first finish what was left undone.

    A rollback that was killed is finished and not gone beyond: what it went to is returned.

    Args:
        to: A version that was champion, earlier or later than the present one, or its digest's
            first characters; None for the one before the present.
        why: What the history is to say of the reason.

    Raises:
        InputError: there is no such champion, or it doesn't take today's rows.
        IntegrityError: the history was tampered with, or the bytes can't be had as they were.
        UnreachableError: the registry can't be reached.
    """
    finished = pending.finish()
    champion = champions.read()
    if champion is None:
        raise InputError("nobody is champion, so there is nothing to roll back", SEE)
    known = histories.read()
    if faults := histories.end_faults(known, champion):
        raise IntegrityError(faults, f"Nothing was moved. {histories.REMEDY}")
    if finished is not None and finished.action == "rollback" and to is None:
        return finished
    uri = read_params("registry").registry.uri
    promotion = _wanted(to, known, champion, registry.resolve(uri))
    if promotion["to"]["digest"] == champion.digest:
        return finished or _same(champion)
    with earlier.tried(promotion, champion.model, registry.resolve(uri)) as found:
        _decide(found, champion, why, uri)
    done = pending.finish()
    assert done is not None  # it was just decided
    return done


def _wanted(
    to: str | None, known: Sequence[Mapping[str, Any]], champion: Champion, uri: str
) -> Mapping[str, Any]:
    """Return the promotion of the champion that is meant."""
    if to is None:
        digest = succession.before(known)
        if digest is None:
            raise InputError(
                f"version {champion.version} has no champion before it: it is the first",
                f"{SEE} `--to` names another one, also a later one.",
            )
    else:
        digest = _named(to, known, champion, uri)
    promotion = succession.promotion(known, digest)
    if promotion is None:
        raise InputError(f"{digest[:12]}: was never champion", SEE)
    return promotion


def _named(to: str, known: Sequence[Mapping[str, Any]], champion: Champion, uri: str) -> str:
    """Return the digest of what a person calls a version.

    A registry made anew counts from 1 again, so a number may mean one model to it and another to
    the history: then only a digest says which.
    """
    were = {entry["to"]["digest"] for entry in known}
    registered = {v.version: v.digest for v in registry.versions(uri, champion.model)}
    noted = {e["to"]["digest"] for e in known if e["to"]["version"] == to}
    if to in registered:
        digest = registered[to]
        if digest not in were:
            raise InputError(
                f"{champion.model} version {to} was never champion",
                f"Only what the gates let pass once can be rolled back to. {SEE}",
            )
        noted.add(digest)
    noted |= {d for d in were if len(to) >= SHORTEST and d.startswith(to.lower())}
    if len(noted) > 1:
        digests = ", ".join(sorted(d[:12] for d in noted))
        raise InputError(
            f"--to {to}: may mean any of {digests}: registry and history count differently",
            "Name it by its digest.",
        )
    if not noted:
        raise InputError(f"--to {to}: was never champion", f"A version or its digest. {SEE}")
    return str(noted.pop())


def _same(champion: Champion) -> Promotion:
    aliases.point(champion)
    same = {"version": champion.version, "digest": champion.digest}
    return Promotion(champion, same, False, "it is the champion already", "rollback")


def _decide(found: Earlier, champion: Champion, why: str | None, uri: str | None) -> None:
    promotion = found.promotion
    version = found.version or _registered_anew(found, promotion, registry.resolve(uri))
    trust.require_version(registry.resolve(uri), champion.model, version)
    after = {"version": version, "digest": found.digest}
    reason = why or "rolled back by hand"
    verdict = promotion["verdict"]
    entry = entries.made("rollback", champion, after, promotion["objects"], verdict, reason)
    attempts = [*champion.attempts, attempt(champion, found.newest)]
    earlier_champion = Champion(
        champion.model, version, found.digest, found.plan, verdict, entry["when"], attempts
    )
    pending.decide(earlier_champion, entry, uri, found.bundle)


def attempt(champion: Champion, newest: str) -> dict[str, Any]:
    """Return what the policy is to look back on: that this champion did not stand, and since when.

    It counts as an attempt on the newest batch, so that the cooldown begins now: the drift that
    made this champion is still there, and would ask for it again at once.
    """
    period = max(newest, newest_period(champion.plan))
    action = champion.plan["action"]
    return {"period": period, "action": action, "verdict": "rollback", "digest": champion.digest}


def _registered_anew(found: Earlier, promotion: Mapping[str, Any], uri: str) -> str:
    from perennial.commands.refill import refill

    verdict, when = promotion["verdict"], promotion["when"]
    lost = Champion(found.model, "", found.digest, found.plan, verdict, when, [])
    return refill(uri, lost, found.bundle)
