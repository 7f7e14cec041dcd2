"""score: probabilities, decisions and reasons for the rows of files, in bounded memory.

A file is written whole or not at all. What is finished is noted in `.perennial/scored`, so that
scoring a folder that was killed goes on from there.
"""

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from perennial import paths
from perennial.adapters import bundles, files, registry, runlock, tables
from perennial.adapters.bundles import champions
from perennial.adapters.engine import devices
from perennial.adapters.files.configuration import read_params
from perennial.commands import scoring, trust
from perennial.commands.scoring import Job
from perennial.core import scoring as core
from perennial.core.dataset import features
from perennial.core.model import boosting, calibration, candidate, decision, linear
from perennial.core.model.candidate import Candidate, from_artefacts
from perennial.core.scoring import Tally, Wanted
from perennial.errors import InputError, for_each
from perennial.stages import incumbent

SCORED = paths.STATE / "scored"
CELLS = 1 << 21  # of a piece: about 16 MB a copy, and a piece is in memory some ten times
ROWS = 1 << 16
CODE = (core, features, boosting, calibration, candidate, decision, linear)

Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Wish:
    """What is asked for.

    Attributes:
        source: A file or a folder.
        target: Where to.
        version: A registered version; None for the champion.
        keep: `all`, `inputs`, `none`, or names of columns.
        reasons: How many features are named for each row.
        rows: How many rows at once; None for what suits their width.
    """

    source: Path
    target: Path
    version: str | None = None
    keep: tuple[str, ...] = ("all",)
    reasons: int = 0
    rows: int | None = None


@dataclass
class Scored:
    """What was scored."""

    model: str
    version: str
    digest: str
    seconds: float = 0.0
    files: list[dict[str, Any]] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        new = sum(file["rows"] for file in self.files if not file["known"])
        rows = self.tally.rows
        return {
            "schema_version": 1,
            "model": {"name": self.model, "version": self.version, "digest": self.digest},
            "rows": rows,
            "seconds": self.seconds,
            "rows_per_second": new / self.seconds if self.seconds and new else None,
            "positive_share": self.tally.positive / rows if rows else None,
            "handled": self.tally.handled,
            "files": self.files,
        }


def score(wish: Wish, tell: Tell) -> Scored:
    """Score files by the champion, or by another registered version.

    Args:
        wish: What is asked for.
        tell: Is told how many of how many bytes are done.

    Raises:
        InputError: nobody is champion, there is no such version, or whatever is wrong with the
            files; all faults at once.
        IntegrityError: the model's digest is not the one it is registered under.
        UnreachableError: the registry can't be reached, or another process writes the same output.
    """
    start = time.perf_counter()
    name, version, digest, model = _model(wish.version)
    wanted = core.wanted(model)
    if wish.reasons > len(model.spec.columns):
        raise InputError(
            f"--reasons {wish.reasons}: the model has {len(model.spec.columns)} features",
            "Ask for fewer.",
        )
    jobs = scoring.jobs(wish.source, wish.target, wish.keep, wanted, wish.reasons)
    sizes = [job.source.path.stat().st_size for job in jobs]
    scored = Scored(name, version, digest)
    done = 0
    key = _key(digest, wish)

    def one(numbered: tuple[int, Job]) -> None:
        nonlocal done
        number, job = numbered

        def at(share: float) -> None:
            tell(done + int(share * sizes[number]), sum(sizes))

        with runlock.alone(_note(job).with_suffix(".lock")):
            found = _known(job, key)
            note = found or _file(job, model, wanted, wish, at)
            if found is None:
                _remember(job, key, note)
        at(1.0)
        done += sizes[number]
        scored.tally.add(note["rows"], note["positive"], note["handled"])
        shown = {"in": str(job.source.path), "out": str(job.target), "rows": note["rows"]}
        scored.files.append({**shown, "known": found is not None})

    for_each(one, enumerate(jobs))
    scored.seconds = time.perf_counter() - start
    return scored


