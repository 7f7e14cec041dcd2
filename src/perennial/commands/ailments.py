"""What the doctor's checks find."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Ailment:
    """What is wrong; what puts it right, or None where that takes a person's judgement; and in
    words what that does, or what the person is to do."""

    what: str
    mend: Callable[[], object] | None
    remedy: str


Check = Callable[[], list[Ailment]]
