"""What a run leaves, as far as it must be the same after a kill, and what is wrong with it."""

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

LOCK, CHAMPION, HISTORY = Path("dvc.lock"), Path("champion.json"), Path("history.jsonl")
OBJECTS = Path(".dvc/cache/files/md5")
# what carries times, ids or a machine's own paths; the registry is looked at by its own rules
VOLATILE = (
    ".git/",
    ".dvc/",
    ".perennial/logs/",
    ".perennial/matplotlib/",
    ".perennial/mlflow/",
    ".perennial/prefect/",
    ".perennial/run.lock",
    ".perennial/timings.json",
    ".perennial/status/",
    ".perennial/promotion/",
    ".perennial/validations/",
    "reports/data-docs/",
    "reports/registration.json",
    "src/",
    "tests/",
)
TIMED = (".perennial/validations", ".perennial/status", "reports/registration.json")  # whole JSON


@dataclass(frozen=True)
class State:
    """A project as it is: the digest of each file, DVC's entries, who is champion."""

    files: Mapping[str, str]
    stages: Mapping[str, str]
    champion: Mapping[str, Any]
    history: tuple[Mapping[str, Any], ...]
    versions: tuple[str | None, ...]
    alias: str | None
    trials: int


def look(folder: Path) -> State:
    """Return a project's state; what can't be read raises."""
    content = yaml.safe_load((folder / LOCK).read_text())["stages"]
    return State(
        files={name: digest(folder / name) for name in _names(folder)},
        stages={name: json.dumps(entry, sort_keys=True) for name, entry in content.items()},
        champion=_timeless(json.loads((folder / CHAMPION).read_text())),
        history=tuple(_timeless(entry) for entry in _history(folder)),
        versions=tuple(row[0] for row in _asked(folder, VERSIONS)),
        alias=next((str(row[0]) for row in _asked(folder, ALIAS)), None),
        trials=_trials(folder),
    )


def differences(found: State, expected: State) -> list[str]:
    """Return in what a project that is done differs from the one that nobody disturbed."""
    told = [
        f"{name}: {_how(found.files.get(name), expected.files.get(name))}"
        for name in sorted({*found.files, *expected.files})
        if found.files.get(name) != expected.files.get(name)
    ]
    told += [
        f"dvc.lock, {name}: another entry"
        for name in sorted({*found.stages, *expected.stages})
        if found.stages.get(name) != expected.stages.get(name)
    ]
    for name in ("champion", "history", "versions", "alias", "trials"):
        left, right = getattr(found, name), getattr(expected, name)
        if left != right:
            told.append(f"{name}: {left!r}, not {right!r}")
    return told


def wounds(folder: Path, known: Iterable[State]) -> list[str]:
    """Return what is wrong with a project right after a kill.

    Every file that has its name must be whole: one of those that an undisturbed run has at some
    time. Nothing may be there twice.
    """
    known = list(known)
    return [*_torn(folder, known), *_strange_entries(folder, known), *_twice(folder)]


def _torn(folder: Path, known: list[State]) -> Iterator[str]:
    for name in _names(folder):
        whole = {state.files[name] for state in known if name in state.files}
        if not _is_temporary(name) and digest(folder / name) not in whole:
            yield f"{name}: {'half a file' if whole else 'no file of an undisturbed run'}"
    for path in (p for place in TIMED for p in [folder / place, *(folder / place).rglob("*")]):
        if path.is_file() and path.suffix == ".json" and not path.name.startswith("."):
            try:
                json.loads(path.read_bytes())
            except ValueError as error:
                yield f"{path.relative_to(folder)}: {error}"
    for path in (folder / OBJECTS).rglob("*"):
        hashed = path.parent.name + path.name.partition(".")[0]
        if path.is_file() and len(hashed) == 32 and hashed != md5(path):
            yield f"{path.relative_to(folder)}: not what its name says"


def _strange_entries(folder: Path, known: list[State]) -> Iterator[str]:
    entries = {} if torn_lock(folder) else yaml.safe_load((folder / LOCK).read_text())["stages"]
    for name, entry in entries.items():
        if json.dumps(entry, sort_keys=True) not in {s.stages.get(name) for s in known}:
            yield f"dvc.lock, {name}: an entry that no undisturbed run has"


def _twice(folder: Path) -> Iterator[str]:
    for name in (CHAMPION, HISTORY):
        with contextlib.suppress(FileNotFoundError):
            try:
                [json.loads(line) for line in _json(folder / name)]
            except ValueError as error:
                yield f"{name}: {error}"
                return
    if len(_history(folder)) > 1:
        yield f"{HISTORY}: {len(_history(folder))} entries of one promotion"
    versions = [row[0] for row in _asked(folder, VERSIONS)]
    if len(versions) > 1:
        yield f"{len(versions)} registered versions of one candidate"


def _is_temporary(name: str) -> bool:
    """Return whether a file, or a folder that it is in, has no name of its own yet."""
    return any(part.startswith(".") for part in name.removeprefix(".perennial/").split("/"))


def torn_lock(folder: Path) -> bool:
    """Return whether DVC was killed while it wrote dvc.lock, which it does in place."""
    try:
        content = yaml.safe_load((folder / LOCK).read_text())
    except yaml.YAMLError:
        return True
    return not isinstance(content, dict) or not content.get("stages")


def leftovers(folder: Path) -> list[str]:
    """Return temporary files that nobody cleared away."""
    places = ("data", "models", "reports", ".perennial", "champion.json", "history.jsonl")
    found = [p.relative_to(folder).as_posix() for p in folder.rglob(".*.*") if p.is_file()]
    kept = (".git", ".dvc/", ".perennial/prefect/", ".perennial/logs/")
    return sorted(
        name
        for name in found
        if name.startswith((*places, ".champion", ".history"))
        and not name.startswith(kept)
        and Path(name).name not in (".gitignore", ".gitkeep")
        and not name.endswith(".tmp")  # empty, DVC's own, and ignored by Git
    )


VERSIONS = """SELECT t.value FROM model_versions v LEFT JOIN model_version_tags t
ON t.name = v.name AND t.version = v.version AND t."key" = 'digest' ORDER BY v.version"""
ALIAS = "SELECT version FROM registered_model_aliases WHERE alias = 'champion'"


def _asked(folder: Path, query: str) -> list[tuple[Any, ...]]:
    path = folder / ".perennial/mlflow/registry.db"
    if not path.exists():
        return []
    with contextlib.closing(sqlite3.connect(path)) as db:
        try:
            return db.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []


def _names(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        own = name in (LOCK.name, CHAMPION.name, HISTORY.name)
        own = own or "__pycache__" in path.parts  # Python's own, which it checks when it reads them
        if path.is_file() and not own and not name.startswith(VOLATILE):
            yield name


def _json(path: Path) -> list[str]:
    text = path.read_text()
    return text.splitlines() if path.name == HISTORY.name else [text]


def _history(folder: Path) -> list[dict[str, Any]]:
    path = folder / HISTORY
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _timeless(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an entry without when it was made, and what is derived from that."""
    timed = ("when", "previous", "sha256", "history")
    return {key: value for key, value in content.items() if key not in timed}


def _trials(folder: Path) -> int:
    path = folder / "reports/search/trials.csv"
    return len(path.read_text().splitlines()) - 1 if path.exists() else 0


def _how(left: str | None, right: str | None) -> str:
    return "missing" if left is None else "not there undisturbed" if right is None else "differs"


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()
