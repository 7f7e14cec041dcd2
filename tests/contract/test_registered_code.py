"""The code that a registered model brings along is all that it imports of Perennial, no more."""

import ast
from pathlib import Path

from perennial.adapters.registry.packaging import SHIPPED

SOURCE = Path(__file__).parents[2] / "src/perennial"
START = "adapters/pyfunc_model.py"


def file_of(module: str) -> str | None:
    """Return the file of a module of ours, below the package; None if it is none."""
    place = SOURCE.parent / Path(*module.split("."))
    for file in (place.with_suffix(".py"), place / "__init__.py"):
        if file.is_file():
            return file.relative_to(SOURCE).as_posix()
    return None


def imported(file: str) -> set[str]:
    """Return the files that one imports as it is loaded, or in a function that is called."""
    found: set[str | None] = set()
    for node in ast.walk(ast.parse((SOURCE / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {file_of(each.name) for each in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {file_of(node.module)}
            found |= {file_of(f"{node.module}.{each.name}") for each in node.names}
    return {name for name in found if name}


def reached(start: str) -> set[str]:
    seen: set[str] = set()
    left = {start}
    while left:
        file = left.pop()
        seen.add(file)
        packages = {(Path(p) / "__init__.py").as_posix() for p in Path(file).parents}
        left |= (imported(file) | {p for p in packages if (SOURCE / p).is_file()}) - seen
    return seen


def test_a_registered_model_brings_just_the_code_that_it_imports() -> None:
    assert reached(START) - {START} == set(SHIPPED)


def test_what_is_imported_in_turn_is_reached() -> None:
    """So a file that the list lacks is found, as one was that only a group of params needs."""
    assert imported("params/__init__.py") >= {"params/engine.py"}
    assert "params/engine.py" in reached(START)
