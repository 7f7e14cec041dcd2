"""Where a version comes from, what came of a batch, and a version derived again."""

from typing import Annotated

import typer

from perennial.cli.app import Json, app
from perennial.commands.answers import answering, complain, console, print_json

Version = Annotated[
    str | None,
    typer.Argument(help="A version, the start of a digest, or `champion`, which is the default."),
]


@app.command()
def lineage(
    version: Version = None,
    batch: Annotated[
        str | None, typer.Option("--batch", help="A period: every version that has seen it.")
    ] = None,
    form: Annotated[
        str, typer.Option("--format", help="tree, or prov: W3C PROV, as PROV-JSON.")
    ] = "tree",
    as_json: Json = False,
) -> None:
    """Show what a version was made from; or, of a batch, what was made from it.

    Example: perennial lineage 3
    """
    with answering(as_json):
        from perennial.commands import lineage as command

        command.require_format(form, batch)
        if batch is not None:
            from perennial.commands.descent import descent

            seen = descent(batch)
            if as_json:
                print_json(seen.to_json())
            else:
                from perennial.commands import rendering_lineage as rendering

                console().print(rendering.descent(seen))
            return
        found = command.lineage(version)
        if form == "prov":
            from perennial.commands.provenance import document

            typer.echo(document(found))
        elif as_json:
            print_json(found.to_json())
        else:
            from perennial.commands import rendering_lineage as rendering

            console().print(rendering.lineage(found))


@app.command()
def reproduce(
    version: Version = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the folder it is derived in, whatever comes out.")
    ] = False,
    remote: Annotated[
        str | None, typer.Option(help="DVC's remote for what its cache hasn't; else its default.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Derive a version again and compare every digest; exit 3 if one differs.

    Example: perennial reproduce 3
    """
    with answering(as_json):
        from perennial.commands import progress
        from perennial.commands import rendering_lineage as rendering
        from perennial.commands.reproduce import reproduce as act

        shown = console(as_json)
        with progress.showing(shown, "preparing") as listen:
            found = act(version, keep, remote, listen, lambda text: shown.print(text, markup=False))
        if as_json:
            print_json(found.to_json())
        else:
            console().print(rendering.reproduction(found))
        if found.first is not None:
            complain([found.first, f"likely cause: {found.cause}"], f"Look in {found.folder}.")
        raise typer.Exit(0 if found.equal else 3)
