"""The main job: run it, propose what came of it, look at it."""

from pathlib import Path
from typing import Annotated

import typer

from perennial.cli.app import Json, app
from perennial.commands.answers import answering, complain, console, print_json


@app.command()
def run(as_json: Json = False) -> None:
    """Run the DAG; promote the candidate if the gates say so.

    Example: perennial run
    """
    with answering(as_json):
        from perennial.commands import progress, rendering
        from perennial.commands.run import run as act

        with progress.showing(console(as_json)) as listen:
            found = act(listen)
        if as_json:
            print_json(found.to_json())
        else:
            console().print(rendering.summary(found))
        if found.exit_code != 0 and (found.verdict is None or found.exit_code != 1):
            complain(found.faults, found.remedy)
        raise typer.Exit(found.exit_code)


@app.command()
def retrain(
    remote: Annotated[
        str | None, typer.Option(help="DVC's remote to pull from and push to; else its default.")
    ] = None,
    branch: Annotated[str | None, typer.Option(help="Default: retrain/<newest period>.")] = None,
    push: Annotated[
        bool, typer.Option("--push", help="Push the bytes to DVC's remote, the branch to Git's.")
    ] = False,
    origin: Annotated[str, typer.Option(help="Git's remote.")] = "origin",
    request: Annotated[
        str, typer.Option(help="none: drift decides; retrain or retune: ask for it, once.")
    ] = "none",
    as_json: Json = False,
) -> None:
    """Run the DAG on what is new; propose a new champion as a branch.

    Example: perennial retrain --push
    """
    with answering(as_json):
        from perennial.commands import progress
        from perennial.commands import retrain as command

        wish = command.wish(remote, branch, push, origin, request)
        with progress.showing(console(as_json)) as listen:
            done = command.retrain(wish, listen)
        if as_json:
            print_json(done.to_json())
        else:
            typer.echo(Path(done.page).read_text("utf-8"))
        if done.faults:
            complain(done.faults, done.remedy)
        raise typer.Exit(done.exit_code)


@app.command()
def status(as_json: Json = False) -> None:
    """Show champion, plan, last verdicts and what is stale.

    Example: perennial status --json
    """
    with answering(as_json):
        from perennial.commands.status import status as look

        found = look()
        if as_json:
            print_json(found.to_json())
        else:
            from perennial.commands import rendering

            console().print(rendering.status(found))
