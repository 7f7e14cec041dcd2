"""The doctor on who is champion: champion.json, history, bundle, DVC's pointer, registry."""

import contextlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from perennial import paths
from perennial.adapters import bundles, dag, files, git, histories, registry
from perennial.adapters.bundles import champions
from perennial.adapters.bundles.champions import Champion
from perennial.adapters.files.configuration import read_params
from perennial.commands import aliases, earlier, entries, pending
from perennial.commands.ailments import Ailment
from perennial.core import succession
from perennial.core.ledger import hash_chain
from perennial.errors import IntegrityError

POINTER = Path(f"{paths.CHAMPION_BUNDLE}.dvc")


def champion_json() -> list[Ailment]:
    """champion.json can't be read; Git's is taken if the history ends with whom that names."""
    try:
        champions.read()
    except IntegrityError as error:
        text = next(git.past(paths.CHAMPION, most=1), None)
        if text is not None and _agrees(text):
            remedy = f"puts it back as Git has it, and it into {_aside(paths.CHAMPION)}"
            return [Ailment(error.faults[0], lambda: _put_back(paths.CHAMPION, text), remedy)]
        return [Ailment(error.faults[0], None, error.remedy)]
    return []


def _agrees(text: str) -> bool:
    """Return whether the history ends with the champion that a text of champion.json names."""
    try:
        known, content = histories.read(), json.loads(text)
        digest, end = (known[-1]["to"]["digest"], known[-1]["sha256"]) if known else (None, None)
        return content["digest"] == digest and content.get("history") in (None, end)
    except (IntegrityError, ValueError, KeyError, TypeError):
        return False


def chain() -> list[Ailment]:
    """A line of the history was edited, removed, put in or moved."""
    try:
        histories.read()
    except IntegrityError as error:
        mend = _restoring_history(_champion())
        done = f"puts it back as Git has it whole, and it into {_aside(paths.HISTORY)}"
        return [Ailment(what, mend, done if mend else error.remedy) for what in error.faults]
    return []


def end() -> list[Ailment]:
    """The history does not end with the champion that champion.json names."""
    champion, known = _champion(), _history()
    if known is None or pending.DECISION.exists() or _unreadable():
        return []
    faults = histories.end_faults(known, champion)
    if not faults:
        return []
    mend = _restoring_history(champion)
    if mend is not None:
        return [Ailment(faults[0], mend, "puts it back as Git has it whole")]
    cut = champion is not None and champion.history not in (None, *(e["sha256"] for e in known))
    if champion is None or cut or succession.promotion(known, champion.digest) is None:
        remedy = (
            f"Restore {paths.CHAMPION} and {paths.HISTORY} of one commit (`git checkout COMMIT "
            f"{paths.CHAMPION} {paths.HISTORY}`); where a project begins anew, move the history "
            "away."
        )
        return [Ailment(faults[0], None, remedy)]
    done = f"notes in the history that {paths.CHAMPION} was set to it by hand or by Git"
    return [Ailment(faults[0], lambda: _note(champion, known), done)]


def _note(champion: Champion, known: Sequence[Mapping[str, Any]]) -> None:
    """Add to the history that champion.json names another since; nothing of it is taken back."""
    if known[-1]["to"]["digest"] != champion.digest:
        promotion = succession.promotion(known, champion.digest)
        assert promotion is not None  # or there is nothing to mend with
        last = known[-1]["to"]
        before = replace(champion, version=last["version"], digest=last["digest"])
        after = {"version": champion.version, "digest": champion.digest}
        why = f"{paths.CHAMPION} names it: set by hand or by Git"
        made = entries.made("restore", before, after, promotion["objects"], champion.verdict, why)
        histories.append(hash_chain.seal(made, histories.head(known)))
    champions.write(replace(champion, history=histories.head(histories.read())))


def plan() -> list[Ailment]:
    """champion.json has another plan than its champion was promoted under."""
    champion, known = _champion(), _history()
    if known is None or champion is None:
        return []

    def mend() -> None:
        promotion = succession.promotion(known, champion.digest)
        assert promotion is not None  # or there would be no fault
        of_digest = [v for v in registry.versions(_uri(), champion.model) if _is(v, champion)]
        own = earlier.plan_of(promotion, _uri(), of_digest)
        champions.write(replace(champion, plan=own))

    faults = entries.plan_faults(known, champion)
    return [Ailment(what, mend, "puts its own back") for what in faults]


def bundle() -> list[Ailment]:
    """The champion's bundle is not here, or not whole."""
    champion = _champion()
    if champion is None:
        return []
    faults = bundles.faults(paths.CHAMPION_BUNDLE, champion.digest)
    done = "fetches it from DVC or the registry"
    return [Ailment(what, lambda: _fetch(champion), done) for what in faults]


