"""params.yaml edited block by block: what is named is exchanged, and nothing else."""

from pathlib import Path

import pytest

from perennial.adapters import blocks
from perennial.core.profiling.block import Block, quoted, said, scalar
from perennial.errors import InputError

TEXT = """\
# about the file
seed: 1

one:   # about one
       # and more
  # about a
  # goes on
  a: 1   # beside a
         # goes on too
  # about b
  b:
    c: 2     # beside c
    # about d
    d: {x: 1}
# about two
two:
  e: 3
"""


def test_a_key_goes_with_its_comments_and_its_neighbours_stay() -> None:
    found = blocks.put(TEXT, [said(5, "why five", "one", "a")], Path("p"))
    old = "  # about a\n  # goes on\n  a: 1   # beside a\n         # goes on too\n"
    assert found == TEXT.replace(old, "  # why five\n  a: 5\n")


def test_a_group_can_be_exchanged_whole_or_its_own_line_alone() -> None:
    whole = blocks.put(TEXT, [Block(("one", "b"), ("b: {}",))], Path("p"))
    assert "  b: {}\n# about two\n" in whole
    assert "# about b" not in whole
    header = blocks.put(TEXT, [Block(("one",), ("one:  # new",), header=True)], Path("p"))
    assert header == TEXT.replace("one:   # about one\n       # and more\n", "one:  # new\n")


def test_doing_it_again_changes_nothing() -> None:
    changes = [said(5, "why " * 60, "one", "a"), said({}, "none", "one", "b", "d")]
    once = blocks.put(TEXT, changes, Path("p"))
    assert blocks.put(once, changes, Path("p")) == once


def test_keys_that_are_not_there_are_all_named() -> None:
    with pytest.raises(InputError) as raised:
        blocks.put(TEXT, [said(1, "w", "one", "z"), said(1, "w", "three")], Path("p"))
    assert [fault.split(": ")[1] for fault in raised.value.faults] == ["one.z", "three"]


WORDS = ["yes", "no", "a: b", "# x", "{x}", "[y]", "é", "1", "1.5", "null", "~", "", " x ", "a\tb"]
WORDS += ["\x85\u2028", '"', "'", "\\", "- a", "on", "=1", "a #b", "2024-01-01", "日本", "\ufeff"]


@pytest.mark.parametrize("value", WORDS)
def test_any_text_comes_back_from_yaml_as_it_was(value: str) -> None:
    from ruamel.yaml import YAML

    text = f"{scalar(value)}: {{k: {scalar(value)}}}\n"
    assert YAML(typ="safe").load(text) == {value: {"k": value}}
    assert YAML(typ="safe").load(quoted(value)) == value
