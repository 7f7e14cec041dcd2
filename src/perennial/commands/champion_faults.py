"""Plants in the champion: it is missing, corrupted, or of another schema. Each must end in exit 3,
never in "nobody is champion"."""

import contextlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from perennial import paths
from perennial.adapters import bundles
from perennial.adapters.bundles.champions import Champion
from perennial.commands import proving
from perennial.core.model.candidate import Candidate, to_artefacts
from perennial.errors import PerennialError
from perennial.stages import incumbent


def planted(kinds: Sequence[str]) -> list[dict[str, Any]]:
    """Plant faults in a champion of each population; return their lines of the report."""
    return [
        _planted(population, kind, FAULTS[kind])
        for population in proving.POPULATIONS
        for kind in kinds
    ]


def _planted(population: str, kind: str, spoil: Callable[[Path], None]) -> dict[str, Any]:
    sound = proving.base(population).case.candidate
    model = _renamed(sound) if kind == "champion_of_another_schema" else sound
    code, control = (
        _exit_code(population, champion, fault)
        for champion, fault in ((model, spoil), (sound, _leave))
    )
    return {
        "population": population,
        "kind": kind,
        "expected_gate": "champion",
        "stopped_by": [f"exit {code}"] if code else [],
        "stopped": code == 3,
        "control": "fail" if control else "pass",
    }


def _renamed(model: Candidate) -> Candidate:
    """Return a model of other raw columns."""
    columns = {
        name: feature.model_copy(update={"source": f"{feature.source}_renamed"})
        for name, feature in model.spec.columns.items()
    }
    return replace(model, spec=replace(model.spec, columns=columns))


def _exit_code(population: str, model: Candidate, spoil: Callable[[Path], None]) -> int:
    """Return what the gate would exit with if this were the champion, spoilt so; 0 if it works."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        digest = bundles.write(paths.CHAMPION_BUNDLE, to_artefacts(model))
        champion = Champion("model", "1", digest, {}, "promote", "2026-01-01", [])
        spoil(paths.CHAMPION_BUNDLE)
        try:
            incumbent.score(incumbent.load(champion), proving.base(population).case.raw)
        except PerennialError as error:
            return error.exit_code
    return 0


def _remove(bundle: Path) -> None:
    for file in bundle.iterdir():
        file.unlink()


def _flip(bundle: Path) -> None:
    file = max(bundle.iterdir(), key=lambda path: path.stat().st_size)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def _leave(bundle: Path) -> None:
    """Do nothing: the fault is in the model itself."""


FAULTS = {
    "champion_is_missing": _remove,
    "champion_is_corrupted": _flip,
    "champion_of_another_schema": _leave,
}
