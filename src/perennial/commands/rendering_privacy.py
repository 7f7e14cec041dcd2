"""How what was forgotten is asked for and shown."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from perennial.commands.forget import Forgotten
from perennial.commands.wording import plural
from perennial.errors import InputError


def keys(given: Sequence[str], source: Path | None) -> list[str]:
    """Return the keys that are asked for, those of a file one a line.

    Raises:
        InputError: there is none, or the file can't be read.
    """
    try:
        listed = source.read_text("utf-8").splitlines() if source else []
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{source}: not readable: {error}", "Keep one key a line.") from error
    found = [key for key in (*given, *listed) if key]
    if not found:
        raise InputError("no key is given", "Say whose rows: `perennial forget --key K`.")
    return found


def forgotten(found: Forgotten) -> RenderableType:
    """Return what was taken out, what was made of it, and what remains for others to remove."""
    taken = [(i["period"], plural(i["rows"], "row", "rows"), i["left"]) for i in found.batches]
    lines = [Text(f"{period}: {rows} taken out, {left:,} left") for period, rows, left in taken]
    lines += [
        Text(f"version {item['version']} was made of these batches: {', '.join(item['parts'])}")
        for item in found.versions
    ]
    if found.champion:
        parts = ", ".join(found.champion["parts"])
        lines.append(Text(f"the champion, version {found.champion['version']}, too: {parts}"))
    if found.unknown:
        lines.append(Text(f"{plural(found.unknown, 'key', 'keys')} no row has"))
    lines.append(Text("What remains, and only its owner can remove:"))
    lines += [Text(f"  {item}") for item in found.remains]
    return Group(*lines)
