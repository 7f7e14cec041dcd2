"""lineage --batch: from a batch to every version that has seen it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from perennial import paths
from perennial.adapters import files, registry
from perennial.adapters.bundles import champions
from perennial.adapters.files.configuration import read_params
from perennial.adapters.parquet.batches import PERIOD
from perennial.commands import origins
from perennial.commands.lineage import everyone
from perennial.core.dataset.plan import PARTS
from perennial.errors import InputError


@dataclass(frozen=True)
class Descent:
    """Every version that has seen a period: the parts it is in, where that is recorded, and whether
    its bytes are those that are here now (None where there are none). `sha256` is that of
    data/batches, `accepted` that of the batch with its labels."""

    period: str
    sha256: str | None
    accepted: str | None
    versions: Sequence[Mapping[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"schema_version": 1, **asdict(self)}


def descent(period: str) -> Descent:
    """Return every version that was trained, calibrated or held out on a period: those of the
    registry, and the champions that only Git has.

    Raises:
        InputError: it is no period, or no version has seen it and there is no such batch.
        UnreachableError: the registry can't be reached.
    """
    if PERIOD.fullmatch(period) is None:
        raise InputError(f"--batch {period}: not a period", "Name one as in data/batches.")
    here = {
        place: _digest(place / f"{period}.parquet") for place in (paths.BATCHES, paths.ACCEPTED)
    }
    champion = champions.read()
    versions = []
    for named, datasets in _known():
        refs = {part: ref for part, ref in _refs(datasets) if ref["period"] == period}
        if refs:
            sha256 = next(iter(refs.values()))["sha256"]
            same = sha256 in here.values() if any(here.values()) else None
            is_champion = champion is not None and champion.digest == named["digest"]
            seen = {"parts": list(refs), "sha256": sha256, "same": same}
            versions.append({**named, "champion": is_champion, **seen})
    if not versions and not any(here.values()):
        raise InputError(
            f"--batch {period}: no version has seen it, and there is no such batch",
            f"Name a period as in {paths.BATCHES}.",
        )
    return Descent(period, here[paths.BATCHES], here[paths.ACCEPTED], versions)


Datasets = Mapping[str, Sequence[Mapping[str, Any]]]


def _known() -> Iterator[tuple[dict[str, Any], Datasets]]:
    """Yield each version with the batches of its parts, once for a digest."""
    settings, known = read_params("registry").registry, set()
    for each in everyone(registry.resolve(settings.uri), settings.model):
        known.add(each.version.digest)
        version, digest = each.version.version, each.version.digest
        named = {"version": version, "digest": digest, "verdict": each.tags.get("verdict")}
        yield {**named, "source": "the registry"}, each.datasets
    for commit, champion in origins.champions_of_commits():
        if champion["digest"] not in known:
            known.add(champion["digest"])
            named = {name: champion.get(name) for name in ("version", "digest", "verdict")}
            yield {**named, "source": f"commit {commit[:12]}"}, champion["plan"].get("parts", {})


def _refs(datasets: Datasets) -> list[tuple[str, Mapping[str, Any]]]:
    return [(part, ref) for part in PARTS for ref in datasets.get(part, ())]


def _digest(path: Path) -> str | None:
    return files.sha256(path) if path.is_file() else None
