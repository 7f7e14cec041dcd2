"""A run as it goes: one line a stage, and at a terminal what is at work and for how long."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from perennial.commands.events import Event, Listener
from perennial.commands.wording import duration

MARKS = {"ran": ("✓", "green"), "restored": ("✓", "green"), "failed": ("✗", "red")}
SAID = {"unchanged": "unchanged", "restored": "as it was for the same inputs before"}
WIDTH = 12


@contextmanager
def showing(console: Console, first: str = "starting Prefect") -> Iterator[Listener]:
    """Yield a listener that shows the events of a run on the console; `first` is what it does
    before its first stage."""
    # what stages print may hold brackets, which are no markup here
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
        TextColumn("{task.fields[said]}", markup=False, style="dim"),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        now = bar.add_task(first, total=None, said="")
        promoted, debug = False, "PERENNIAL_DEBUG" in os.environ

        def show(event: Event) -> None:
            nonlocal promoted
            kind = event["event"]
            if kind == "stage" and event["state"] == "running":
                bar.reset(now, description=event["stage"], said="")
            elif kind == "stage":
                bar.reset(now, description="", said="")
                if not (promoted and event["state"] == "unchanged"):
                    console.print(_line(event), soft_wrap=True)
            elif kind == "line":
                if debug:
                    console.print(Text(f"    {event['line']}", "dim"), soft_wrap=True)
                bar.update(now, said=event["line"][: max(0, console.width - 40)])
            elif kind == "promoted":
                promoted, version = True, event["to"]["version"]
                console.print(Text(f"★ version {version} is champion; once more, to converge"))

        yield show


@contextmanager
def counting(console: Console, what: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function that is told how many of how many are done, and shows it."""
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield tell


def _line(event: Event) -> Text:
    """Return a stage's line: a mark, its name, how long it took, its result."""
    mark, colour = MARKS.get(event["state"], ("·", "dim"))
    quiet = event["state"] == "unchanged"
    said = SAID.get(event["state"]) or event["line"]
    took = "" if quiet else duration(event["seconds"])
    return Text.assemble(
        (f"{mark} ", colour),
        (f"{event['stage']:<{WIDTH}}", "dim" if quiet else "bold"),
        (f"{took:>9}  ", "dim"),
        (said, "dim" if quiet else ""),
    )
