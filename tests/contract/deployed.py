"""What `deploy/` holds, and what is wrong with it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SCHEMAS = ROOT / "tests/schemas"
KUBERNETES = json.loads((SCHEMAS / "kubernetes-1.36.json").read_text())
PINNED = re.compile(r"[\w./-]+:\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?|[\w./-]+@sha256:[0-9a-f]{64}")
Document = dict[str, Any]


def documents() -> Iterator[tuple[Path, Document]]:
    """Every Kubernetes object of deploy/kubernetes."""
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        if path.name != "kustomization.yaml":
            for document in yaml.safe_load_all(path.read_text()):
                yield path, document


def template(kind: str) -> Document:
    """The base job template of a Prefect work pool of this type."""
    content: Document = json.loads((DEPLOY / f"prefect/{kind}.json").read_text())
    return content


def against_schema(document: Document) -> list[str]:
    """Return what Kubernetes' own schema finds wrong: unknown keys, types, what is missing."""
    kind = KUBERNETES["kinds"].get(document.get("kind"))
    if kind is None:
        return [f"kind {document.get('kind')!r} is not known"]
    schema = {"$ref": f"#/$defs/{kind}", "$defs": KUBERNETES["$defs"]}
    found = Draft202012Validator(schema).iter_errors(document)
    return [f"{'/'.join(map(str, error.path))}: {error.message[:200]}" for error in found]


def pod(document: Document) -> Document | None:
    """The pod that an object makes."""
    spec: Document | None = document.get("spec", {}).get("template", {}).get("spec")
    return spec


def containers(document: Document) -> list[Document]:
    spec = pod(document) or {}
    return [*spec.get("initContainers", []), *spec.get("containers", [])]


def unsafe(document: Document) -> list[str]:
    """Return what a pod may do that it need not, and what it does not say."""
    spec = pod(document)
    if spec is None:
        return []
    context, found = spec.get("securityContext", {}), []
    if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
        found.append("may run as root")
    for one in containers(document):
        name, own = one["name"], one.get("securityContext", {})
        if not PINNED.fullmatch(one["image"]):
            found.append(f"{name}: image {one['image']} is not pinned")
        limits = one.get("resources", {}).get("limits", {})
        if not {"cpu", "memory"} <= set(limits):
            found.append(f"{name}: no limits")
        if own.get("allowPrivilegeEscalation") is not False or own.get("capabilities") != {
            "drop": ["ALL"]
        }:
            found.append(f"{name}: keeps privileges")
        if any(
            "SECRET" in e["name"] or "PASSWORD" in e["name"]
            for e in one.get("env", [])
            if "value" in e
        ):
            found.append(f"{name}: a secret is written down")
    found += [
        f"{one['name']}: no probe" for one in spec["containers"] if "livenessProbe" not in one
    ]
    return found
