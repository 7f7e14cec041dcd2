"""Retraining without a person: pull, run, say what came of it, propose a new champion as a branch.

A branch is made of the commit that is checked out and what runs and promotions write. Merging it is
the release: the champion.json and dvc.lock that are merged say who is champion. Whoever runs this
again for the same commit and batches finds the branch as it is, and nothing is pushed twice.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from perennial import names, paths
from perennial.adapters import branches, dag, files
from perennial.commands import github
from perennial.commands.events import Listener
from perennial.commands.proposal import Proposal, describe, message, title
from perennial.commands.run import run
from perennial.commands.summary import Summary, optional
from perennial.errors import InputError, PerennialError

Request = Literal["none", "retrain", "retune"]
# what runs and promotions write and Git keeps; whatever else differs makes another commit of it
WRITTEN = (
    "dvc.lock",
    paths.CHAMPION.as_posix(),
    paths.HISTORY.as_posix(),
    f"{paths.CHAMPION_BUNDLE.as_posix()}.dvc",
    paths.CHAMPION_SIGNATURE.as_posix(),
    "models/.gitignore",
    "reports",
)
TIMED = {paths.CHAMPION.as_posix(), paths.HISTORY.as_posix()}  # two runs differ in these by time
TRAILER = "Retrained-From"  # marks a commit of ours, which may be replaced
PAGE = paths.STATE / "retraining.md"


@dataclass(frozen=True)
class Wish:
    """What is asked for: DVC's remote (None: its default), the branch (None: retrain/<period>),
    whether to push, to which remote of Git, and what the plan is asked for."""

    remote: str | None = None
    branch: str | None = None
    push: bool = False
    origin: str = "origin"
    request: Request = "none"


@dataclass(frozen=True)
class Outcome:
    """What came of it. `branch` is None where there is nothing to propose, `commit` and `pushed`
    tell whether the branch is there and whether it was this run that put it there."""

    exit_code: int
    verdict: str | None
    page: str
    branch: str | None = None
    commit: str | None = None
    pushed: bool = False
    faults: list[str] = field(default_factory=list)
    remedy: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"schema_version": 1, **asdict(self)}


def wish(remote: str | None, branch: str | None, push: bool, origin: str, request: str) -> Wish:
    """Return what is asked for, as the command line has it.

    Raises:
        InputError: there is no such request, or a name is none.
    """
    known = {each: each for each in get_args(Request)}
    if request not in known:
        raise InputError(f"--request {request}: there is none such", f"One of {', '.join(known)}.")
    asked = {"--branch": branch, "--origin": origin, "--remote": remote}
    wrong = [
        f"{option} {name!r}: {found}"
        for option, name in asked.items()
        if name and (found := names.branch_fault(name))
    ]
    if wrong:
        raise InputError(wrong, "Name it as Git and DVC do: letters, digits, -, _, . and /.")
    return Wish(remote or None, branch or None, push, origin, known[request])


def retrain(wish: Wish, listen: Listener) -> Outcome:
    """Run the DAG on what is there; if champion.json changes for it, propose that as a branch.

    Raises:
        InputError: something else differs from the commit, or there is nowhere to push to.
        IntegrityError: who is champion can't be told.
        UnreachableError: a remote can't be reached, or another run is at work.
    """
    _restore_params()
    base = branches.base()
    _require_clean()
    store = _store(wish)
    lacking = dag.pull(store) if store is not None else None
    try:
        with _requested(wish.request):
            found = run(listen)
        if found.exit_code == 0 and wish.request != "none":
            run(listen)  # so that the lock is that of the committed params.yaml
            _require_clean()
    except PerennialError as error:
        _publish(describe(Proposal(base, None, None, lacking), error))
        raise
    return _conclude(wish, found, Proposal(base, _branch(wish, found), found, lacking), store)


def _conclude(wish: Wish, found: Summary, proposal: Proposal, store: str | None) -> Outcome:
    _publish(describe(proposal))
    commit, pushed = None, False
    if proposal.branch is not None and wish.push:
        assert store is not None
        commit, pushed = _propose(wish.origin, store, proposal.branch, proposal)
    outcome = Outcome(
        found.exit_code,
        found.verdict,
        PAGE.as_posix(),
        proposal.branch,
        commit,
        pushed,
        list(found.faults),
        found.remedy,
    )
    told = {name: getattr(outcome, name) for name in ("verdict", "branch", "commit", "pushed")}
    github.output({**told, "page": outcome.page, "title": title(proposal)})
    return outcome


def _branch(wish: Wish, found: Summary) -> str | None:
    """Return the branch to propose; None where there is nothing: only a change of champion.json
    is worth a person's time."""
    if found.exit_code != 0 or not branches.changed([paths.CHAMPION.as_posix()]):
        return None
    return wish.branch or f"retrain/{optional(paths.DRIFT_REPORT)['period']}"


