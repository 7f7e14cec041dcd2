"""The chain of the history: whatever is done to a line is found, with the line's number."""

import hashlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from perennial.core.ledger import hash_chain


def log(count: int = 4) -> list[bytes]:
    lines, previous = [], hash_chain.GENESIS
    for number in range(count):
        entry = hash_chain.seal({"why": f"né {number}", "to": {"version": str(number)}}, previous)
        lines.append(hash_chain.line(entry))
        previous = entry["sha256"]
    return lines


LINES = log()


def faults(*lines: bytes) -> list[str]:
    return hash_chain.read(b"".join(lines))[1]


def test_a_log_that_nobody_touched_is_sound() -> None:
    entries, found = hash_chain.read(b"".join(LINES))
    assert found == []
    assert [entry["to"]["version"] for entry in entries] == ["0", "1", "2", "3"]
    assert hash_chain.read(b"") == ([], [])


def test_an_entry_names_the_digest_of_the_one_before_it_the_first_a_constant() -> None:
    """The digest is the SHA-256 of the entry's own line without it, so anybody can check it."""
    entries, _ = hash_chain.read(b"".join(LINES))
    assert [entry["previous"] for entry in entries] == [
        "0" * 64,
        *(entry["sha256"] for entry in entries[:-1]),
    ]
    content: dict[str, Any] = {k: v for k, v in entries[0].items() if k != "sha256"}
    assert entries[0]["sha256"] == hashlib.sha256(hash_chain.line(content)).hexdigest()


@given(number=st.integers(0, 3), place=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_a_flipped_bit_is_found_in_its_line_or_the_next(number: int, place: int, bit: int) -> None:
    line = bytearray(LINES[number])
    line[place % len(line)] ^= 1 << bit
    found = faults(*LINES[:number], bytes(line), *LINES[number + 1 :])
    assert found
    assert any(f"line {each}:" in found[0] for each in (number + 1, number + 2))


@given(number=st.integers(0, 3), length=st.integers(0, 10**6))
def test_a_line_that_was_cut_is_found(number: int, length: int) -> None:
    line = LINES[number][: 1 + length % (len(LINES[number]) - 1)]
    assert f"line {number + 1}:" in faults(*LINES[:number], line, *LINES[number + 1 :])[0]


@given(st.permutations(range(4)))
def test_every_other_order_is_found_at_the_first_line_out_of_place(order: list[int]) -> None:
    found = faults(*(LINES[each] for each in order))
    if order == sorted(order):
        assert found == []
    else:
        first = next(place for place, each in enumerate(order) if place != each)
        assert f"line {first + 1}: does not follow" in found[0]


@given(number=st.integers(0, 2))
def test_a_removed_line_is_found_where_it_was(number: int) -> None:
    """All but the last: an end that was cut off only champion.json can tell."""
    found = faults(*LINES[:number], *LINES[number + 1 :])
    assert f"line {number + 1}: does not follow" in found[0]
    assert faults(*LINES[:-1]) == []


@given(number=st.integers(0, 4), copied=st.integers(0, 3))
def test_a_line_put_in_is_found(number: int, copied: int) -> None:
    assert faults(*LINES[:number], LINES[copied], *LINES[number:])


def test_an_edit_with_a_new_digest_of_its_own_is_found_at_the_next_line() -> None:
    forged = hash_chain.line(hash_chain.seal({"why": "forged"}, hash_chain.GENESIS))
    assert faults(forged, *LINES[1:]) == [
        "line 2: does not follow line 1: a line was removed, put in or moved"
    ]


def test_the_same_entry_laid_out_otherwise_counts_as_edited() -> None:
    assert "line 1: was edited" in faults(LINES[0].replace(b": ", b":"), *LINES[1:])[0]


def test_what_is_no_entry_is_named() -> None:
    for text in (b"[]\n", b"7\n", b"{}\n", b"\xff\n", b"\n", b'{"previous": 1, "sha256": []}\n'):
        assert "line 1:" in faults(text, *LINES)[0]
