"""The command line: wiring and rendering. What a command does is in `perennial.commands`."""

import json
import os
import sys
from typing import Annotated, Any

import typer
from rich.console import Console

from perennial import paths
from perennial.errors import InputError, PerennialError

app = typer.Typer(
    help="A tabular ML pipeline that validates, trains, gates and retrains itself.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")]


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Hold what goes for every command."""
    if debug:
        os.environ["PERENNIAL_DEBUG"] = "1"


@app.command()
def run(as_json: Json = False) -> None:
    """Run the DAG through the training flow, and promote if the verdict says so.

    Example: `perennial run`

    Exits 0 when done (also when the champion is kept), 1 when a gate blocks, 2 when the input is
    wrong, 3 when a digest differs, 4 when something can't be reached.
    """
    from perennial.commands import rendering
    from perennial.commands.run import run as follow

    console = Console(quiet=as_json, highlight=False)
    with console.status("starting the flow") as spinner:
        outcome = follow(Progress(console, spinner))
    if outcome.code != 0:
        Console(stderr=True, highlight=False).print(f"[red]{outcome.message}[/]", soft_wrap=True)
    if outcome.code in (0, 1):
        console.print()
        console.print(rendering.summary())
        console.print(f"\n{rendering.headline(outcome.seconds, outcome.promoted)}")
    if as_json:
        gate = rendering.report(paths.GATE_REPORT) if outcome.code in (0, 1) else None
        _print_json({**vars(outcome), "gate": gate, "champion": rendering.report(paths.CHAMPION)})
    raise typer.Exit(outcome.code)


@app.command()
def status(as_json: Json = False) -> None:
    """Show champion, plan, the last verdicts on drift and candidate, and what is stale.

    Example: `perennial status --json`
    """
    from perennial.commands import rendering
    from perennial.commands.status import status as look

    found = look()
    _print_json(found) if as_json else Console(highlight=False).print(rendering.status(found))


@app.command()
def promote() -> None:
    """Put the candidate in charge, if the gate's verdict on it is `promote`.

    Example: `dvc repro && perennial promote`
    """
    from perennial.adapters import champions
    from perennial.commands.promote import promote as act

    before = champions.read()
    after = act()
    known = before is not None and before.digest == after.digest
    done = "is champion already" if known else "is champion now; `dvc repro` converges at once"
    Console(highlight=False).print(f"{after.model} version {after.version} {done}")


@app.command()
def history(as_json: Json = False) -> None:
    """Show who was in charge, since when and why, newest first.

    Example: `perennial history`
    """
    from perennial.commands import rendering
    from perennial.commands.promote import read_history

    entries = read_history()
    if as_json:
        _print_json({"history": entries})
    elif entries:
        Console(highlight=False).print(rendering.history(entries))
    else:
        Console(highlight=False).print("Nobody was promoted yet.")


@app.command()
def verify(
    version: Annotated[
        str | None, typer.Argument(help="A registered version; all if none.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check every digest of a version, or of all versions and of the champion.

    Example: `perennial verify 3`
    """
    from perennial.commands.verify import verify as check

    found = check(version)
    if as_json:
        _print_json(found)
    else:
        for item in found["checked"]:
            for line in item["faults"] or [f"{item['what']}: every digest is right"]:
                Console(highlight=False, soft_wrap=True).print(line)
        if not found["checked"]:
            Console(highlight=False).print("There is no version and no champion yet.")
    raise typer.Exit(3 if found["faults"] else 0)


class Progress:
    """Shows the events of a run: a line a stage, and which one is at work."""

    def __init__(self, console: Console, spinner: Any) -> None:
        self.console, self.spinner = console, spinner

    def __call__(self, event: dict[str, Any]) -> None:
        """Show one event."""
        stage = event["stage"]
        if event["event"] == "start":
            self.spinner.update(f"{stage} …")
        elif event["event"] == "promoted":
            self.console.print("[green]promoted[/]; once more, so that the DAG converges")
        elif event["event"] == "end":
            time_taken = f"{event['seconds']:5.1f} s" if event["ran"] else "      ="
            said = [line.removeprefix(f"{stage}: ") for line in event["said"]] or ["unchanged"]
            if not event["ran"]:
                said = ["unchanged"]
            self.console.print(f"{stage:9} [dim]{time_taken}[/]  {said[-1]}", soft_wrap=True)
            for line in said[:-1]:
                self.console.print(f"{'':19}[yellow]{line}[/]", soft_wrap=True)
            self.spinner.update("…")


def _print_json(content: Any) -> None:
    sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def main() -> None:
    """Run the command line; an error for the user is one message and its exit code."""
    try:
        app()
    except PerennialError as error:
        _fail(error)
    except OSError as error:
        if error.filename is None:
            raise
        _fail(InputError(f"{error.filename}: {error.strerror}", "Make it readable and writable."))


def _fail(error: PerennialError) -> None:
    if os.environ.get("PERENNIAL_DEBUG"):
        raise error
    Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print(str(error))
    sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
