"""What is in a folder, for the tests of files."""

from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"


def inside(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}
