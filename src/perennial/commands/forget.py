"""forget: somebody's rows out of the batches by a new data version, and all that was made of them.

The log is written before the batch, so a run that was killed is finished by the same command, and
what can't be removed from here (Git's history, remotes, models) is said.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any

from perennial import paths
from perennial.adapters import dag, files, forgotten, registry
from perennial.adapters.bundles import champions
from perennial.adapters.files.configuration import read_params
from perennial.adapters.parquet import batches
from perennial.commands.summary import optional
from perennial.core.ledger import forgetting
from perennial.errors import InputError, for_each

if TYPE_CHECKING:
    from perennial.params import Params

MODELS = Path("models")
# kept by content or for a person to read; all is made again
MADE_OF_ROWS = (
    paths.VALIDATIONS,
    paths.JOINED,
    paths.DERIVED,
    paths.LOGS,
    paths.REPLAY,
    paths.DATA_DOCS,
)
SHOW_ROWS = ("reports/validation.json", "reports/shap")  # of a version's run
REMAINS = (
    "Git's history has the batches as they were committed: commit the new ones, then rewrite the "
    "history (`git filter-repo --path data/batches --invert-paths` and add them again), here and "
    "wherever it was pushed",
    "DVC's remotes have what was pushed: `dvc gc --workspace --cloud` after the next run, once no "
    "other commit needs it",
    "the models above have learned from these rows: delete those versions when a new champion is "
    "there",
    "copies elsewhere, such as backups, clones and what a server of Prefect or MLflow keeps",
)


@dataclass(frozen=True)
class Forgotten:
    """What was taken out, and what had been made of it.

    Attributes:
        batches: Each batch that was replaced: `period`, `rows` taken out and `left`.
        versions: Each version that was made of these batches: `version`, `digest`, `parts`.
        champion: Whether the champion is one of them, and of which parts; None if it is not.
        remains: What only its owner can remove.
        unknown: How many keys no row has.
    """

    batches: list[dict[str, Any]]
    versions: list[dict[str, Any]]
    champion: dict[str, Any] | None
    remains: list[str] = field(default_factory=list)
    unknown: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"schema_version": 1, **asdict(self)}


@dataclass(frozen=True)
class _Replaced:
    """A file and what is left of it; `table` is None where no row is."""

    path: Path
    table: Any
    rows: int
    found: frozenset[str]


def forget(keys: Collection[str]) -> Forgotten:
    """Take the rows of these keys out of all batches and labels, and remove what was made of them.

    Args:
        keys: As text.

    Raises:
        InputError: no column says whose a row is, a file can't be read, or no row has any key.
        IntegrityError: the log, or who is champion, can't be read.
        UnreachableError: the registry can't be reached; nothing was changed.
    """
    params = read_params()
    column = params.data.subject or params.split.key
    if column is None:
        raise InputError(
            f"{paths.PARAMS}: data.subject: null, so nothing says whose a row is",
            "Name the column there.",
        )
    wanted = {key for key in keys if key}
    replaced = list(_replaced(params, column, wanted))
    if not replaced and not paths.FORGETTING.exists():
        raise InputError(
            f"no batch has a row whose {column} is one of the {len(wanted)} keys",
            "Write the key as the batches have it. Nothing was changed.",
        )
    periods = [item.path.stem for item in replaced if item.path.parent == paths.BATCHES]
    found = _report(params, periods, replaced, wanted)
    files.write_json(paths.FORGETTING, {"unfinished": True})
    # labels first: which of them are meant is known by the batch's rows
    for item in sorted(replaced, key=lambda item: item.path.parent == paths.BATCHES):
        _replace(params, item)
    away = _purge(params, found)
    report = Forgotten(
        found.batches, found.versions, found.champion, [*away, *REMAINS], found.unknown
    )
    files.write_json(paths.FORGOTTEN_REPORT, report.to_json())
    paths.FORGETTING.unlink()
    return report


def _replaced(params: "Params", column: str, wanted: Collection[str]) -> Iterator[_Replaced]:
    """Yield each file that has rows of the keys, and what is left without them."""
    labels = params.data.labels
    ours: dict[str, set[str]] = {}

    def look(path: Path, by: str, keys: Collection[str]) -> _Replaced | None:
        from perennial.core.dataset.features import text_of

        kept, gone = batches.taking_out(path, by, keys)
        if not len(gone):
            return None
        if labels is not None and labels.key in gone.column_names:
            ours[path.stem] = set(text_of(gone[labels.key].to_pandas()).dropna())
        found = frozenset(text_of(gone[by].to_pandas()))
        return _Replaced(path, kept if len(kept) else None, len(gone), found)

    found = for_each(lambda b: look(b.path, column, wanted), batches.find(paths.BATCHES))
    yield from (item for item in found if item is not None)
    if labels is None:
        return
    for path in sorted(Path(labels.folder).glob("*.parquet")):
        keys = {*ours.get(path.stem, ()), *(wanted if labels.key == column else ())}
        if keys and (item := look(path, labels.key, keys)):
            yield item


def _replace(params: "Params", item: _Replaced) -> None:
    """Write what is left, the log's line first."""
    if item.path.parent == paths.BATCHES:
        _log(params, item)
    if item.table is None:
        item.path.unlink()
    else:
        batches.write_table(item.path, item.table)


