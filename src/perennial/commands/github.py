"""What a step of GitHub Actions leaves for the next ones; nothing anywhere else."""

import os
from collections.abc import Mapping
from pathlib import Path

LIMIT = 1_000_000  # characters of a step's summary; GitHub refuses more than 1 MiB


def step_summary(page: str) -> None:
    """Show Markdown on the page of the run."""
    _append("GITHUB_STEP_SUMMARY", page[:LIMIT])


def output(values: Mapping[str, str | bool | None]) -> None:
    """Set outputs of the step; None becomes an empty one, True and False are lower case."""
    lines = []
    for name, value in values.items():
        text = str(value).lower() if isinstance(value, bool) else str(value or "")
        lines.append(f"{name}={' '.join(text.split())}\n")  # a line break would start another one
    _append("GITHUB_OUTPUT", "".join(lines))


def _append(variable: str, text: str) -> None:
    if path := os.environ.get(variable):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
