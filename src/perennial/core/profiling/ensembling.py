"""What is searched and put together for a user's data: what ranked best on public sets."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perennial.core.profiling.settings import Block

SEARCH = {"kinds": ["depthwise", "leafwise", "onehot"], "ensemble": 10, "composed": "greedy"}


def blocks() -> "list[Block]":
    """Return the blocks of the group `search`."""
    from perennial.core.profiling.settings import said

    why = {
        "kinds": "Of trees that may be members, each erring in other places; [depthwise] is one "
        "kind, fitted in less time. What this is worth on public sets: docs/decisions/0025.",
        "ensemble": "At most so many fits are averaged, where that is better out of fold. Each "
        "costs its part of every prediction; 1 for a single model.",
        "composed": "greedy: of the trials that are best together, some more than once (Caruana et "
        "al. 2004), and all again with other seeds while there is room; best: of the best trials.",
    }
    return [said(SEARCH[key], because, "search", key) for key, because in why.items()]
