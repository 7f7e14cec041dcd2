"""What init would lose, and what of the old data it takes away."""

from pathlib import Path

from perennial import paths
from perennial.adapters import files, git, intake
from perennial.adapters.bundles import champions
from perennial.errors import IntegrityError

REMEDY = (
    "Commit or put away what is yours, or say --force; --dry-run shows what would be written. Git "
    "keeps what is committed."
)
# of the batches that Perennial ships with, by names and contents
SHIPPED = "8bcd6ca039ae0bed5f20e6f859caa71d004d66d63cb3d983ca0eac94cfa339a5"
TOUCHED = (
    paths.PARAMS,
    paths.CHAMPION,
    paths.HISTORY,
    paths.EXPECTATIONS,
    paths.BATCHES,
    paths.FORGOTTEN,
    Path("data/README.md"),
    Path("data/make_batches.py"),
    intake.NOTES,
    Path("dvc.lock"),
    Path("models/champion.dvc"),
    paths.CHAMPION_SIGNATURE,
    Path("docs/your-data.md"),
    Path("reports"),
)
OUTPUTS = (
    *(paths.ACCEPTED, paths.PLAN, paths.FEATURES, paths.SCORES, paths.SLICES, paths.ATTRIBUTIONS),
    *(paths.RECIPE, paths.CANDIDATE, paths.BASELINES, paths.ONNX, paths.CHAMPION_BUNDLE),
)
STATES = (paths.LAST_ACCEPTED, paths.STATUS, paths.TIMINGS, paths.REPLAY, paths.PROOF_SECONDS)
SHOWN = 10


def hindrances() -> list[str]:
    """Return what would be lost, a sentence each."""
    found = [*_champion(), *_batches()]
    if git.commit() is None:
        found.append("this is no Git repository with a commit, so nothing could be taken back")
    elif changed := list(git.changed(TOUCHED)):
        more = f" and {len(changed) - SHOWN:,} more" if len(changed) > SHOWN else ""
        found.append(f"changes that are not committed: {', '.join(changed[:SHOWN])}{more}")
    return found


def of_the_old_data() -> list[Path]:
    """Return what was made of the old data, as far as it is there."""
    reports = [p for p in _inside(Path("reports")) if p.name != ".gitignore"]
    champion = sorted(Path("models").glob("champion*"))
    others = [Path("data/make_batches.py"), paths.HISTORY, Path("dvc.lock")]
    found = [*_inside(paths.BATCHES), *reports, *champion, *others, *OUTPUTS, *STATES]
    return [path for path in dict.fromkeys(found) if path.exists()]


def _champion() -> list[str]:
    try:
        champion = champions.read()
    except IntegrityError as error:
        return [*error.faults]
    if champion is None:
        return []
    return [f"{champion.model} version {champion.version} is champion, and nobody would be"]


def _batches() -> list[str]:
    there = _inside(paths.BATCHES)
    if not there or digest(there) == SHIPPED:
        return []
    return [f"{paths.BATCHES}: batches that are not the ones that ship ({len(there):,} in all)"]


def digest(batches: list[Path]) -> str:
    """Return one digest of batches by their names and contents."""
    return files.digest_of(*(f"{path.name} {files.sha256(path)}" for path in sorted(batches)))


def _inside(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
