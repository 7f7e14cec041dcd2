"""One worker's part of `perennial replay`: one period under one policy, kept by content.

A step is keyed by all that it follows from: the state before it, the batches that had arrived, the
policy's parameters and the code. So a replay that was killed goes on, and a second one is instant.
A challenge is kept apart: policies that try the same plan against the same champion share it.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perennial import paths
from perennial.adapters import bundles, files
from perennial.adapters.engine import devices
from perennial.commands.past import Past, past
from perennial.core.dataset.plan import BatchRef
from perennial.core.model.candidate import Candidate, from_artefacts, to_artefacts
from perennial.core.monitoring.finding import Finding, Known
from perennial.core.replay.rules import Rule, decide
from perennial.errors import InputError
from perennial.params import Params

if TYPE_CHECKING:
    import numpy as np

    from perennial.core.case import Rows

STEPS, CHALLENGES = paths.REPLAY / "steps", paths.REPLAY / "challenges"
MODELS, STUDIES = paths.REPLAY / "models", paths.REPLAY / "studies"
OF_THE_POLICY = ("monitor", "policy")  # groups that only the decision follows from
BESIDE = ("data", "validation", "registry", "replay")  # groups that no step follows from
LATER = ("card", "proof", "summary.py")  # of core: what no step follows from


@dataclass(frozen=True)
class State:
    """Who is champion, under which plan, and what was tried; as champion.json keeps it."""

    digest: str
    plan: Mapping[str, Any]
    attempts: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Step:
    """What happened in a period, and the state that the next one starts from."""

    record: dict[str, Any]
    state: State
    scores: Path


def bootstrap(params: Params, start: str) -> State:
    """Make the candidate that all policies start from; no gate judges it.

    Raises:
        InputError: the batches up to `start` leave nothing to train on.
    """
    from perennial.core.dataset.plan import make_plan
    from perennial.core.replay.challenge import rows_of

    known = past(params)
    plan = make_plan(known.until(start)[1], params.split, "bootstrap", "bootstrap")
    path = CHALLENGES / f"{_key('bootstrap', plan, params, OF_THE_POLICY)}.json"
    kept = _read(path)
    if kept is None:
        rows = rows_of(plan, known.read)
        candidate = _fit(rows, _searched(rows, params), params).candidate
        kept = {"digest": _keep(candidate)}
        files.write_json(path, kept)
    digest = str(kept["digest"])
    attempt = {"period": start, "action": "bootstrap", "verdict": "promote", "digest": digest}
    return State(digest, plan, [attempt])


def step(rule: Rule, state: State, number: int, period: str, params: Params) -> Step:
    """Let one period arrive: score it, decide, and carry out what was decided.

    Args:
        rule: The policy.
        state: Before the period.
        number: Of the period, from 1 for the first after the start.
        period: Its name.
        params: All parameters.
    """
    known = past(params)
    accepted, labelled = known.until(period)
    beside = () if rule.kind == "drift" else OF_THE_POLICY
    follows = {"rule": rule.name, "number": number, "state": asdict(state), "accepted": accepted}
    path = STEPS / f"{_key('step', follows, params, beside)}.json"
    scores, kept = path.with_suffix(".npy"), _read(path)
    if kept is not None and scores.exists():
        return Step(kept["record"], State(**kept["state"]), scores)
    start = time.perf_counter()
    record: dict[str, Any] = {"period": period, "champion": state.digest}
    record |= _score(state, accepted[-1], known, params, scores)
    arrived = Known(state.plan, state.attempts, accepted, labelled)
    done, after = act(rule, number, arrived, state, known, params)
    own = time.perf_counter() - start - done.pop("spent")
    record |= {**done, "seconds": round(own + done["seconds"], 3)}
    files.write_bytes(path, files.exact_json_bytes({"record": record, "state": asdict(after)}))
    return Step(record, after, scores)


def act(
    rule: Rule, number: int, arrived: Known, state: State, known: Past, params: Params
) -> tuple[dict[str, Any], State]:
    """Decide about a period and carry it out; return what happened, and the state after it."""
    finding, plan = plan_for(rule, number, arrived, state, known, params)
    choice = finding.choice
    said: dict[str, Any] = {"action": choice.action, "because": choice.because, "why": choice.why}
    nothing = {"verdict": None, "judged": None, "candidate": None, "seconds": 0.0, "spent": 0.0}
    if plan is None:
        return {**said, **nothing}, state
    start = time.perf_counter()
    try:
        found = challenge(plan, state, known, params)
    except InputError as error:  # as one class only: the DAG's run would end here with exit 2
        return {**said, **nothing, "judged": "; ".join(error.faults)}, state
    said |= {name: found[name] for name in ("verdict", "judged", "candidate", "seconds")}
    said["spent"] = time.perf_counter() - start  # less than `seconds` where it was kept
    period = arrived.accepted[-1]["period"]
    attempt = {"period": period, "action": plan["action"], "verdict": found["verdict"]}
    tried = [*state.attempts, {**attempt, "digest": found["candidate"]}]
    if found["verdict"] == "promote":
        return said, State(found["candidate"], plan, tried)
    if found["candidate"] == state.digest:
        return said, state  # the champion itself was judged: no attempt (commands/attempts.py)
    return said, State(state.digest, state.plan, tried)


def plan_for(
    rule: Rule, number: int, arrived: Known, state: State, known: Past, params: Params
) -> tuple[Finding, dict[str, Any] | None]:
    """Return what a policy finds, and the plan that follows; None under `keep`."""
    from perennial.core.monitoring.planning import follow

    found = decide(rule, number, arrived, lambda: load(state.digest), known.read, params)
    if found.choice.action == "keep":
        return found, None
    recipe = None if found.choice.action == "retune" else load(state.digest).recipe
    return found, follow(found.choice, arrived, recipe, known.read, params)[0]


def challenge(plan: Mapping[str, Any], state: State, known: Past, params: Params) -> dict[str, Any]:
    """Carry a plan out and judge it, or return what came of it before."""
    from perennial.commands.proving import compare
    from perennial.core.replay.challenge import judge, rows_of

    follows = {"plan": plan, "champion": state.digest}
    path = CHALLENGES / f"{_key('challenge', follows, params, OF_THE_POLICY)}.json"
    if (kept := _read(path)) is not None:
        return kept
    start = time.perf_counter()
    rows = rows_of(plan, known.read)
    fitted = _fit(rows, plan["hyperparameters"] or _searched(rows, params), params)
    digest = _keep(fitted.candidate)
    found = judge(
        fitted,
        load(state.digest),
        lambda _: digest == state.digest,
        plan["because"] in ("drift", "harmful"),
        compare,
    )
    result = {
        "candidate": digest,
        "verdict": found.verdict,
        "judged": found.why,
        "seconds": round(time.perf_counter() - start, 3),
    }
    files.write_json(path, result)
    return result


@lru_cache(maxsize=4)
def load(digest: str) -> Candidate:
    """Return a model that this replay made."""
    return from_artefacts(bundles.read(MODELS / digest, digest))


def _fit(rows: "Rows", recipe: Mapping[str, Any], params: Params) -> Any:
    from perennial.core import case

    return case.fit(rows, params, recipe)


def _keep(candidate: Candidate) -> str:
    artefacts = to_artefacts(candidate)
    digest = bundles.digest_of(artefacts)
    if not (MODELS / digest).is_dir() or not bundles.is_whole(MODELS / digest, digest):
        bundles.write(MODELS / digest, artefacts)
    return digest


def _searched(rows: "Rows", params: Params) -> Mapping[str, Any]:
    """Search as the stage `tune` does; as JSON keeps it, so that a recipe is the same anywhere."""
    import pandas as pd

    from perennial.core.replay.challenge import training_part
    from perennial.stages import searching

    train = training_part(rows, params)
    content = pd.util.hash_pandas_object(train.features.assign(target=train.target), index=False)
    fitted_on = {"seed": params.seed, "folds": params.search.folds, "code": code()}
    folder = STUDIES / files.digest_of(content.to_numpy().tobytes(), fitted_on)
    choice, _ = searching.search(train, params.seed, params.search, folder, processes=1, threads=1)
    recipe: Mapping[str, Any] = json.loads(files.exact_json_bytes(choice["recipe"]))
    return recipe


def _score(state: State, ref: BatchRef, known: Past, params: Params, path: Path) -> dict[str, Any]:
    """Write the champion's probabilities of a period; return how good they are."""
    from perennial.core.replay import measure

    raw, target = known.read([ref])
    probability = load(state.digest).predict(raw)["probability"].to_numpy().round(9)
    _write_scores(path, probability)
    if target is None:
        return {"rows": len(raw), **dict.fromkeys(measure.MEASURES)}
    return {
        "rows": len(raw),
        **measure.period(target, probability, params.evaluation, params.seed),
    }


