"""The user's own data: a project made of them, and the rows that come later."""

from typing import Annotated

import typer

from perennial.cli.app import Json, app
from perennial.commands.answers import answering, console, print_json

Names = Annotated[str | None, typer.Option(help="Columns, with commas between.", metavar="A,B")]


@app.command()
def init(
    data: Annotated[
        str,
        typer.Option(help="CSV, Parquet, a folder of either, or a database's address."),
    ],
    target: Annotated[str, typer.Option(help="The column to predict; it has two values.")],
    positive: Annotated[
        str | None, typer.Option(help="The value of the positive class; else it is chosen.")
    ] = None,
    sensitive: Names = None,
    time: Annotated[str | None, typer.Option(help="When a row is of; else looked for.")] = None,
    no_time: Annotated[bool, typer.Option("--no-time", help="Rows have no time.")] = False,
    key: Annotated[
        str | None, typer.Option(help="Whom a row is about, where several are about one.")
    ] = None,
    drop: Names = None,
    query: Annotated[str | None, typer.Option(help="The rows of a database.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done; write nothing.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also where something of yours would be overwritten.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Turn this clone into a project for your own data.

    Example: perennial init --data loans.csv --target defaulted --sensitive age,sex
    """
    with answering(as_json):
        from perennial.commands import rendering_init
        from perennial.commands.init import init as act
        from perennial.core.profiling.wished import Wishes

        wishes = Wishes(
            target, positive, _names(sensitive), time, no_time, key or None, _names(drop)
        )
        made = act(data, query, wishes, dry_run, force)
        if as_json:
            print_json(rendering_init.to_json(made))
        else:
            console().print(rendering_init.report(made))


@app.command()
def add(
    data: Annotated[
        str, typer.Option(help="Later rows: CSV, Parquet, a folder of either, or a database.")
    ],
    period: Annotated[
        str | None, typer.Option(help="What they are of; else as files or their time says.")
    ] = None,
    query: Annotated[str | None, typer.Option(help="The rows of a database.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done; write nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make batches of later rows, like those that are there.

    Example: perennial add --data loans-2024-04.csv
    """
    with answering(as_json):
        from perennial.commands import rendering_init
        from perennial.commands.add import add as act

        added = act(data, query, period, dry_run)
        if as_json:
            print_json(added.to_json())
        else:
            console().print(rendering_init.added(added))


def _names(given: str | None) -> tuple[str, ...]:
    """Return names given with commas between; quotes keep a comma that is part of one."""
    import csv

    if not given:
        return ()
    return tuple(dict.fromkeys(n.strip() for n in next(csv.reader([given])) if n.strip()))
