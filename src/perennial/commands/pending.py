"""A promotion that was decided: written down whole, then carried out.

Each step can be done again. So a promotion that was killed between two steps is finished by the
next command, whatever has changed in the meantime, and ends as if nothing had happened.
champion.json, which is the truth, is written last.
"""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from perennial import paths
from perennial.adapters import bundles, champions, dag, files, registry
from perennial.adapters.champions import Champion
from perennial.commands import trust

ALIAS = "champion"
FOLDER = paths.STATE / "promotion"
DECISION = FOLDER / "decision.json"
BUNDLE = FOLDER / "bundle"


@dataclass(frozen=True)
class Promotion:
    """What a promotion came to: who is champion now, and who was before (version and digest)."""

    champion: Champion
    before: Mapping[str, str] | None
    changed: bool
    why: str

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, without the plan."""
        champion = {key: getattr(self.champion, key) for key in ("model", "version", "digest")}
        rest = {"before": self.before, "changed": self.changed, "why": self.why}
        return {"schema_version": 1, "champion": champion, **rest}


def decide(champion: Champion, entry: Mapping[str, Any], uri: str | None) -> None:
    """Write down who becomes champion, with a copy of the candidate; from here on it will be done.

    Args:
        champion: What champion.json is to say.
        entry: What the history is to say; its `from` is who is champion until then.
        uri: `registry.uri` of params.yaml.
    """
    _copy(paths.CANDIDATE, BUNDLE, champion.digest)
    decision = {"champion": asdict(champion), "entry": dict(entry), "registry": uri}
    files.write_bytes(DECISION, files.exact_json_bytes({"schema_version": 1, **decision}))


def finish() -> Promotion | None:
    """Carry out what was decided; None if nothing is left to be done.

    Raises:
        IntegrityError: what was decided on is damaged.
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
        if not bundles.is_whole(paths.CHAMPION_BUNDLE, champion.digest):
            _copy(BUNDLE, paths.CHAMPION_BUNDLE, champion.digest)
        dag.track(paths.CHAMPION_BUNDLE)
        uri = registry.resolve(decision["registry"])
        registry.set_alias(uri, champion.model, ALIAS, champion.version)
        trust.keep_signature(uri, champion)
        _append(entry)
        champions.write(champion)
        done = Promotion(champion, before, True, entry["why"])
    DECISION.unlink()
    shutil.rmtree(FOLDER)
    return done


def _append(entry: Mapping[str, Any]) -> None:
    """Add to the history, unless it is its last entry already."""
    known = files.read_json_lines(paths.HISTORY)
    if known[-1:] != [entry]:
        before = paths.HISTORY.read_bytes() if known else b""
        # the file anew, by rename: a kill leaves no half line at its end
        files.write_bytes(paths.HISTORY, before + files.json_line(entry))


def _copy(source: Path, target: Path, digest: str) -> None:
    """Copy a bundle of that digest, in place of what is at `target`."""
    artefacts = bundles.read(source, digest)
    artefacts[bundles.MANIFEST] = (source / bundles.MANIFEST).read_bytes()
    temporary = target.with_name(f".{target.name}.new")
    shutil.rmtree(temporary, ignore_errors=True)
    for name, content in artefacts.items():
        files.write_bytes(temporary / name, content)
    shutil.rmtree(target, ignore_errors=True)
    temporary.replace(target)
