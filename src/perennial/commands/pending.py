"""A change of champion that was decided, promotion or rollback: written down, then carried out.

Each step can be done again. So one that was killed between two steps is finished by the next
command, whatever has changed in the meantime, and ends as if nothing had happened.
champion.json, which is the truth, is written last.
"""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from perennial import paths
from perennial.adapters import bundles, dag, files, histories, registry
from perennial.adapters.bundles import champions
from perennial.adapters.bundles.champions import Champion
from perennial.commands import aliases, trust
from perennial.core.ledger import hash_chain

FOLDER = paths.STATE / "promotion"
DECISION = FOLDER / "decision.json"
BUNDLE = FOLDER / "bundle"


@dataclass(frozen=True)
class Promotion:
    """What a promotion or rollback came to: who is champion now, and who was before (version and
    digest)."""

    champion: Champion
    before: Mapping[str, str] | None
    changed: bool
    why: str
    action: str = "promote"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, without the plan."""
        champion = {key: getattr(self.champion, key) for key in ("model", "version", "digest")}
        rest = {name: getattr(self, name) for name in ("before", "changed", "why", "action")}
        return {"schema_version": 1, "champion": champion, **rest}


def decide(
    champion: Champion, entry: Mapping[str, Any], uri: str | None, bundle: Path = paths.CANDIDATE
) -> None:
    """Write down who becomes champion, with a copy of its bundle; from here on it will be done.

    Args:
        champion: What champion.json is to say, but for its `history`.
        entry: What the history is to say, not sealed; its `from` is who is champion until then.
        uri: `registry.uri` of params.yaml.
        bundle: Where its bundle is.

    Raises:
        IntegrityError: the history was tampered with, or the bundle is damaged.
    """
    sealed = hash_chain.seal(entry, histories.head(histories.read()))
    place(bundle, BUNDLE, champion.digest)
    decided = asdict(replace(champion, history=sealed["sha256"]))
    decision = {"champion": decided, "entry": sealed, "registry": uri}
    files.write_bytes(DECISION, files.exact_json_bytes({"schema_version": 1, **decision}))


def finish() -> Promotion | None:
    """Carry out what was decided; None if nothing is left to be done.

    Raises:
        IntegrityError: what was decided on is damaged, or the history was tampered with.
        UnreachableError: the registry can't be reached.
    """
    if not DECISION.exists():  # what else is there was never decided, or is done
        shutil.rmtree(FOLDER, ignore_errors=True)
        return None
    decision = files.read_json(DECISION, f"Remove {FOLDER}, then run `perennial run`.")
    champion, entry = Champion(**decision["champion"]), decision["entry"]
    now = champions.read()
    digest, before = now.digest if now else None, entry["from"]
    done = None
    # if it is neither, somebody else was promoted since, and what was decided no longer holds
    if digest in (before["digest"] if before else None, champion.digest):
        histories.is_last(entry)  # or the next: before anything is moved
        if not bundles.is_whole(paths.CHAMPION_BUNDLE, champion.digest):
            place(BUNDLE, paths.CHAMPION_BUNDLE, champion.digest)
        dag.track(paths.CHAMPION_BUNDLE)
        uri = registry.resolve(decision["registry"])
        aliases.settle(uri, champion, champion.version, [*histories.read(), entry])
        trust.keep_signature(uri, champion)
        histories.append(entry)
        champions.write(champion)
        done = Promotion(champion, before, True, entry["why"], entry["action"])
    DECISION.unlink()
    shutil.rmtree(FOLDER)
    return done


def place(source: Path, target: Path, digest: str) -> None:
    """Copy a bundle of that digest, in place of what is at `target`.

    Raises:
        IntegrityError: what is at `source` is not that.
    """
    artefacts = bundles.read(source, digest)
    artefacts[bundles.MANIFEST] = (source / bundles.MANIFEST).read_bytes()
    temporary = target.with_name(f".{target.name}.new")
    shutil.rmtree(temporary, ignore_errors=True)
    for name, content in artefacts.items():
        files.write_bytes(temporary / name, content)
    shutil.rmtree(target, ignore_errors=True)
    temporary.replace(target)
