"""A version's lineage as W3C PROV: entities by digest, the stages as activities that used and
generated them."""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from perennial.commands.lineage import Lineage
from perennial.errors import InputError

if TYPE_CHECKING:
    from prov.model import ProvDocument

NAMESPACE = "urn:perennial:"


def document(found: Lineage) -> str:
    """Return a lineage as PROV-JSON; the same lineage gives the same text.

    Raises:
        InputError: the library that writes it is not installed.
    """
    if find_spec("prov") is None:
        raise InputError(
            "--format prov: the package prov is not installed",
            "pip install 'perennial[prov]', or use --json.",
        )
    made = _document(found)
    text: str = made.serialize(format="json", indent=1)
    return text


def _document(found: Lineage) -> "ProvDocument":
    from prov.model import ProvDocument

    made = ProvDocument()
    made.add_namespace("perennial", NAMESPACE)
    model = _entity(made, found.digest, f"{found.model} version {found.version or '?'}", "model")
    derivation = made.activity(_name(f"derivation-{found.digest[:12]}"))
    made.wasGeneratedBy(model, derivation, identifier=_name("generated"))
    for part, refs in found.data.items():
        for ref in refs:
            batch = _entity(made, ref["sha256"], f"batch {ref['period']}", "batch")
            identifier = _name(f"used-{part}-{ref['period']}")
            made.used(
                derivation, batch, identifier=identifier, other_attributes={_name("part"): part}
            )
            made.wasDerivedFrom(model, batch, identifier=_name(f"derived-{part}-{ref['period']}"))
    inputs = (("plan", found.plan), ("params.yaml", found.params))
    for label, content in inputs:
        if content:
            entity = _entity(made, content["sha256"], label, "configuration")
            made.used(derivation, entity, identifier=_name(f"used-{label}"))
    _code(made, derivation, found.code)
    if found.parent and found.parent["digest"] not in (None, found.digest):
        label = f"{found.model} version {found.parent['version'] or '?'}"
        parent = _entity(made, found.parent["digest"], label, "model")
        made.wasInfluencedBy(model, parent, identifier=_name("compared-with"))
    for stage, each in found.stages.items():
        _stage(made, derivation, stage, each)
    return made


def _stage(made: "ProvDocument", derivation: Any, stage: str, each: Any) -> None:
    activity = made.activity(
        _name(f"stage-{each['digest'][:12]}"), other_attributes={"prov:label": stage}
    )
    made.wasInformedBy(derivation, activity, identifier=_name(f"informed-{stage}"))
    for path, md5 in each["outs"].items():
        output = made.entity(_name(f"md5-{md5}"), {"prov:label": path, "prov:type": "output"})
        made.wasGeneratedBy(output, activity, identifier=_name(f"made-{stage}-{path}"))


def _code(made: "ProvDocument", derivation: Any, code: Any) -> None:
    if not code or not code.get("commit"):
        return
    entity = made.entity(
        _name(f"commit-{code['commit']}"),
        {"prov:label": "code", "prov:type": "commit", _name("dirty"): bool(code.get("dirty"))},
    )
    made.used(derivation, entity, identifier=_name("used-code"))


def _entity(made: "ProvDocument", digest: str, label: str, kind: str) -> Any:
    name = _name(f"sha256-{digest}")
    known = made.get_record(name)
    return known[0] if known else made.entity(name, {"prov:label": label, "prov:type": kind})


def _name(local: str) -> str:
    """Return a name of ours; a path in it is no path there."""
    return f"perennial:{local.replace('/', '.')}"
