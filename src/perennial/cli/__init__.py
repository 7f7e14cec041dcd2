"""The command line: wiring. What a command does and how it looks is in `perennial.commands`."""

import sys

from perennial.cli import data, job, proofs, release  # noqa: F401  each registers its commands
from perennial.cli.app import app

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line. `--debug` may stand anywhere."""
    rest = [argument for argument in sys.argv[1:] if argument != "--debug"]
    app(["--debug", *rest] if len(rest) < len(sys.argv) - 1 else rest)