def _model(version: str | None) -> tuple[str, str, str, Candidate]:
    """Return a model's name, version and digest, and itself, every artefact checked."""
    if version is None:
        champion = champions.read()
        if champion is None:
            raise InputError(
                "nobody is champion yet, so there is nobody to score with",
                "Run `perennial run`, or name a registered version by --version.",
            )
        return champion.model, champion.version, champion.digest, incumbent.load(champion)
    params = read_params("registry").registry
    uri = registry.resolve(params.uri)
    digest = next(
        (v.digest for v in registry.versions(uri, params.model) if v.version == version), None
    )
    trust.require_version(uri, params.model, version)
    with tempfile.TemporaryDirectory(prefix="perennial-score-") as folder:
        bundle = registry.download(uri, params.model, version, Path(folder) / "bundle")
        if digest is None:
            raise InputError(
                f"{params.model} version {version}: is registered without a digest",
                "It can't be checked, so it isn't loaded. Name another version.",
            )
        return params.model, version, digest, from_artefacts(bundles.read(bundle, digest))


def _file(
    job: Job,
    model: Candidate,
    wanted: Mapping[str, Wanted],
    wish: Wish,
    tell: Callable[[float], None],
) -> dict[str, Any]:
    """Score one file and return what was counted."""
    source, tally = job.source, Tally()
    columns = {
        name: tables.Column(asked.is_number, asked.sentinels, asked.levels)
        for name, asked in wanted.items()
    }
    names = [name for name in source.schema.names if name in {*columns, *job.keep}]
    rows = wish.rows or max(256, min(ROWS, CELLS // len(names)))
    cells = tables.Cells(source.path)
    from_text = source.kind == "csv"
    schema = _schema(job, wish.reasons)
    files.remove_unfinished(job.target)
    with tables.writer(job.target, schema, _delimiter(source)) as write:
        for piece in tables.pieces(source, names, rows, cells, tell):
            raw, bad = tables.to_frame(piece, columns, from_text)
            for name, where in bad.items():
                cells.no_number(name, where, piece, tally.rows)
            found, handled = core.score(model, raw, wish.reasons)
            tally.add(piece.num_rows, int(found["decision"].sum()), handled)
            write(tables.extended(piece.select(job.keep), found))
        cells.require_none()
    return asdict(tally)


def _delimiter(source: tables.Source) -> str:
    """Return what parts the fields of a CSV file made of this one: the same, but for tabs."""
    return "," if source.delimiter == "\t" else source.delimiter


def _schema(job: Job, reasons: int) -> Any:
    """Return the columns of what is written."""
    import pyarrow as pa

    kinds = {"probability": pa.float64(), "decision": pa.int64()}
    added = [
        (name, kinds.get(name) or (pa.float64() if name.endswith("_shap") else pa.string()))
        for name in core.columns_of(reasons)
    ]
    return pa.schema(
        [
            *(job.source.schema.field(name) for name in job.keep),
            *(pa.field(*pair) for pair in added),
        ]
    )


def _key(digest: str, wish: Wish) -> str:
    """Return the digest of all that an output depends on besides its input."""
    return files.digest_of(
        digest,
        {"keep": sorted(wish.keep), "reasons": wish.reasons},
        *(files.sha256(Path(str(module.__file__))) for module in CODE),
        f"{devices.wheel()[1]} {metadata.version('pyarrow')}",
    )


def _note(job: Job) -> Path:
    return SCORED / f"{files.digest_of(str(job.target.resolve()))}.json"


def _known(job: Job, key: str) -> dict[str, Any] | None:
    """Return what was counted when this very output was made of this very input, if it was."""
    try:
        note = files.read_json(_note(job), "")
        same = note["key"] == [key, _stamp(job.source.path), _stamp(job.target)]
        return note["counted"] if same else None
    except (InputError, KeyError, FileNotFoundError):  # never scored, or its output is gone
        return None


def _remember(job: Job, key: str, counted: Mapping[str, Any]) -> None:
    stamps = [key, _stamp(job.source.path), _stamp(job.target)]
    files.write_json(_note(job), {"schema_version": 1, "key": stamps, "counted": counted})


def _stamp(path: Path) -> str:
    """Return what changes when a file does; to read it would cost as much as to score it."""
    found = path.stat()
    return f"{path.resolve()} {found.st_ino} {found.st_size} {found.st_mtime_ns}"
