"""dvc.yaml says what each stage reads and writes; the code must agree, or a stage that should run
is skipped."""

import ast
from pathlib import Path

import grimp
import pytest
import yaml

ROOT = Path(__file__).parents[2]
PACKAGES = (  # each changes as one, is named as one: every entry of dvc.lock costs each stage time
    "src/perennial/params",
    "src/perennial/adapters/bundles",
    "src/perennial/adapters/dag",
    "src/perennial/adapters/engine",
    "src/perennial/adapters/files",
    "src/perennial/adapters/pages",
    "src/perennial/adapters/parquet",
    "src/perennial/adapters/registry",
    "src/perennial/core/card",
    "src/perennial/core/dataset",
    "src/perennial/core/drift",
    "src/perennial/core/evaluation",
    "src/perennial/core/gates",
    "src/perennial/core/incoming",
    "src/perennial/core/ledger",
    "src/perennial/core/model",
    "src/perennial/core/monitoring",
    "src/perennial/core/statistics",
)
OF_NO_OUTPUT = {  # what these decide is no byte of any output, so nothing is stale without them
    "src/perennial/errors.py",  # messages and exit codes; a stage that failed left nothing
    "src/perennial/names.py",  # which names are refused; what the registry's address may hold
    "src/perennial/paths.py",  # a path that moves moves in dvc.yaml too, as is held below
    "src/perennial/adapters/progress.py",  # what a person sees meanwhile
    "src/perennial/stages/running.py",  # how a stage ends, and how that is told
}
READERS = ("read_params", "read_plain")
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
ALWAYS = [stage for stage, entry in STAGES.items() if entry.get("always_changed")]
SKIPPED = [stage for stage in STAGES if stage not in ALWAYS]  # where nothing named has changed
GRAPH = grimp.build_graph("perennial", include_external_packages=False, cache_dir=None)


def module_of(stage: str) -> str:
    return STAGES[stage]["cmd"].removeprefix("python -m ")


