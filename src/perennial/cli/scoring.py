"""Rows without labels: what the champion says of them."""

from pathlib import Path
from typing import Annotated

import typer

from perennial.cli.app import Json, app
from perennial.commands.answers import answering, console, print_json


@app.command()
def score(
    source: Annotated[
        Path, typer.Option("--in", help="Parquet or CSV (.gz, .bz2, .zst), or a folder of them.")
    ],
    target: Annotated[
        Path, typer.Option("--out", help="A file of either kind; a folder for a folder.")
    ],
    version: Annotated[
        str | None, typer.Option(help="A registered version; the champion without it.")
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            help="Columns that go along: all (default), inputs (the model's own), none, or a name; "
            "may be given repeatedly."
        ),
    ] = None,
    reasons: Annotated[
        int, typer.Option(help="So many features with the largest SHAP values, each row.", min=0)
    ] = 0,
    rows: Annotated[
        int | None, typer.Option(help="Rows at once; the result does not depend on it.", min=1)
    ] = None,
    as_json: Json = False,
) -> None:
    """Score rows: probability, decision and, if asked for, reasons.

    Example: perennial score --in calls.parquet --out scores.parquet --reasons 3
    """
    with answering(as_json):
        from perennial.commands.progress import counting
        from perennial.commands.score import Wish
        from perennial.commands.score import score as act

        wish = Wish(source, target, version, tuple(keep or ["all"]), reasons, rows)
        with counting(console(True), "scoring") as tell:
            found = act(wish, tell)
        if as_json:
            print_json(found.to_json())
        else:
            from perennial.commands import rendering_scoring

            console().print(rendering_scoring.scored(found))
