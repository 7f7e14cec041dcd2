"""params.yaml edited block by block: what is not named stays as it is, to the byte."""

from collections.abc import Sequence
from pathlib import Path

from perennial.core.profiling.block import Block
from perennial.errors import InputError


def put(text: str, blocks: Sequence[Block], path: Path) -> str:
    """Return a text of params.yaml with blocks put in place of what their keys have.

    A key's own lines are its value, the comment beside it, and the comment lines right above it.

    Args:
        text: In block style, as it ships.
        blocks: What to put in.
        path: What to call it in an error.

    Raises:
        InputError: keys are not there; all are named.
    """
    from ruamel.yaml import YAML

    document = YAML(typ="rt").load(text)
    lines = text.split("\n")
    ranges: list[tuple[int, int, list[str]]] = []
    absent = []
    for block in blocks:
        node = document
        try:
            for key in block.keys[:-1]:
                node = node[key]
            line, column = node.lc.key(block.keys[-1])
        except (KeyError, TypeError, AttributeError):
            absent.append(".".join(block.keys))
            continue
        start, end = _header(lines, line) if block.header else _whole(lines, line)
        ranges.append((start, end, [" " * column + own for own in block.lines]))
    if absent:
        faults = [f"{path}: {key}: missing" for key in absent]
        raise InputError(faults, "Restore params.yaml (`git checkout params.yaml`).")
    for start, end, own in sorted(ranges, reverse=True):
        lines[start:end] = own
    return "\n".join(lines)


def _whole(lines: Sequence[str], line: int) -> tuple[int, int]:
    """Return where a key's lines start and end."""
    own = _indent(lines[line])
    start = line
    while start > 0 and _is_comment(lines[start - 1]) and _indent(lines[start - 1]) == own:
        start -= 1
    end = line + 1
    while end < len(lines) and (
        not lines[end].strip() or _is_comment(lines[end]) or _indent(lines[end]) > own
    ):
        end += 1
    while end > line + 1 and (not lines[end - 1].strip() or _belongs_below(lines[end - 1], own)):
        end -= 1
    return start, end


def _header(lines: Sequence[str], line: int) -> tuple[int, int]:
    """Return where a group's own line starts and what is said beside it ends."""
    own = _indent(lines[line])
    end = line + 1
    while end < len(lines) and _is_comment(lines[end]) and _indent(lines[end]) > own + 2:
        end += 1
    return line, end


def _belongs_below(line: str, own: int) -> bool:
    return _is_comment(line) and _indent(line) <= own


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