def file_of(module: str) -> Path:
    path = ROOT / "src" / Path(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def reached(module: str) -> set[str]:
    """Every first-party module that has code and that `module` reaches, itself included; or the
    package that it changes with."""
    modules = {module} | GRAPH.find_upstream_modules(module)
    with_code = [m for m in modules if len(ast.parse(file_of(m).read_text()).body) > 1]
    named = [file_of(m).relative_to(ROOT).as_posix() for m in with_code]
    return {next((p for p in PACKAGES if _within(file, p)), file) for file in named} - OF_NO_OUTPUT


def declared(stage: str, key: str) -> set[str]:
    entries = STAGES[stage].get(key, [])
    return {entry if isinstance(entry, str) else next(iter(entry)) for entry in entries}


def constants(stage: str) -> set[str]:
    """The paths of perennial.paths that the stage's own file and its helpers in stages/ use."""
    from perennial import paths

    used: set[str] = set()
    for module in [module_of(stage), *GRAPH.find_upstream_modules(module_of(stage))]:
        if not module.startswith("perennial.stages."):
            continue
        for node in ast.walk(ast.parse(file_of(module).read_text())):
            if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "paths":
                used.add(getattr(paths, node.attr).as_posix())
    # local state: outcomes for `perennial`, and caches by content, which are never stale
    return {path for path in used if not _within(path, ".perennial")}


@pytest.mark.parametrize("stage", SKIPPED)
def test_deps_are_the_modules_a_stage_reaches(stage: str) -> None:
    """A module that is reached and not named would let DVC skip a stage whose code changed."""
    named = {dep for dep in declared(stage, "deps") if dep.startswith("src/")}
    assert named == reached(module_of(stage))


@pytest.mark.parametrize("stage", STAGES)
def test_params_are_the_groups_a_stage_reads(stage: str) -> None:
    """A group that is read and not named would let DVC skip a stage whose parameter changed."""
    groups: set[str] = set()
    for node in ast.walk(ast.parse(file_of(module_of(stage)).read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in READERS:
            groups |= {ast.literal_eval(argument) for argument in node.args}
    assert groups == declared(stage, "params") - {"champion.json"}


@pytest.mark.parametrize("stage", SKIPPED)
def test_params_are_the_keys_of_the_champion_that_a_stage_reads(stage: str) -> None:
    """One that is read and not named would let DVC skip a stage that another champion changes; one
    that is named and not read runs a stage, and lengthens dvc.lock, for nothing."""
    named = [one["champion.json"] for one in STAGES[stage]["params"] if isinstance(one, dict)]
    assert set().union(*named) == keys_of_the_champion(stage)


def keys_of_the_champion(stage: str) -> set[str]:
    """The attributes of a `champion` that the stage's own file and its helpers in stages/ use."""
    modules = {module_of(stage)} | GRAPH.find_upstream_modules(module_of(stage))
    return {
        node.attr
        for module in modules
        if module.startswith("perennial.stages.")
        for node in ast.walk(ast.parse(file_of(module).read_text()))
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "champion"
    }


@pytest.mark.parametrize("stage", SKIPPED)
def test_paths_of_the_project_that_a_stage_uses_are_its_deps_or_outs(stage: str) -> None:
    """A file that is read and not named would be stale unseen. What DVC does not own is excepted,
    each with its reason."""
    excepted = {
        "reports/data-docs",  # carry times
        "reports/registration.json",  # carries run ids
        "models/champion",  # by digest: champion.json's `digest` is the dependency
        "models/champion.sig",  # decides whether the champion is loaded, and changes no output
        "champion.json",  # its keys are among `params`
        "params.yaml",  # its groups are among `params`
    }
    if "data/plan.json" in declared(stage, "deps") or "champion.json" in declared(stage, "params"):
        excepted |= {"data/accepted", "data/batches"}  # by the digests that a plan names
    owned = set().union(*(declared(stage, key) for key in ("deps", "outs", "metrics")))
    covered = {used for used in constants(stage) if any(_within(used, own) for own in owned)}
    assert constants(stage) - excepted == covered - excepted


@pytest.mark.parametrize("stage", STAGES)
def test_what_dvc_watches_is_what_the_code_reads_and_writes(stage: str) -> None:
    """So a path that moves in the code moves in dvc.yaml: else DVC would watch the old one."""
    from perennial import paths

    known = {value.as_posix() for value in vars(paths).values() if isinstance(value, Path)}
    known.add("data/labels")  # as params.yaml names it
    watched = set().union(*(declared(stage, key) for key in ("deps", "outs", "metrics")))
    assert {path for path in watched if not path.startswith("src/")} <= known


@pytest.mark.parametrize("stage", ALWAYS)
def test_what_a_stage_that_always_runs_reads_was_made_by_stages_before_it(stage: str) -> None:
    """Its deps say only where it comes; what it reads must be there, and of this run, by then."""
    recorded = {  # of the project itself, as they are
        "champion.json",
        "data/batches",  # by the digests that a plan names
        "expectations",
        "history.jsonl",
        "models/champion",
        "params.yaml",
        "reports/registration.json",
    }
    made = set().union(
        *(declared(one, key) for one in before(stage) for key in ("outs", "metrics"))
    )
    assert {p for p in constants(stage) if not any(_within(p, m) for m in made)} == recorded
    assert before(stage) == set(SKIPPED)


def before(stage: str) -> set[str]:
    """Every stage that makes what this one depends on, and those before them."""
    needed = declared(stage, "deps")
    made = {one: declared(one, "outs") | declared(one, "metrics") for one in STAGES}
    direct = {one for one, outs in made.items() if any(_within(d, o) for d in needed for o in outs)}
    return direct.union(*(before(one) for one in direct))


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def test_a_missing_dependency_would_be_seen() -> None:
    """The check itself: a stage that reaches a module beyond those named is found out."""
    assert "src/perennial/core/gates" in reached("perennial.stages.gate")
    assert "src/perennial/core/gates" not in reached("perennial.stages.features")
