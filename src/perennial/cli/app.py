"""The application that every command is registered with, and the options of all of them."""

import os
from typing import Annotated

import typer

from perennial.commands.answers import DEBUG

app = typer.Typer(
    name="perennial",
    help="Tabular models that are validated, gated, registered and retrained by one DVC DAG.",
    epilog="Exit codes: 0 done, 1 blocked by a gate, 2 your input is wrong, 3 a digest differs, "
    "4 something can't be reached, 70 a fault of Perennial's own.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for a program.")]


@app.callback()
def options(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show tracebacks, and the log of a flow that failed.")
    ] = False,
) -> None:
    """Hold what goes for every command."""
    if debug:
        os.environ[DEBUG] = "1"
