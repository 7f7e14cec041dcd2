"""Who is in charge: promote, roll back, look back, put right, check every digest."""

from typing import Annotated

import typer

from perennial.cli.app import Json, app
from perennial.commands.answers import answering, console, print_json


@app.command()
def promote(as_json: Json = False) -> None:
    """Make the candidate champion, if the gate says so.

    Example: dvc repro && perennial promote
    """
    with answering(as_json):
        from perennial.adapters import runlock
        from perennial.commands import rendering
        from perennial.commands.promote import promote as act

        with runlock.alone():
            done = act()
        if as_json:
            print_json(done.to_json())
        else:
            console().print(rendering.promotion(done))


@app.command()
def rollback(
    to: Annotated[
        str | None,
        typer.Option(help="A version that was champion, or its digest; else the one before."),
    ] = None,
    why: Annotated[str | None, typer.Option(help="What the history is to say of it.")] = None,
    as_json: Json = False,
) -> None:
    """Put an earlier champion in charge again, once it is proven to work.

    Example: perennial rollback --to 3 --why "complaints since Monday"
    """
    with answering(as_json):
        from perennial.adapters import runlock
        from perennial.commands import rendering
        from perennial.commands.rollback import rollback as act

        with runlock.alone():
            done = act(to, why)
        if as_json:
            print_json(done.to_json())
        else:
            console().print(rendering.promotion(done))


@app.command()
def history(as_json: Json = False) -> None:
    """Show who is champion, since when and why, newest first.

    Example: perennial history
    """
    with answering(as_json):
        from perennial.commands.history import history as look

        entries = look()
        if as_json:
            print_json({"schema_version": 1, "history": entries})
        else:
            from perennial.commands import rendering_release

            console().print(rendering_release.history(entries))


@app.command()
def verify(
    version: Annotated[str | None, typer.Argument(help="A version; everything without it.")] = None,
    as_json: Json = False,
) -> None:
    """Check every digest: of a version, or of everything.

    Example: perennial verify 3
    """
    with answering(as_json):
        from perennial.commands.verify import verify as act

        found = act(version)
        if as_json:
            print_json(found.to_json())
        else:
            from perennial.commands import rendering

            console().print(rendering.verification(found))
        raise typer.Exit(3 if found.faults else 0)


@app.command()
def doctor(
    check: Annotated[bool, typer.Option("--check", help="Only say; change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Find what disagrees on who is champion, or a kill has left; put it right.

    Example: perennial doctor --check
    """
    with answering(as_json):
        from perennial.commands.doctor import doctor as act

        found = act(check)
        if as_json:
            print_json(found.to_json())
        else:
            from perennial.commands import rendering_release

            console().print(rendering_release.diagnosis(found))
        raise typer.Exit(found.exit_code)


@app.command()
def shadow(
    version: Annotated[
        str | None, typer.Argument(help="The version; without it, who is shadow.")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Have no shadow.")] = False,
    as_json: Json = False,
) -> None:
    """Name the version that is to be served beside the champion, unseen.

    Example: perennial shadow 4
    """
    with answering(as_json):
        from perennial.commands.shadow import shadow as act

        found = act(version, clear)
        if as_json:
            print_json(found)
        else:
            named = f"version {found['shadow']}" if found["shadow"] else "none"
            console().print(f"shadow: {named}")
