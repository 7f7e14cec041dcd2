"""Progress of long work, for a person at a terminal; nothing where the output goes elsewhere."""

import os
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def track(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    """Yield the items, with a bar on stderr while they last."""
    from rich.console import Console
    from rich.progress import track as bar

    console = Console(stderr=True)
    if not console.is_terminal:
        for number, item in enumerate(items, start=1):
            yield item
            if os.environ.get("PERENNIAL_PROGRESS"):  # `perennial run` reads along
                console.print(f"{what}: {number} of {total}")
        return
    yield from bar(items, description=what, total=total, console=console, transient=True)
