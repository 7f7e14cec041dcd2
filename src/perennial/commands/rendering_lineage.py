"""What a person reads of where a version comes from, of a batch's descent, of a reproduction."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from perennial.commands.descent import Descent
from perennial.commands.lineage import Lineage
from perennial.commands.reproduce import Reproduction
from perennial.commands.wording import digest, plural

VERDICTS = {"pass": "passed", "fail": "failed", "insufficient": "unclear"}
UNKNOWN = "not recorded"
NAMED = 6  # batches, files and packages, so many are named one by one


def lineage(found: Lineage) -> RenderableType:
    """Return the tree of all that a version was made from."""
    who = f"{found.model} version {found.version or '—'} ({digest(found.digest)})"
    tree = Tree(Text(f"{who}{', the champion' if found.champion else ''}", "bold"))
    _leaf(tree, "recorded by", found.source)
    _decision(tree, found.decision)
    _data(tree, found)
    _leaf(tree, "seed", UNKNOWN if found.seed is None else str(found.seed))
    _parameters(tree, found.params)
    _code(tree, found.code)
    _stages(tree, found.stages)
    _environment(tree, found.environment)
    parent = _leaf(tree, "compared with champion", _rival(found))
    for each in found.ancestors:
        parent = _leaf(parent, "before it", _named(each))
    if found.children:
        _leaf(tree, "compared with it", ", ".join(map(_named, found.children)))
    return tree


def descent(found: Descent) -> RenderableType:
    """Return which versions have seen a batch, and whether it is still what they saw."""
    there = f"SHA-256 {digest(found.sha256)}" if found.sha256 else "not here"
    labelled = found.accepted if found.accepted != found.sha256 else None
    title = f"batch {found.period}: {there}" + (
        f", accepted {digest(labelled)}" if labelled else ""
    )
    if not found.versions:
        return Text(f"{title}\nNo version has seen it.")
    table = Table(box=None, pad_edge=False)
    for name in ("version", "digest", "verdict", "seen in", "bytes", "known from"):
        table.add_column(name, overflow="fold")
    for each in found.versions:
        star = " ★" if each["champion"] else ""
        table.add_row(
            Text(f"{each['version']}{star}"),
            Text(digest(each["digest"])),
            Text(each["verdict"] or "—"),
            Text(", ".join(each["parts"])),
            _bytes(each),
            Text(each["source"]),
        )
    return Group(Text(title, "bold"), table)


def reproduction(found: Reproduction) -> RenderableType:
    """Return what came of a derivation, stage by stage."""
    if not found.equal:
        where = Text(f"\nThe derivation is kept in {found.folder}.")
        return Group(
            Text(f"\n{found.name} ({digest(found.digest)}): not reproduced", "bold red"), where
        )
    outputs = plural(sum(each.outputs for each in found.stages), "output", "outputs")
    stages = plural(len(found.stages), "stage", "stages")
    who = f"\n{found.name} ({digest(found.digest)}): reproduced"
    text = f"{outputs} of {stages}, the same bytes each."
    kept = f" They are kept in {found.folder}." if found.folder else ""
    return Group(Text(who, "bold green"), Text(f"{text}{kept}"))


def _rival(found: Lineage) -> str:
    if found.parent is None:
        return "nobody"
    itself = found.parent["digest"] == found.digest
    return "itself: recorded after it took charge" if itself else _named(found.parent)


def _leaf(tree: Tree, name: str, value: str) -> Tree:
    return tree.add(Text.assemble((f"{name}: ", "bold"), value))


def _decision(tree: Tree, decision: Mapping[str, Any] | None) -> None:
    if decision is None:
        _leaf(tree, "verdict", UNKNOWN)
        return
    said = [f"{n} {VERDICTS.get(verdict, verdict)}" for verdict, n in decision["gates"].items()]
    leaf = _leaf(
        tree, "verdict", f"{decision['verdict']}" + (f"; gates: {', '.join(said)}" if said else "")
    )
    if decision["why"]:
        leaf.add(Text(decision["why"], "dim"))


def _data(tree: Tree, found: Lineage) -> None:
    plan = found.plan
    what = (
        f"{plan['action']}, because: {plan['because']} ({digest(plan['sha256'])})"
        if plan
        else UNKNOWN
    )
    leaf = _leaf(tree, "plan", what)
    for part, refs in found.data.items():
        rows = sum(ref["rows"] for ref in refs)
        size = f"{plural(len(refs), 'batch', 'batches')}, {rows:,} rows"
        ends = f"{refs[0]['period']} to {refs[-1]['period']}, {size}" if refs else "no batch"
        branch = _leaf(leaf, part, ends)
        for ref in refs[-NAMED:]:
            branch.add(Text(f"{ref['period']} {digest(ref['sha256'])}, {ref['rows']:,} rows"))
        if len(refs) > NAMED:
            branch.add(Text(f"and {len(refs) - NAMED} before (--json has all)", "dim"))


def _parameters(tree: Tree, params: Mapping[str, Any] | None) -> None:
    if params is None:
        _leaf(tree, "params.yaml", UNKNOWN)
        return
    read = plural(len(params["groups"]), "group", "groups")
    _leaf(tree, "params.yaml", f"{digest(params['sha256'])}, {read} read by stages")


def _code(tree: Tree, code: Mapping[str, Any] | None) -> None:
    if code is None:
        _leaf(tree, "code", UNKNOWN)
        return
    commit = code.get("commit")
    state = f"commit {commit[:12]}" if commit else "no Git"
    changed: Sequence[Mapping[str, Any]] = code.get("changed", ())
    if changed:
        state += f", and {plural(len(changed), 'file', 'files')} changed since"
    elif code.get("dirty"):
        state += "; nothing that a stage reads differed from it"
    leaf = _leaf(tree, "code", state)
    for each in changed[:NAMED]:
        leaf.add(Text(f"{each['state']} {each['path']} {digest(each['sha256'])}"))
    if len(changed) > NAMED:
        leaf.add(Text(f"and {len(changed) - NAMED} more (--json has all)", "dim"))
    if code.get("left_out"):
        leaf.add(Text(f"the difference itself was not kept: {code['left_out']}", "yellow"))


def _stages(tree: Tree, stages: Mapping[str, Mapping[str, Any]]) -> None:
    leaf = _leaf(tree, "dvc.lock", f"{len(stages)} stages" if stages else UNKNOWN)
    for name, each in stages.items():
        outs = plural(len(each["outs"]), "output", "outputs")
        leaf.add(Text(f"{name} {digest(each['digest'])}, {outs}"))


def _environment(tree: Tree, environment: Mapping[str, Any] | None) -> None:
    if environment is None:
        _leaf(tree, "environment", UNKNOWN)
        return
    lock = digest(environment["requirements_lock_sha256"])
    leaf = _leaf(tree, "environment", f"{environment['python']}, {environment['platform']}")
    leaf.add(Text(f"requirements.lock {lock}"))
    cpu = environment["cpu"]
    leaf.add(Text(f"{cpu['model'] or 'CPU'}: {_features(cpu['features'] or ())}"))
    known = {name: version for name, version in environment["packages"].items() if version}
    leaf.add(Text(", ".join(f"{name} {version}" for name, version in known.items())))


def _features(names: Sequence[str]) -> str:
    """Return a CPU's features in a line: the many of one family as one."""
    family = "avx512"
    many = [name for name in names if name.startswith(family)]
    rest = [name for name in names if name not in many]
    return ", ".join([*rest, *([f"{family} ({len(many)} kinds)"] if many else [])]) or UNKNOWN


def _named(version: Mapping[str, str | None]) -> str:
    number = (
        f"version {version['version']}" if version["version"] else "a version not registered here"
    )
    return f"{number} ({digest(version['digest'])})"


def _bytes(each: Mapping[str, Any]) -> Text:
    if each["same"]:
        return Text("as now")
    if each["same"] is None:
        return Text(f"{digest(each['sha256'])}; the batch is not here", "yellow")
    return Text(f"{digest(each['sha256'])}: the batch has other bytes now", "red")
