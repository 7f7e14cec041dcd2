"""Trust and privacy: who signed what, and how somebody's rows are taken out."""

from pathlib import Path
from typing import Annotated

import typer

from perennial.cli.app import Json, app
from perennial.commands.answers import answering, complain, console, print_json


@app.command()
def forget(
    key: Annotated[list[str] | None, typer.Option(help="Whose rows; may be repeated.")] = None,
    keys_from: Annotated[
        Path | None, typer.Option(help="A file with one key a line, which no history shows.")
    ] = None,
    retrain: Annotated[bool, typer.Option("--run/--no-run", help="Run the DAG afterwards.")] = True,
    as_json: Json = False,
) -> None:
    """Take somebody's rows out of the batches and what was made of them; train without.

    Example: perennial forget --key 4711
    """
    with answering(as_json):
        from perennial.adapters import runlock
        from perennial.commands import progress, rendering, rendering_privacy
        from perennial.commands.forget import forget as act
        from perennial.commands.run import run

        with runlock.alone():
            done = act(rendering_privacy.keys(key or [], keys_from))
        if as_json:
            print_json(done.to_json())
        else:
            console().print(rendering_privacy.forgotten(done))
        if not retrain:
            return
        with progress.showing(console(as_json)) as listen:
            found = run(listen)
        if not as_json:
            console().print(rendering.summary(found))
        if found.exit_code != 0:
            complain(found.faults, found.remedy)
        raise typer.Exit(found.exit_code)


@app.command()
def keygen(
    file: Annotated[Path, typer.Argument(help="A new file for the private key.")],
) -> None:
    """Make a key to sign versions with; prints its public key for params.yaml.

    Example: perennial keygen ~/perennial-signing.pem
    """
    with answering(as_json=False):
        from perennial.commands.trust import keygen as act

        public = act(file)
        typer.echo(f"registry:\n  public_keys: [{public}]")
        typer.echo(f"Sign with PERENNIAL_SIGNING_KEY={file}; keep it out of Git.", err=True)


@app.command()
def sign(
    version: Annotated[str, typer.Argument(help="A registered version.")], as_json: Json = False
) -> None:
    """Sign a version with the key of PERENNIAL_SIGNING_KEY, once it is verified.

    Example: PERENNIAL_SIGNING_KEY=key.pem perennial sign 3
    """
    with answering(as_json):
        from perennial.commands.trust import sign as act

        digest = act(version)
        if as_json:
            print_json({"schema_version": 1, "version": version, "digest": digest})
        else:
            typer.echo(f"version {version}, {digest[:12]}: signed")