def _fetch(champion: Champion) -> None:
    if bundles.is_whole(paths.CHAMPION_BUNDLE, champion.digest):
        return  # another of its faults was mended with this one
    with contextlib.suppress(IntegrityError):  # the registry may have it
        dag.fetch(paths.CHAMPION_BUNDLE)
    if bundles.is_whole(paths.CHAMPION_BUNDLE, champion.digest):
        return
    promotion = succession.promotion(_history() or [], champion.digest)
    known = [v for v in registry.versions(_uri(), champion.model) if _is(v, champion)]
    unknown = {"to": {"digest": champion.digest}, "objects": {"bundle": {"md5": None}}}
    try:
        found = earlier.fetched(promotion or unknown, champion.model, _uri(), known)
        pending.place(found, paths.CHAMPION_BUNDLE, champion.digest)
    finally:
        shutil.rmtree(earlier.FOLDER, ignore_errors=True)


def pointer() -> list[Ailment]:
    """DVC's pointer to the bundle is gone, or names other bytes."""
    champion = _champion()
    # while DVC's locks are broken, looking would mend them
    if champion is None or dag.broken():
        return []
    if not bundles.is_whole(paths.CHAMPION_BUNDLE, champion.digest):
        return []  # said above
    if dag.is_tracked(paths.CHAMPION_BUNDLE):
        return []
    what = f"{POINTER}: tracks other bytes than the champion's, or is missing"
    return [Ailment(what, lambda: dag.track(paths.CHAMPION_BUNDLE), "tracks the champion's")]


def moved_registry() -> list[Ailment]:
    """The project's folder was moved, and the registry's database names the old place."""
    uri = _uri()
    if not registry.is_moved(uri):
        return []
    what = f"{paths.REGISTRY}: its database names files where the project was before it was moved"
    return [Ailment(what, lambda: registry.follow(uri), "lets its paths follow the folder")]


def aliases_of() -> list[Ailment]:
    """The registry's aliases, and the version that champion.json names, against champion.json."""
    champion, known, shared = _champion(), _history(), read_params("registry").registry.uri
    uri = _uri()
    if champion is None or known is None or registry.is_moved(uri):
        return []
    if not registry.versions(uri, champion.model) and shared is None:
        return []  # as in every fresh clone: `perennial run` fills it
    where, done = f"registry: {champion.model}", "registers it from its bytes"
    version = registry.find_version(uri, champion.model, champion.digest)
    if version is None:
        what = f"{where}: has lost the champion, {champion.digest[:12]}"
        return [Ailment(what, lambda: aliases.point(champion), done)]
    wanted = aliases.others(uri, champion, version, known)
    wanted = {aliases.CHAMPION: version, **wanted}
    found = []
    for alias, should in wanted.items():
        now = registry.alias_version(uri, champion.model, alias)
        if now != should:
            what = f"{where}: alias `{alias}` names {_version(now)}, not {_version(should)}"
            found.append(Ailment(what, lambda: aliases.point(champion), "sets it"))
    if shared is not None and version != champion.version:
        what = f"{paths.CHAMPION}: says version {champion.version}, the registry {version}"
        right = replace(champion, version=version)
        found.append(Ailment(what, lambda: champions.write(right), "sets it"))
    return found


def _restoring_history(champion: Champion | None) -> Callable[[], None] | None:
    """Return what puts a history from Git back that ends with the champion; None if none does."""
    for text in git.past(paths.HISTORY):
        known, faults = hash_chain.read(text.encode())
        if faults or champion is None or histories.end_faults(known, champion):
            continue
        if _keeps(text):
            return partial(_put_back, paths.HISTORY, text)
    return None


def _keeps(text: str) -> bool:
    """Return whether nothing is lost by it: a history that is whole now goes on beyond it never."""
    now = _history()
    return now is None or len(now) <= len(text.splitlines())


def _put_back(path: Path, text: str) -> None:
    """Write what Git has, with what was there put aside: nothing is lost."""
    if path.is_file() and path.read_bytes() != text.encode():
        files.write_bytes(_aside(path), path.read_bytes())
    files.write_bytes(path, text.encode())


def _aside(path: Path) -> Path:
    return paths.STATE / f"{path.name}.broken"


def _champion() -> Champion | None:
    try:
        return champions.read()
    except IntegrityError:
        return None  # `champion_json` says so


def _unreadable() -> bool:
    try:
        champions.read()
    except IntegrityError:
        return True
    return False


def _history() -> list[dict[str, Any]] | None:
    try:
        return histories.read()
    except IntegrityError:
        return None  # `chain` says so


def _is(version: registry.Version, champion: Champion) -> bool:
    return version.digest == champion.digest


def _uri() -> str:
    return registry.resolve(read_params("registry").registry.uri)


def _version(version: str | None) -> str:
    return f"version {version}" if version else "no version"
