"""doctor: whether everything that says who is champion agrees; what doesn't is put right.

champion.json is the truth, as Git has it (docs/decisions/0006). Whatever follows from it is made to
agree. What would need somebody's judgement is said and left alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from perennial.adapters import runlock
from perennial.commands import doctor_champion, doctor_state
from perennial.commands.ailments import Ailment, Check
from perennial.errors import PerennialError, UnreachableError

CHECKS: tuple[Check, ...] = (
    doctor_state.request,
    doctor_state.locks,
    doctor_champion.champion_json,
    doctor_champion.chain,
    doctor_state.unfinished,
    doctor_champion.end,
    doctor_champion.plan,
    doctor_champion.bundle,
    doctor_champion.pointer,
    doctor_champion.moved_registry,
    doctor_champion.aliases_of,
    doctor_state.leftovers,
)


@dataclass(frozen=True)
class Finding:
    """What is wrong, whether it was put right, and how, or what a person is to do."""

    what: str
    mended: bool
    remedy: str


@dataclass(frozen=True)
class Diagnosis:
    """What was found; `exit_code` is 0 where all is well by now."""

    checked: int
    findings: Sequence[Finding]
    exit_code: int

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"schema_version": 1, **asdict(self)}


def doctor(only_look: bool = False) -> Diagnosis:
    """Look for what is wrong, and put it right.

    Args:
        only_look: Change nothing.

    Raises:
        UnreachableError: another run is at work.
    """
    killed = runlock.left()
    if only_look:
        return _diagnosis([*_lock(killed, mended=False), *_all(_look)])
    with runlock.alone():
        return _diagnosis([*_lock(killed, mended=True), *_all(_mend)])


def _all(act: Callable[[Check], list[tuple[Finding, int]]]) -> list[tuple[Finding, int]]:
    return [found for check in CHECKS for found in act(check)]


def _look(check: Check) -> list[tuple[Finding, int]]:
    try:
        return [_open(ailment) for ailment in check()]
    except PerennialError as error:
        return _failed(error)


def _mend(check: Check) -> list[tuple[Finding, int]]:
    """Have what a check finds put right, and look again: only what is gone then is mended."""
    try:
        ailments = check()
        hindered = [each for ailment in ailments for each in _try(ailment)]
        left = {ailment.what: ailment for ailment in check()} if ailments else {}
    except PerennialError as error:
        return _failed(error)
    gone = [each for each in ailments if each.what not in left]
    mended = [(Finding(each.what, True, each.remedy), 0) for each in gone]
    return [*mended, *map(_open, left.values()), *hindered]


def _try(ailment: Ailment) -> list[tuple[Finding, int]]:
    """Put it right; return what hindered that."""
    try:
        if ailment.mend is not None:
            ailment.mend()
    except PerennialError as error:
        return _failed(error)
    return []


def _open(ailment: Ailment) -> tuple[Finding, int]:
    by_itself = "`perennial doctor` does: " if ailment.mend is not None else ""
    return Finding(ailment.what, False, f"{by_itself}{ailment.remedy}"), 3


def _failed(error: PerennialError) -> list[tuple[Finding, int]]:
    code = error.exit_code if isinstance(error, UnreachableError) else 3
    return [(Finding(fault, False, error.remedy), code) for fault in error.faults]


def _lock(killed: str, mended: bool) -> list[tuple[Finding, int]]:
    if not killed:
        return []
    what = f"{runlock.PATH}: left by a run that was killed ({killed})"
    return [(Finding(what, mended, "emptied: nobody holds it"), 0 if mended else 3)]


def _diagnosis(found: Sequence[tuple[Finding, int]]) -> Diagnosis:
    codes = [code for _, code in found if code]
    code = min(codes) if codes else 0  # an integrity failure counts for more than what is away
    return Diagnosis(len(CHECKS) + 1, [finding for finding, _ in found], code)
