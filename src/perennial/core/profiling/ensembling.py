"""What is searched and put together for a user's data: what ranked best on public sets."""

from typing import Any

from perennial.core.profiling.block import Block, said

MANY = 50_000  # rows; of more twice as many are searched on, and teach more trees (decision 0027)
# members and their rounds: the more rows, the less is left for another fit to even out
USUAL, OF_MANY = (10, 400), (4, 1000)
OF_DEFAULT = 100  # rounds of default XGBoost


def search(train_rows: int) -> dict[str, Any]:
    """Return what of the group `search` is set for so many rows to train on."""
    members, rounds = _members_and_rounds(train_rows)
    return {
        "kinds": ["depthwise", "leafwise", "onehot"],
        "ensemble": members,
        "composed": "greedy",
        "max_rows": MANY,
        "max_rounds": rounds,
    }


def cost(train_rows: int) -> float:
    """Return how many times the trees of default XGBoost such an ensemble may have."""
    members, rounds = _members_and_rounds(train_rows)
    return members * rounds / OF_DEFAULT


def _members_and_rounds(train_rows: int) -> tuple[int, int]:
    return OF_MANY if train_rows > MANY else USUAL


def blocks(train_rows: int) -> list[Block]:
    """Return the blocks of the group `search`."""
    why = {
        "kinds": "Of trees that may be members, each erring in other places; [depthwise] is one "
        "kind, fitted in less time. What this is worth on public sets: docs/decisions/0025.",
        "ensemble": "At most so many fits are averaged, where that is better out of fold. Each "
        "costs its part of every prediction; 1 for a single model.",
        "composed": "greedy: of the trials that are best together, some more than once (Caruana et "
        "al. 2004), and all again with other seeds while there is room; best: of the best trials.",
        "max_rows": "Of more training rows twice as many, evenly spaced, are searched on, with one "
        "fold in place of all; what is found is fitted on all rows.",
        "max_rounds": "Trees of a member; where there are more rows than are searched on, as many "
        "as those bear.",
    }
    settings = search(train_rows)
    return [said(settings[key], because, "search", key) for key, because in why.items()]