def _log(params: "Params", item: _Replaced) -> None:
    period, new = item.path.stem, None
    if item.table is not None:
        draft = paths.STATE / "forgetting.parquet"
        batches.write_table(draft, item.table)
        new = files.sha256(draft)
        draft.unlink()
    accepted = paths.ACCEPTED / f"{period}.parquet"
    old = {files.sha256(path) for path in (item.path, accepted) if path.is_file()}
    if not accepted.is_file() and (params.data.pii or params.data.labels):
        # what was accepted of it is not here, nor the batch's own bytes
        old |= {
            ref["sha256"] for plan in _plans() for ref in _refs(plan) if ref["period"] == period
        }
    line = forgetting.entry(period, old, new, item.rows)
    last = next((e for e in reversed(forgotten.read()) if e["period"] == period), None)
    if last is None or last["to"] != new or not old <= set(last["from"]):
        forgotten.append(line)


def _plans() -> list[Any]:
    champion = champions.read()
    return [plan for plan in (champion and champion.plan, optional(paths.PLAN)) if plan]


def _refs(plan: Any) -> list[Any]:
    return [ref for refs in plan["parts"].values() for ref in refs]


def _report(
    params: "Params", periods: Sequence[str], replaced: Sequence[_Replaced], wanted: Collection[str]
) -> Forgotten:
    """Return what is to be taken out, and what was made of the batches that have it."""
    uri, model = registry.resolve(params.registry.uri), params.registry.model
    versions = []
    for known in registry.remembered(uri, model, registry.versions(uri, model)):
        if parts := forgetting.known_in({"parts": known.datasets}, periods):
            version = {"version": known.version.version, "digest": known.version.digest}
            versions.append({**version, "parts": sorted(parts)})
    champion = champions.read()
    parts = forgetting.known_in(champion.plan, periods) if champion else []
    named = {"version": champion.version, "parts": sorted(parts)} if champion and parts else None
    changed = [
        {"period": i.path.stem, "rows": i.rows, "left": 0 if i.table is None else len(i.table)}
        for i in replaced
        if i.path.parent == paths.BATCHES
    ]
    met = set().union(*(i.found for i in replaced if i.path.parent == paths.BATCHES))
    return Forgotten(changed, versions, named, unknown=len(set(wanted) - met))


def _purge(params: "Params", found: Forgotten) -> list[str]:
    """Remove what was made of rows; return what of the registry only its owner can remove."""
    dag.purge(MODELS)
    for folder in MADE_OF_ROWS:
        rmtree(folder, ignore_errors=True)
    uri = registry.resolve(params.registry.uri)
    numbers = {item["version"] for item in found.versions}
    return [
        f"the registry's {place}"
        for version in registry.versions(uri, params.registry.model)
        if version.version in numbers or not found.batches
        for place in registry.drop(uri, params.registry.model, version, SHOW_ROWS)
    ]