def _propose(origin: str, store: str, branch: str, proposal: Proposal) -> tuple[str, bool]:
    """Have the branch there, with its bytes; return its commit and whether it is new."""
    written = [path for path in WRITTEN if Path(path).exists()]
    trailer = f"{TRAILER}: {proposal.base}"
    made = branches.commit(written, f"{message(proposal)}\n\n{trailer}\n")
    tip = branches.tip(origin, branch)
    if tip is not None:
        if f"{TRAILER}: " not in tip.message:
            raise InputError(
                f"{origin}'s branch {branch} ends with a commit of somebody else's, "
                f"{tip.commit[:12]}",
                "Merge or remove that branch, or name another (`--branch`); nothing was pushed.",
            )
        if list(tip.parents) == [proposal.base] and _same(tip.commit, made):
            return tip.commit, False
    dag.push(store)  # first: a branch never names bytes that nobody can fetch
    branches.push(origin, branch, made, tip.commit if tip else None)
    return made, True


def _same(one: str, other: str) -> bool:
    """Return whether two proposals differ in nothing but when they were made."""

    def champion(commit: str) -> dict[str, Any]:
        content = json.loads(branches.committed(paths.CHAMPION.as_posix(), commit) or "{}")
        return {key: content[key] for key in content if key not in ("when", "version", "history")}

    return set(branches.differing(one, other)) <= TIMED and champion(one) == champion(other)


def _store(wish: Wish) -> str | None:
    store = dag.remote_name(wish.remote)
    if store is None and wish.push:
        raise InputError(
            "DVC has no remote, so a new champion's bytes would be lost with this machine",
            "Add one, for example `dvc remote add -d store s3://bucket/folder`, and commit "
            ".dvc/config: docs/retraining-in-ci.md.",
        )
    return store


def _require_clean() -> None:
    """Check that nothing but what a run writes differs from the commit, or the branch would hold
    a dvc.lock that its own files don't give.

    Raises:
        InputError: something does.
    """
    if differing := branches.changed(ignoring=WRITTEN):
        raise InputError(
            [f"{path}: differs from the commit that is checked out" for path in differing],
            "Commit it, or put it back; then run again.",
        )


def _publish(page: str) -> None:
    files.write_bytes(PAGE, page.encode())
    github.step_summary(page)


@contextmanager
def _requested(request: Request) -> Iterator[None]:
    """Have params.yaml ask for it meanwhile."""
    if request == "none":
        yield
        return
    before = paths.PARAMS.read_bytes()
    files.write_bytes(paths.PARAMS, _asking(before.decode(), request).encode())
    try:
        yield
    finally:
        files.write_bytes(paths.PARAMS, before)


def _restore_params() -> None:
    """Put params.yaml back if a run that was killed left its request in it."""
    text = branches.committed(paths.PARAMS.as_posix())
    if text is None or not paths.PARAMS.is_file():
        return
    now = paths.PARAMS.read_text("utf-8")
    if now != text and now in [_asking(text, request) for request in ("retrain", "retune")]:
        files.write_bytes(paths.PARAMS, text.encode())


def _asking(text: str, request: str) -> str:
    """Return params.yaml with another `policy.request`, and nothing else changed."""
    place = r"^(policy:[^\n]*\n(?:[ \t]+[^\n]*\n|\n)*?[ \t]+request:[ \t]*)[a-z]+"
    changed, count = re.subn(place, rf"\g<1>{request}", text, flags=re.MULTILINE)
    if count != 1:
        raise InputError(
            f"{paths.PARAMS}: policy.request: not on a line of its own",
            "Write the group `policy` with one key a line.",
        )
    return changed
