"""The manifests of deploy/ are valid by the published schemas, and what they name is there."""

import copy
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from tests.contract.deployed import (
    DEPLOY,
    ROOT,
    SCHEMAS,
    Document,
    against_schema,
    containers,
    documents,
    pod,
    template,
    unsafe,
)

OBJECTS = list(documents())
NAMES = [f"{path.stem}-{d['kind']}-{d['metadata']['name']}" for path, d in OBJECTS]
POOLS = ("process", "docker", "kubernetes")
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
OURS = "registry.example.com/perennial"


@pytest.mark.parametrize("document", [d for _, d in OBJECTS], ids=NAMES)
def test_every_object_is_valid_by_kubernetes_own_schema_and_safe(document: Document) -> None:
    assert against_schema(document) == []
    assert unsafe(document) == []


def deployment(name: str) -> Document:
    found = (d for _, d in OBJECTS if d["kind"] == "Deployment")
    return copy.deepcopy(next(d for d in found if d["metadata"]["name"] == name))


FAULTS: list[tuple[str, Callable[[Document], Any]]] = [
    ("replica", lambda d: d["spec"].update(replica=2)),
    ("'two'", lambda d: d["spec"].update(replicas="two")),
    ("selector", lambda d: d["spec"].pop("selector")),
    ("containerport", lambda d: pod(d)["containers"][0]["ports"][0].update(containerport=1)),
    ("Deploymnt", lambda d: d.update(kind="Deploymnt")),
]


@pytest.mark.parametrize(("named", "plant"), FAULTS, ids=[name for name, _ in FAULTS])
def test_a_fault_of_form_is_found(named: str, plant: Callable[[Document], Any]) -> None:
    faulty = deployment("perennial-mlflow")
    plant(faulty)
    assert any(named in found for found in against_schema(faulty))


CARELESS: list[tuple[str, Callable[[Document], Any]]] = [
    ("may run as root", lambda d: pod(d)["securityContext"].pop("runAsNonRoot")),
    ("is not pinned", lambda d: containers(d)[0].update(image="perennial:latest")),
    ("is not pinned", lambda d: containers(d)[0].update(image="perennial")),
    ("no limits", lambda d: containers(d)[0]["resources"]["limits"].pop("memory")),
    ("keeps privileges", lambda d: containers(d)[0].pop("securityContext")),
    ("no probe", lambda d: containers(d)[0].pop("livenessProbe")),
    ("secret", lambda d: containers(d)[0]["env"].append({"name": "A_PASSWORD", "value": "x"})),
]


@pytest.mark.parametrize(("named", "plant"), CARELESS)
def test_a_pod_that_may_too_much_is_found(named: str, plant: Callable[[Document], Any]) -> None:
    faulty = deployment("perennial-mlflow")
    plant(faulty)
    assert any(named in found for found in unsafe(faulty))


