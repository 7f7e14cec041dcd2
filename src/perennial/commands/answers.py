"""How a command answers: what it raises becomes a message, a remedy and an exit code."""

import json
import os
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from perennial.errors import PerennialError

DEBUG = "PERENNIAL_DEBUG"


@contextmanager
def answering(as_json: bool) -> Iterator[None]:
    """Turn what a command raises into a message, a remedy and an exit code."""
    try:
        yield
    except (typer.Exit, typer.Abort):
        raise
    except KeyboardInterrupt:
        complain(["stopped"], "Run the same command again to go on from there.")
        raise typer.Exit(130) from None
    except Exception as raised:
        from perennial.commands.faults import explained

        if os.environ.get(DEBUG):
            traceback.print_exc()
        error = explained(raised)
        if as_json:
            print_json(_error(error))
        complain(error.faults, error.remedy)
        raise typer.Exit(error.exit_code) from None


def _error(error: "PerennialError") -> dict[str, Any]:
    code = error.exit_code
    return {"schema_version": 1, "exit_code": code, "faults": error.faults, "remedy": error.remedy}


def complain(faults: Any, remedy: str | None) -> None:
    """Say on stderr what is wrong and what to do about it, as it is: paths are not wrapped."""
    for line in [*faults, *([f"→ {remedy}"] if remedy else [])]:
        typer.echo(line, err=True)


def print_json(content: Mapping[str, Any]) -> None:
    """Print what a program is to read."""
    typer.echo(json.dumps(content, indent=2, ensure_ascii=False))


def console(quiet: bool = False) -> Any:
    """Return where to print for a person: stdout, or stderr if `quiet`."""
    from rich.console import Console

    console = Console(highlight=False, stderr=quiet)
    if not console.is_terminal:
        console.width = 120  # a file or a log has no width of its own
    return console
