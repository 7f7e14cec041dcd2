"""The command line: wiring. What a command does and how it looks is in `perennial.commands`."""

import sys

from perennial.cli import (  # noqa: F401  each registers its commands
    data,
    job,
    lineage,
    proofs,
    release,
    scoring,
    trust,
)
from perennial.cli.app import app

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line. `--debug` may stand anywhere."""
    rest = [argument for argument in sys.argv[1:] if argument != "--debug"]
    app(["--debug", *rest] if len(rest) < len(sys.argv) - 1 else rest)