def test_what_objects_refer_to_is_there() -> None:
    """Services find pods, pods their volumes and accounts; kustomization names every file."""
    objects = [d for _, d in OBJECTS]
    names = {(d["kind"], d["metadata"]["name"]) for d in objects}
    pods = [d["spec"]["template"] for d in objects if pod(d)]
    for service in (d for d in objects if d["kind"] == "Service"):
        wanted = service["spec"]["selector"].items()
        found = [p for p in pods if wanted <= p["metadata"]["labels"].items()]
        assert len(found) == 1, service["metadata"]["name"]
        ports = {port["name"] for c in found[0]["spec"]["containers"] for port in c["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports
    for one in pods:
        for volume in one["spec"].get("volumes", []):
            if claim := volume.get("persistentVolumeClaim"):
                assert ("PersistentVolumeClaim", claim["claimName"]) in names
        if account := one["spec"].get("serviceAccountName"):
            assert ("ServiceAccount", account) in names
    kustomization = yaml.safe_load((DEPLOY / "kubernetes/kustomization.yaml").read_text())
    files = {path.name for path, _ in OBJECTS} - {"jobs.yaml"}
    assert set(kustomization["resources"]) == files
    assert kustomization["images"][0]["name"] == OURS


def addresses(text: str) -> set[tuple[str, int]]:
    return {(h, int(p)) for h, p in re.findall(r"(?:http|tcp)://([a-z-]+):(\d+)", text)}


def test_addresses_lead_to_a_service_and_its_port() -> None:
    listening = {
        (d["metadata"]["name"], port["port"])
        for _, d in OBJECTS
        if d["kind"] == "Service"
        for port in d["spec"]["ports"]
    }
    text = "".join(p.read_text() for p in (DEPLOY / "kubernetes").glob("*.yaml"))
    named = addresses(text) | addresses((DEPLOY / "prefect/kubernetes.json").read_text())
    assert named
    assert named <= listening
    inside = addresses((DEPLOY / "compose.yaml").read_text())
    inside |= addresses((DEPLOY / "prefect/docker.json").read_text())
    assert {host for host, _ in inside} - {"localhost"} <= set(COMPOSE["services"])


def test_the_compose_file_is_valid_by_its_specification() -> None:
    schema = yaml.safe_load((SCHEMAS / "compose-spec.json").read_text())
    assert list(Draft202012Validator(schema).iter_errors(COMPOSE)) == []
    faulty = copy.deepcopy(COMPOSE)
    faulty["services"]["mlflow"]["imagge"] = "x"
    assert list(Draft202012Validator(schema).iter_errors(faulty))


def lines() -> list[list[str]]:
    """Every command that a container is started with."""
    found = [[*c.get("command", []), *c.get("args", [])] for _, d in OBJECTS for c in containers(d)]
    return found + [s["command"] for s in COMPOSE["services"].values() if "command" in s]


def test_commands_are_those_of_the_image_and_files_of_the_project() -> None:
    """The image has its programs in /project/.venv/bin, which the lock fills."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "WORKDIR /project" in dockerfile
    assert "ENV PATH=/project/.venv/bin:" in dockerfile
    assert "--uid 1000" in dockerfile
    locked = set(re.findall(r"(?m)^([a-z0-9-]+)==", (ROOT / "requirements.lock").read_text()))
    programs = {"mlflow": "mlflow", "prefect": "prefect", "dask": "distributed"}
    started = [line for line in lines() if line and line[0].startswith("/project/")]
    assert len(started) > 8
    for program, *rest in started:
        name = program.removeprefix("/project/.venv/bin/")
        assert name == "python" or programs[name] in locked, program
        if name == "python":
            assert (ROOT / rest[0]).is_file(), rest


def test_environment_variables_are_read_somewhere() -> None:
    """Our own by the code; a misspelt one would be silently without effect."""
    text = "".join(path.read_text() for path in DEPLOY.rglob("*") if path.is_file())
    code = "".join(p.read_text() for f in ("src", "flows") for p in (ROOT / f).rglob("*.py"))
    named = set(re.findall(r"\bPERENNIAL_[A-Z_]+", text))
    assert {"PERENNIAL_SCHEDULER", "PERENNIAL_ALERT_WEBHOOK"} <= named
    assert {name for name in named if f'"{name}"' not in code} == set()


def test_versions_are_those_of_the_project_and_its_lock() -> None:
    text = "".join(path.read_text() for path in DEPLOY.rglob("*") if path.is_file())
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert set(re.findall(rf"{OURS}:([^\s\"`]+)", text)) == {version}
    assert set(re.findall(r"newTag: (\S+)", text)) == {version}
    locked = re.search(r"(?m)^prefect==(\S+)", (ROOT / "requirements.lock").read_text())
    assert locked
    assert set(re.findall(r"image: prefecthq/prefect:([\d.]+)-", text)) == {locked[1]}


# Prefect's work pools


def published(kind: str) -> Document:
    """The base job template that Prefect itself publishes for this type of pool."""
    import json

    import prefect

    view = "server/api/collections_data/views/aggregate-worker-metadata.json"
    found = json.loads((Path(prefect.__file__).parent / view).read_text())
    own: Document = next(v[kind] for v in found.values() if kind in v)
    return own["default_base_job_configuration"]


@pytest.mark.parametrize("kind", POOLS)
def test_job_templates_have_prefects_variables_with_values_they_allow(kind: str) -> None:
    own, theirs = template(kind)["variables"], published(kind)["variables"]
    assert own["properties"].keys() == theirs["properties"].keys()
    for name, schema in own["properties"].items():
        assert schema | {"default": None} == theirs["properties"][name] | {"default": None}
        whole = {**schema, "definitions": own.get("definitions", {})}
        if "default" in schema and schema["default"] is not None:
            assert list(Draft202012Validator(whole).iter_errors(schema["default"])) == []


@pytest.mark.parametrize("kind", POOLS)
def test_prefect_takes_the_job_templates_and_refuses_a_name_that_is_no_variable(kind: str) -> None:
    from prefect.server.schemas.actions import WorkPoolCreate

    good = template(kind)
    WorkPoolCreate(name="perennial", type=kind, base_job_template=good)
    good["job_configuration"]["env"] = "{{ environment }}"
    with pytest.raises(ValueError, match="environment"):
        WorkPoolCreate(name="perennial", type=kind, base_job_template=good)


def test_the_job_of_the_kubernetes_pool_is_valid_and_safe_when_it_is_filled_in() -> None:
    content = template("kubernetes")
    defaults = {k: v.get("default") for k, v in content["variables"]["properties"].items()}
    defaults |= {"name": "run", "command": ["prefect", "flow-run", "execute"], "labels": {"a": "b"}}
    defaults["env"] = [{"name": k, "value": v} for k, v in defaults["env"].items()]

    def filled(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: filled(value) for key, value in node.items()}
        if isinstance(node, list):
            return [filled(one) for one in node]
        whole = re.fullmatch(r"\{\{ (\w+) \}\}", str(node))
        if whole:
            return defaults[whole[1]]
        return (
            re.sub(r"\{\{ (\w+) \}\}", lambda m: str(defaults[m[1]]), node)
            if isinstance(node, str)
            else node
        )

    job = filled(content["job_configuration"]["job_manifest"])
    assert against_schema(job) == []
    assert [fault for fault in unsafe(job) if "no probe" not in fault] == []  # a job ends
    assert pod(job)["containers"][0]["workingDir"] == "/project"


def test_deployments_are_for_the_pool_that_the_templates_make() -> None:
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    readme = (DEPLOY / "README.md").read_text()
    for each in deployments:
        assert each["work_pool"]["name"] == "perennial"
        assert (ROOT / each["entrypoint"].partition(":")[0]).is_file()
    for kind in POOLS:
        assert f"prefect work-pool create perennial --type {kind}" in readme
        assert f"deploy/prefect/{kind}.json" in readme
