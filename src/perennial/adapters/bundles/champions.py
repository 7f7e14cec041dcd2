"""champion.json: who is in charge. It lives in Git, so Git keeps its history."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from perennial import names, paths
from perennial.adapters import files
from perennial.errors import IntegrityError

REMEDY = "Restore champion.json from Git (`git checkout champion.json`), then run again."
KEYS = {"schema_version", "model", "version", "digest", "plan", "verdict", "when", "attempts"}
OPTIONAL = {"history"}  # the file of a fresh clone has none


@dataclass(frozen=True)
class Champion:
    """The model in production: its registered version, its bundle's digest and its plan.

    `verdict` is the gate's that promoted it, `when` in UTC; `attempts` lists what challenged it,
    as `{"period", "action", "verdict", "digest"}`; `history` is the digest of the entry of
    history.jsonl that put it in charge.
    """

    model: str
    version: str
    digest: str
    plan: Mapping[str, Any]
    verdict: str
    when: str
    attempts: Sequence[Mapping[str, Any]]
    history: str | None = None


def read(path: Path = paths.CHAMPION) -> Champion | None:
    """Return the champion, or None where the file says that nobody is.

    Raises:
        IntegrityError: the file is missing, torn or names a champion in part. That is not the
            same as nobody: nothing may be promoted past a champion that can't be read.
    """
    try:
        content = files.read_json(path, REMEDY)
    except Exception as error:
        raise IntegrityError(f"{path}: can't tell who is champion: {error}", REMEDY) from error
    if odd := sorted((set(content) - OPTIONAL) ^ KEYS):
        raise IntegrityError(f"{path}: keys missing or unknown: {', '.join(odd)}", REMEDY)
    named = {k: content[k] for k in ("version", "digest", "plan", "verdict", "when")}
    if all(value is None for value in named.values()):
        return None
    absent = sorted(k for k, value in named.items() if value is None)
    if absent:
        raise IntegrityError(f"{path}: names a champion without {', '.join(absent)}", REMEDY)
    rest: Any = {k: content.get(k) for k in ("model", "attempts", *OPTIONAL)}
    champion = Champion(**named, **rest)
    texts = [champion.model, champion.version, champion.digest, champion.verdict, champion.when]
    texts += [] if champion.history is None else [champion.history]
    sound = all(isinstance(text, str) and text for text in texts)
    sound = sound and names.WORD.fullmatch(champion.model) is not None
    if not (sound and isinstance(champion.plan, dict) and isinstance(champion.attempts, list)):
        raise IntegrityError(f"{path}: a value is of a wrong type or empty", REMEDY)
    return champion


def write(champion: Champion, path: Path = paths.CHAMPION) -> None:
    """Write who is champion, whole or not at all."""
    # exact floats: the plan must come back byte for byte, or everything below it is stale
    content = {"schema_version": 1, **asdict(champion)}
    files.write_bytes(path, files.exact_json_bytes(content))
