"""Two derivations of one version compared: what their locks, environments and reports differ in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["command", "dependency", "parameter", "output"]
KINDS: tuple[tuple[Kind, str], ...] = (("dependency", "deps"), ("output", "outs"))


@dataclass(frozen=True)
class Difference:
    """What differs in a stage: its command, a dependency, a parameter or an output.

    `recorded` and `derived` are its digest or value, None where it has none; `detail` tells what in
    it differs, where that is known.
    """

    stage: str
    kind: Kind
    name: str
    recorded: str | None
    derived: str | None
    detail: str | None = None


def differences(
    stage: str, recorded: Mapping[str, Any] | None, derived: Mapping[str, Any] | None
) -> list[Difference]:
    """Return what two lock entries of a stage differ in, what goes into it first.

    Args:
        stage: Its name.
        recorded: Its entry in the dvc.lock of the version; None if it has none.
        derived: Its entry in the dvc.lock of the derivation; None if it has none.
    """
    if recorded is None or derived is None:
        words = [None if entry is None else "a stage" for entry in (recorded, derived)]
        return [] if recorded is derived else [Difference(stage, "command", stage, *words)]
    found: list[Difference] = []
    if recorded.get("cmd") != derived.get("cmd"):
        commands = str(recorded.get("cmd")), str(derived.get("cmd"))
        found.append(Difference(stage, "command", "cmd", *commands))
    (into, deps), (out, outs) = KINDS
    found += _of(stage, into, _digests(recorded, deps), _digests(derived, deps))
    found += _of(stage, "parameter", _parameters(recorded), _parameters(derived))
    return found + _of(stage, out, _digests(recorded, outs), _digests(derived, outs))


def given(found: Sequence[Difference], made: Sequence[str]) -> list[Difference]:
    """Return the differences in what a stage was given, but for what other stages made.

    Args:
        found: A stage's differences.
        made: The outputs of all stages.
    """
    outside = [each for each in found if each.kind != "output"]
    return [each for each in outside if each.name not in made]


def environments(recorded: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """Return what two descriptions of an environment differ in, as `numpy 2.4.6 → 2.4.7`."""
    found = []
    names = [name for name in recorded if name not in ("schema_version", "packages", "cpu")]
    for name in names:
        old, new = recorded[name], here.get(name)
        if old != new:
            label = name.removesuffix("_sha256").replace("_", ".")
            found.append(f"{label} {_short(old)} → {_short(new)}")
    packages, now = recorded.get("packages", {}), here.get("packages", {})
    found += [
        f"{name} {packages.get(name) or 'absent'} → {now.get(name) or 'absent'}"
        for name in sorted({*packages, *now})
        if packages.get(name) != now.get(name)
    ]
    return found + _cpus(recorded.get("cpu") or {}, here.get("cpu") or {})


def first_in_json(recorded: Any, derived: Any, at: str = "") -> str | None:
    """Return the first place where two JSON values differ, as `a.b[2]: 1 → 2`; None if nowhere."""
    if isinstance(recorded, dict) and isinstance(derived, dict):
        for key in sorted({*recorded, *derived}):
            where = f"{at}.{key}" if at else str(key)
            if key not in recorded or key not in derived:
                return f"{where}: {'added' if key in derived else 'gone'}"
            if found := first_in_json(recorded[key], derived[key], where):
                return found
        return None
    if isinstance(recorded, list) and isinstance(derived, list) and len(recorded) == len(derived):
        pairs = enumerate(zip(recorded, derived, strict=True))
        tried = (first_in_json(one, other, f"{at}[{n}]") for n, (one, other) in pairs)
        return next((found for found in tried if found), None)
    if recorded == derived:
        return None
    return f"{at or 'all of it'}: {_text(recorded)} → {_text(derived)}"


def first_in_folder(recorded: Mapping[str, str], derived: Mapping[str, str]) -> str | None:
    """Return which files of a folder differ, the first of them and how many more."""
    names = sorted({*recorded, *derived})
    differing = [name for name in names if recorded.get(name) != derived.get(name)]
    if not differing:
        return None
    first = differing[0]
    how = "is gone" if first not in derived else "is new" if first not in recorded else "differs"
    more = f", and {len(differing) - 1} more of {len(names)} files" if differing[1:] else ""
    return f"{first} {how}{more}"


def _of(
    stage: str, kind: Kind, recorded: Mapping[str, str], derived: Mapping[str, str]
) -> list[Difference]:
    names = [*recorded, *(name for name in derived if name not in recorded)]
    pairs = [(name, recorded.get(name), derived.get(name)) for name in names]
    return [Difference(stage, kind, n, old, new) for n, old, new in pairs if old != new]


def _digests(entry: Mapping[str, Any], key: str) -> dict[str, str]:
    return {each["path"]: str(each.get("md5")) for each in entry.get(key, ())}


def _parameters(entry: Mapping[str, Any]) -> dict[str, str]:
    """Return each parameter by its file and its name, down to what can be told apart."""
    found: dict[str, str] = {}
    for file, groups in entry.get("params", {}).items():
        for name, value in groups.items():
            found |= _leaves(f"{file}: {name}", value)
    return found


def _leaves(name: str, value: Any) -> dict[str, str]:
    if isinstance(value, Mapping) and value:
        found: dict[str, str] = {}
        for key, item in value.items():
            found |= _leaves(f"{name}.{key}", item)
        return found
    return {name: _text(value)}


def _cpus(recorded: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    found = []
    if recorded.get("model") != here.get("model"):
        found.append(f"CPU {recorded.get('model')} → {here.get('model')}")
    old, new = set(recorded.get("features") or ()), set(here.get("features") or ())
    for label, names in (("without", old - new), ("with", new - old)):
        if names:
            found.append(f"CPU {label} {', '.join(sorted(names))}")
    return found


def _short(value: Any) -> str:
    text = str(value)
    return text[:12] if len(text) == 64 and " " not in text else text


def _text(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
