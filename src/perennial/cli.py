"""The command line: wiring. What a command does and how it looks is in `perennial.commands`."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from perennial.commands.answers import DEBUG, answering, complain, console, print_json

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
            from perennial.commands import rendering

            console().print(rendering.history(entries))


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


@app.command("prove-gates")
def prove_gates(
    quick: Annotated[
        bool, typer.Option("--quick", help="Draw few good candidates: minutes, not half an hour.")
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="A kind of plant; may be given repeatedly.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Plant bad candidates and good ones, and see which ones the gates stop.

    Example: perennial prove-gates --quick
    """
    with answering(as_json):
        from perennial.commands import rendering
        from perennial.commands.progress import counting
        from perennial.commands.prove import prove

        with counting(console(True), "planting") as progress:
            found = prove(quick, only or [], progress)
        if as_json:
            print_json(found.report)
        else:
            console().print(rendering.proof(found))
        if found.faults:
            complain(found.faults, "See reports/prove-gates.html; docs/how-gates-are-proven.md.")
        raise typer.Exit(1 if found.faults else 0)


@app.command("calibrate-drift")
def calibrate_drift(
    windows: Annotated[
        int | None, typer.Option(help="Null windows, over all sizes.", min=3)
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Few windows: a minute or two.")] = False,
    as_json: Json = False,
) -> None:
    """Measure drift's false alarms on your own data, and which changes it sees.

    Example: perennial calibrate-drift --quick
    """
    with answering(as_json):
        from perennial.commands import rendering
        from perennial.commands.calibrate import calibrate
        from perennial.commands.progress import counting

        with counting(console(True), "examining") as progress:
            found = calibrate(windows, quick, progress)
        if as_json:
            print_json(found.report)
        else:
            console().print(rendering.calibration(found))
        if found.faults:
            remedy = "Raise the thresholds: reports/calibrate-drift.html has those that would do."
            complain(found.faults, remedy)
        raise typer.Exit(1 if found.faults else 0)


@app.command()
def replay(
    policy: Annotated[
        list[str] | None,
        typer.Option(
            "--policy",
            help="never, scheduled(K), drift or always; may be given repeatedly. Writes no report.",
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", help="Start from the batches up to this period."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Never, drift and always only; short searches.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Let every past period arrive again, under each retraining policy.

    Example: perennial replay --policy never --policy drift
    """
    with answering(as_json):
        from perennial.commands import rendering
        from perennial.commands.progress import counting
        from perennial.commands.replay import replay as act

        with counting(console(True), "replaying") as progress:
            found = act(quick, policy or [], start, progress)
        if as_json:
            print_json(found.report)
        else:
            console().print(rendering.replay(found))


def main() -> None:
    """Run the command line. `--debug` may stand anywhere."""
    rest = [argument for argument in sys.argv[1:] if argument != "--debug"]
    app(["--debug", *rest] if len(rest) < len(sys.argv) - 1 else rest)


if __name__ == "__main__":
    main()
