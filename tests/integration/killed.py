"""Kills at each step of a promotion, for the tests of what finishes it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from perennial import paths
from perennial.adapters import dag, files, histories, registry
from perennial.adapters.bundles import champions
from perennial.commands import pending
from perennial.commands.promote import promote


class Killed(BaseException):
    """What nobody catches, as nobody catches a kill."""


def kill(
    patched: pytest.MonkeyPatch,
    where: object,
    name: str,
    *,
    target: Path | None = None,
    after: bool = False,
    act: Callable[[], object] = promote,
) -> None:
    """Have a promotion, or what `act` does, be killed before or after a step (of those on a certain
    path)."""
    real: Callable[..., Any] = getattr(where, name)

    def step(*arguments: Any, **options: Any) -> Any:
        if target is not None and target not in arguments:
            return real(*arguments, **options)
        if after:
            real(*arguments, **options)
        raise Killed

    with patched.context() as until_killed:
        until_killed.setattr(where, name, step)
        with pytest.raises(Killed):
            act()


STEPS: dict[str, tuple[object, str, Path | None]] = {
    "the candidate is copied": (pending, "place", pending.BUNDLE),
    "it is decided": (files, "write_bytes", pending.DECISION),
    "the bundle is placed": (pending, "place", paths.CHAMPION_BUNDLE),
    "its manifest is written": (files, "write_bytes", Path("models/.champion.new/manifest.json")),
    "the old bundle is removed": (shutil, "rmtree", paths.CHAMPION_BUNDLE),
    "it is tracked": (dag, "track", None),
    "the alias is set": (registry, "set_alias", None),
    "the history is written": (histories, "append", None),
    "the champion is written": (champions, "write", None),
    "it is cleared away": (shutil, "rmtree", pending.FOLDER),
}
