"""The command line: wiring. What a command does and how it looks is in `perennial.commands`."""

import json
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from perennial.errors import PerennialError

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
DEBUG = "PERENNIAL_DEBUG"


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
    with _answering(as_json):
        from perennial.commands import progress, rendering
        from perennial.commands.run import run as act

        with progress.showing(_console(as_json)) as listen:
            found = act(listen)
        if as_json:
            _print_json(found.to_json())
        else:
            _console().print(rendering.summary(found))
        if found.exit_code != 0 and (found.verdict is None or found.exit_code != 1):
            _complain(found.faults, found.remedy)
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
    with _answering(as_json):
        from perennial.commands import progress
        from perennial.commands import retrain as command

        wish = command.wish(remote, branch, push, origin, request)
        with progress.showing(_console(as_json)) as listen:
            done = command.retrain(wish, listen)
        if as_json:
            _print_json(done.to_json())
        else:
            typer.echo(Path(done.page).read_text("utf-8"))
        if done.faults:
            _complain(done.faults, done.remedy)
        raise typer.Exit(done.exit_code)


@app.command()
def status(as_json: Json = False) -> None:
    """Show champion, plan, last verdicts and what is stale.

    Example: perennial status --json
    """
    with _answering(as_json):
        from perennial.commands.status import status as look

        found = look()
        if as_json:
            _print_json(found.to_json())
        else:
            from perennial.commands import rendering

            _console().print(rendering.status(found))


@app.command()
def promote(as_json: Json = False) -> None:
    """Make the candidate champion, if the gate says so.

    Example: dvc repro && perennial promote
    """
    with _answering(as_json):
        from perennial.adapters import runlock
        from perennial.commands import rendering
        from perennial.commands.promote import promote as act

        with runlock.alone():
            done = act()
        if as_json:
            _print_json(done.to_json())
        else:
            _console().print(rendering.promotion(done))


@app.command()
def history(as_json: Json = False) -> None:
    """Show who is champion, since when and why, newest first.

    Example: perennial history
    """
    with _answering(as_json):
        from perennial.commands.history import history as look

        entries = look()
        if as_json:
            _print_json({"schema_version": 1, "history": entries})
        else:
            from perennial.commands import rendering

            _console().print(rendering.history(entries))


@app.command()
def verify(
    version: Annotated[str | None, typer.Argument(help="A version; everything without it.")] = None,
    as_json: Json = False,
) -> None:
    """Check every digest: of a version, or of everything.

    Example: perennial verify 3
    """
    with _answering(as_json):
        from perennial.commands.verify import verify as act

        found = act(version)
        if as_json:
            _print_json(found.to_json())
        else:
            from perennial.commands import rendering

            _console().print(rendering.verification(found))
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
    with _answering(as_json):
        from perennial.commands import rendering
        from perennial.commands.progress import counting
        from perennial.commands.prove import prove

        with counting(_console(True), "planting") as progress:
            found = prove(quick, only or [], progress)
        if as_json:
            _print_json(found.report)
        else:
            _console().print(rendering.proof(found))
        if found.faults:
            _complain(found.faults, "See reports/prove-gates.html; docs/how-gates-are-proven.md.")
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
    with _answering(as_json):
        from perennial.commands import rendering
        from perennial.commands.calibrate import calibrate
        from perennial.commands.progress import counting

        with counting(_console(True), "examining") as progress:
            found = calibrate(windows, quick, progress)
        if as_json:
            _print_json(found.report)
        else:
            _console().print(rendering.calibration(found))
        if found.faults:
            remedy = "Raise the thresholds: reports/calibrate-drift.html has those that would do."
            _complain(found.faults, remedy)
        raise typer.Exit(1 if found.faults else 0)


@contextmanager
def _answering(as_json: bool) -> Iterator[None]:
    """Turn what a command raises into a message, a remedy and an exit code."""
    try:
        yield
    except (typer.Exit, typer.Abort):
        raise
    except KeyboardInterrupt:
        _complain(["stopped"], "Run the same command again to go on from there.")
        raise typer.Exit(130) from None
    except Exception as raised:
        from perennial.commands.faults import explained

        if os.environ.get(DEBUG):
            traceback.print_exc()
        error = explained(raised)
        if as_json:
            _print_json(_error(error))
        _complain(error.faults, error.remedy)
        raise typer.Exit(error.exit_code) from None


def _error(error: "PerennialError") -> dict[str, Any]:
    code = error.exit_code
    return {"schema_version": 1, "exit_code": code, "faults": error.faults, "remedy": error.remedy}


def _complain(faults: Any, remedy: str | None) -> None:
    """Say on stderr what is wrong and what to do about it, as it is: paths are not wrapped."""
    for line in [*faults, *([f"→ {remedy}"] if remedy else [])]:
        typer.echo(line, err=True)


def _print_json(content: Mapping[str, Any]) -> None:
    typer.echo(json.dumps(content, indent=2, ensure_ascii=False))


def _console(quiet: bool = False) -> Any:
    from rich.console import Console

    console = Console(highlight=False, stderr=quiet)
    if not console.is_terminal:
        console.width = 120  # a file or a log has no width of its own
    return console


def main() -> None:
    """Run the command line. `--debug` may stand anywhere."""
    rest = [argument for argument in sys.argv[1:] if argument != "--debug"]
    app(["--debug", *rest] if len(rest) < len(sys.argv) - 1 else rest)


if __name__ == "__main__":
    main()
