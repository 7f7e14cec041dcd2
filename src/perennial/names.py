"""Names that come from outside (files, parameters, the command line) and become paths or words of
a command: one check of what they may be, so that none leads out of its folder; and how a
reference to the environment is written."""

import re
import unicodedata
from collections.abc import Iterator

REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")  # to a variable of the environment
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")  # periods, models
LONGEST = 255  # bytes of one name on the usual file systems
# refused on Windows whatever follows the first dot, so a clone there could not be made
RESERVED = {"con", "prn", "aux", "nul"} | {f"{n}{i}" for n in ("com", "lpt") for i in range(1, 10)}


def fault(name: str) -> str | None:
    """Return why a text can't be the name of one file or folder; None if it can."""
    return next(_faults(name), None)


def _faults(name: str) -> Iterator[str]:
    if not name or name in (".", ".."):
        yield "is no name"
        return
    if any(unicodedata.category(char) == "Cs" for char in name):  # half of a pair
        yield "is no text that can be encoded"
        return
    size = len(name.encode())
    if size > LONGEST:
        yield f"has {size} bytes, over {LONGEST}"
    if odd := sorted({char for char in name if _is_odd(char)}):
        yield f"has {', '.join(map(ascii, odd))} in it"
    if unicodedata.normalize("NFC", name) != name:
        yield "is written in a way that some file systems take for another name"
    if name[0] in " -~" or name[-1] in " .":
        yield "starts or ends in a way that a shell or a file system reads otherwise"
    if name.partition(".")[0].rstrip().lower() in RESERVED:
        yield "is a device's name on Windows"


def path_fault(path: str) -> str | None:
    """Return why a text can't be a path that stays below its folder; None if it can.

    Relative, its parts separated by slashes, each of them a name.
    """
    for part in path.split("/"):
        if found := fault(part):
            return found
    return None


def branch_fault(name: str) -> str | None:
    """Return why a text can't be a branch or remote of Git's; None if it can.

    As git-check-ref-format has it; nor may it be taken for an option or another kind of address.
    """
    if found := path_fault(name):
        return found
    if re.search(r"[~^:?*\[\\\s]|\.\.|@\{|\.lock(/|$)|(^|/)\.|\.(/|$)", name) or name == "@":
        return "is no name that Git takes"
    return None


def _is_odd(char: str) -> bool:
    """Return whether a character separates, steers or can't be seen."""
    return char in '/\\:*?"<>|' or unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp")
