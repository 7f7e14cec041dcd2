"""Sentences filled from artefacts: every number comes from a place that the sentence names.

A place is a JSON pointer (RFC 6901), or a count or sum over places: `count /gates/*` is how many
gates there are, `count /gates/*/verdict = fail` how many fail, `sum /batches/*/rows` all rows.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?")
OVER_PLACES = re.compile(r"(count|sum) (/.*?)(?: = (.*))?")
ESTIMATE = ("value", "low", "high")


@dataclass(frozen=True)
class Cited:
    """What an artefact has at a place: as a sentence shows it, and all that it may show of it."""

    artefact: str
    pointer: str
    shown: str
    says: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """An artefact, by its path, whose values are cited by their pointers: `source["/rows"]`."""

    artefact: str
    content: Mapping[str, Any]

    def __getitem__(self, pointer: str) -> Cited:
        says = tuple(said(self.content, pointer))
        return Cited(self.artefact, pointer, shown(self.value(pointer)), says)

    def value(self, pointer: str) -> Any:
        """Return what is at a place.

        Raises:
            KeyError: nothing is.
        """
        return resolve(self.content, pointer)

    def has(self, pointer: str) -> bool:
        """Return whether anything but null is at a place."""
        try:
            return self.value(pointer) is not None
        except KeyError:
            return False

    def within(self, pointer: str) -> list[tuple[str, str]]:
        """Return the key (or index) and pointer of each value at a place, by key; none if none."""
        found = self.value(pointer) if self.has(pointer) else None
        if isinstance(found, list):
            return [(str(index), f"{pointer}/{index}") for index in range(len(found))]
        names = sorted(found) if isinstance(found, Mapping) else []
        return [(name, f"{pointer}/{escaped(name)}") for name in names]


@dataclass(frozen=True)
class Sentence:
    """A sentence and what it was filled from.

    Raises:
        ValueError: it cites nothing, or says a number of its own.
    """

    text: str
    cites: tuple[Cited, ...]

    def __post_init__(self) -> None:
        if not self.cites:
            raise ValueError(f"no artefact says: {self.text}")
        own = unfounded(self.text, {word for cite in self.cites for word in cite.says})
        if own:
            raise ValueError(f"no artefact says {', '.join(own)}: {self.text}")

    @property
    def places(self) -> dict[str, list[str]]:
        """The pointers of each artefact in order, without those within another of them."""
        found: dict[str, list[str]] = {}
        for cite in self.cites:
            found.setdefault(cite.artefact, []).append(cite.pointer)
        return {
            name: [p for p in dict.fromkeys(own) if not any(_within(p, q) for q in own)]
            for name, own in found.items()
        }


def say(template: str, *parts: Cited | str) -> Sentence:
    """Return a sentence: `template` with its {} filled by what is cited and by keys on the way.

    Raises:
        ValueError: nothing is cited, or a number comes from nowhere.
    """
    words = [part.shown if isinstance(part, Cited) else part for part in parts]
    return Sentence(template.format(*words), tuple(p for p in parts if isinstance(p, Cited)))


def unfounded(text: str, says: Collection[str]) -> list[str]:
    """Return the numbers of a text that nothing in `says`, the values and keys cited, has."""
    known = {number for word in says for number in NUMBER.findall(word)}
    # words with digits, such as a group's name or a period, are no numbers: they go first, the
    # longest before those that it holds
    words = [word for word in says if word not in known and re.search(r"\d", word)]
    for word in sorted(words, key=lambda word: (-len(word), word)):
        text = re.sub(rf"(?<![\w.]){re.escape(word)}(?!\w)", " ", text)
    return [number for number in NUMBER.findall(text) if number not in known]


def shown(value: Any) -> str:
    """Return a value as sentences show it.

    A float has three digits, an estimate its interval, a list commas; a text is on one line.
    """
    if isinstance(value, Mapping) and set(ESTIMATE) <= set(value):
        middle, low, high = (shown(value[key]) for key in ESTIMATE)
        return f"{middle} [{low}, {high}]"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {shown(value[key])}" for key in sorted(value))
    if isinstance(value, list | tuple):
        return ", ".join(shown(item) for item in value)
    if value is None or isinstance(value, bool):
        return "none" if value is None else str(value).lower()
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else " ".join(str(value).split())


def said(content: Any, pointer: str) -> Iterator[str]:
    """Yield all that a sentence may show of a place: its values, and the keys that lead there."""
    yield from _leaves(resolve(content, pointer))
    if OVER_PLACES.fullmatch(pointer):
        return
    at = content
    for key in _keys(pointer):
        if isinstance(at, Mapping):
            yield shown(key)
        at = at[key] if isinstance(at, Mapping) else at[int(key)]


def resolve(content: Any, pointer: str) -> Any:
    """Return what is at a place, or the count or sum of what is at places.

    Raises:
        KeyError: nothing is.
    """
    over = OVER_PLACES.fullmatch(pointer)
    if over is None:
        found = list(_walk(content, _keys(pointer), many=False))
        if not found:
            raise KeyError(pointer)
        return found[0]
    kind, path, wanted = over.groups()
    values = list(_walk(content, _keys(path), many=True))
    if kind == "sum":
        return sum(values)
    return len(values) if wanted is None else sum(shown(value) == wanted for value in values)


def escaped(key: str) -> str:
    """Return a key as a pointer has it."""
    return key.replace("~", "~0").replace("/", "~1")


def _within(pointer: str, other: str) -> bool:
    return pointer.startswith(f"{other}/") and not OVER_PLACES.fullmatch(other)


def _keys(path: str) -> list[str]:
    return [key.replace("~1", "/").replace("~0", "~") for key in path.split("/")[1:]]


def _walk(content: Any, keys: Sequence[str], many: bool) -> Iterator[Any]:
    """Yield what the keys lead to; with `many`, * is every one."""
    if not keys:
        yield content
        return
    first, inside = keys[0], content
    if isinstance(content, list):
        inside = {str(index): item for index, item in enumerate(content)}
    if not isinstance(inside, Mapping):
        return
    chosen = list(inside) if many and first == "*" else [first] if first in inside else []
    for key in chosen:
        yield from _walk(inside[key], keys[1:], many)


def _leaves(value: Any) -> Iterator[str]:
    yield shown(value)
    if isinstance(value, Mapping | list | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _leaves(item)
