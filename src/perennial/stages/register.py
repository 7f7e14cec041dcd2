"""register: the candidate as a version in MLflow, once for its digest.

It runs in every `dvc repro`, so that a registry that was emptied is filled again; where nothing is
missing it reads a few files and the registry's database, and imports nothing that is slow.
"""

import json
from pathlib import Path
from typing import Any

from perennial import paths
from perennial.adapters import bundles, files, registry
from perennial.adapters.files.configuration import read_plain
from perennial.errors import InputError, IntegrityError
from perennial.stages.running import run

LOCK = Path("dvc.lock")
POINTER = paths.CHAMPION_BUNDLE.with_name(f"{paths.CHAMPION_BUNDLE.name}.dvc")
# what a version can be derived from, with what `recording` writes
ORIGIN = (paths.PLAN, paths.PARAMS, LOCK, paths.CHAMPION, POINTER)
REPORTS = (
    paths.VALIDATION_REPORT,
    paths.DRIFT_REPORT,
    paths.DRIFT_PLOTS,
    paths.FEATURES_REPORT,
    paths.LEAKS_REPORT,
    paths.SEARCH_REPORT,
    paths.METRICS,
    paths.SLICES_REPORT,
    paths.CURVES,
    paths.EXPLAIN_REPORT,
    paths.SHAP_PLOTS,
    paths.FAIRNESS_REPORT,
    paths.FAIRNESS_PLOTS,
    paths.BEHAVIOUR_REPORT,
    paths.PARITY_REPORT,
    paths.ONNX,
    paths.GATE_REPORT,
    paths.GATE_PAGE,
    paths.MODEL_CARD,
    paths.MODEL_CARD_PAGE,
)
MADE_FROM = "origin."  # starts the tag with the digest of a file of ORIGIN
# Runs and promotions write these; ORIGIN records them, and they make the code no other.
WRITTEN = (LOCK, Path("reports"), paths.PLAN, paths.CHAMPION, paths.HISTORY)
EXAMPLE_ROWS = 3
REMEDY = "Run `dvc repro`."


def register() -> None:
    """Register the candidate that the gate let pass, unless it is registered and all there."""
    params = read_plain("seed", "registry")
    model, uri = params["registry"]["model"], registry.resolve(params["registry"]["uri"])
    gate = _judged()
    digest = gate["candidate"]
    known = registry.find_version(uri, model, digest)
    if known is None:
        version = registry.register(uri, _record(model, gate, params["seed"]))
    else:
        version = next(v for v in registry.versions(uri, model) if v.version == known)
    report = files.json_bytes(
        {
            "schema_version": 1,
            "model": model,
            "version": version.version,
            "run_id": version.run_id,
            "digest": digest,
        }
    )
    if not paths.REGISTRATION.is_file() or paths.REGISTRATION.read_bytes() != report:
        files.write_bytes(paths.REGISTRATION, report)
    done = "registered" if known is None else "registered already"
    print(f"register: {model} version {version.version}, candidate {digest[:12]}: {done}")


def _judged() -> dict[str, Any]:
    """Return the gate's report on the candidate that is here, if it lets it pass."""
    gate = files.read_json(paths.GATE_REPORT, REMEDY)
    if gate["verdict"] not in ("promote", "keep"):
        raise InputError(
            f"{paths.GATE_REPORT}: the verdict is {gate['verdict']}, so nothing is registered",
            "See the gates that block, in the report; a blocked candidate is never registered.",
        )
    if found := bundles.faults(paths.CANDIDATE, gate["candidate"]):
        raise IntegrityError(found, f"It is not what the gate judged. {REMEDY}")
    return gate


def _record(model: str, gate: dict[str, Any], seed: int) -> registry.Record:
    from perennial.adapters.parquet import batches
    from perennial.core import examples, facts
    from perennial.core.model.candidate import MODEL, SPEC
    from perennial.stages import recording

    artefacts = bundles.read(paths.CANDIDATE, gate["candidate"])
    candidate, spec = json.loads(artefacts[MODEL]), json.loads(artefacts[SPEC])
    inputs = facts.raw_inputs(candidate, spec)
    plan = files.read_json(paths.PLAN, REMEDY)
    newest = plan["parts"]["holdout"][-1:]
    raw = batches.read_verified(newest, (paths.ACCEPTED, paths.BATCHES), list(inputs))
    origin = [path for path in ORIGIN if path.exists()] + recording.record(WRITTEN)
    return registry.Record(
        model=model,
        digest=gate["candidate"],
        bundle=paths.CANDIDATE,
        inputs=inputs,
        example=examples.typical(raw[newest[0]["period"]][list(inputs)], EXAMPLE_ROWS),
        params={"seed": seed, **facts.parameters(candidate, plan)},
        metrics=facts.measures(files.read_json(paths.METRICS, REMEDY)),
        datasets=plan["parts"],
        artifacts={
            "reports": [path for path in REPORTS if path.exists()],
            "origin": origin,
        },
        tags=_tags(gate) | {f"{MADE_FROM}{path.name}": files.sha256(path) for path in origin},
    )


def _tags(gate: dict[str, Any]) -> dict[str, str]:
    """Return what leads from a version to the DAG, the code and the decision; what is known."""
    from perennial.adapters import git, lockfile

    known = {
        "verdict": gate["verdict"],
        "champion": gate["champion"],
        "plan_sha256": files.sha256(paths.PLAN),
        "git_commit": git.commit(),
        "git_dirty": git.dirty(ignoring=WRITTEN),
        "dvc_lock_sha256": files.sha256(LOCK) if LOCK.is_file() else None,
    }
    upstream = lockfile.stage_digests(LOCK)
    upstream.pop("register", None)
    known |= {f"stage.{name}": digest for name, digest in upstream.items()}
    return {
        k: str(v).lower() if isinstance(v, bool) else v for k, v in known.items() if v is not None
    }


if __name__ == "__main__":
    run(register)