def _write_scores(path: Path, probability: "np.ndarray") -> None:
    import numpy as np

    with files.replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, probability)


def _read(path: Path) -> dict[str, Any] | None:
    """Return what was kept, or None; a torn file is as good as none."""
    try:
        return files.read_json(path, "")
    except InputError:
        return None


def _key(kind: str, follows: Mapping[str, Any], params: Params, beside: Sequence[str]) -> str:
    groups = params.model_dump(exclude={*BESIDE, *beside})
    exact = files.exact_json_bytes({"follows": follows, "params": groups})
    return files.digest_of(kind, exact, code())


@cache
def code() -> str:
    """Return the digest of the code and the libraries that a step follows from."""
    package = Path(__file__).parents[1]
    core = sorted(
        path
        for path in (package / "core").rglob("*.py")
        if not set(path.relative_to(package / "core").parts) & set(LATER)
    )
    beside = [Path(__file__), *sorted((package / "params").glob("*.py"))]
    beside += [package / "stages" / "exports.py", package / "stages" / "searching.py"]
    beside += [package / "adapters" / "onnx_export.py", package / "adapters" / "study.py"]
    libraries = [
        " ".join(devices.wheel()),
        *(f"{name} {version(name)}" for name in ("numpy", "scikit-learn")),
    ]
    return files.digest_of(*(path.read_bytes() for path in [*core, *beside]), *libraries)
