"""params.yaml read into its strict models, with the line of each fault."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from perennial import paths
from perennial.adapters import files
from perennial.errors import InputError

if TYPE_CHECKING:
    from perennial.params import Params

TRIED = ("float", "int", "str", "bool")
REMEDY = "Correct params.yaml; docs/your-own-data.md tours it, Git has the version that shipped."


class _Groups:
    """The groups a stage asked for; any other is refused, so dvc.yaml's `params` stay true."""

    def __init__(self, params: "Params", names: Sequence[str]) -> None:
        self._groups = {name: getattr(params, name) for name in names}

    def __getattr__(self, name: str) -> Any:
        try:
            return self._groups[name]
        except KeyError:
            raise AttributeError(
                f"params group {name!r} was not asked for; name it in read_params() and in dvc.yaml"
            ) from None


def read_params(*groups: str, path: Path = paths.PARAMS) -> "Params":
    """Check all of params.yaml and return the groups named (all, if none is).

    Raises:
        InputError: the file is missing, is no YAML, or has unknown, missing or ill-typed keys;
            every fault is named with its line.
    """
    params = check(_text(path), path)
    return cast("Params", _Groups(params, groups)) if groups else params


def read_plain(*groups: str, path: Path = paths.PARAMS) -> dict[str, Any]:
    """Return the groups named as plain values, once all of params.yaml is found right.

    Checking takes an import of pydantic, half of what a stage takes that finds nothing to do. So
    the digest of what was found right is remembered, with that of the code that found it.

    Raises:
        InputError: as `read_params`.
    """
    text = _text(path)
    digest = files.digest_of(text, *(file.read_bytes() for file in _code())).encode()
    with contextlib.suppress(OSError):  # no memory: checked anew
        if paths.CHECKED.read_bytes() == digest:
            return _quick(text, path, groups)
    values = check(text, path).model_dump(by_alias=True)
    found = {name: values[name] for name in groups}
    with contextlib.suppress(OSError, ValueError, InputError, RecursionError):
        if _quick(text, path, groups) == found:  # the quick parser reads it as the other did
            files.write_bytes(paths.CHECKED, digest)
    return found


def _quick(text: str, path: Path, names: Sequence[str]) -> dict[str, Any]:
    document = _plain(_parsed(text, path, "safe"))
    return {name: document[name] for name in names}


def _code() -> list[Path]:
    """Return the files that say what is right."""
    package = Path(__file__).parents[2]
    models = sorted((package / "params").glob("*.py"))
    return [Path(__file__), package / "names.py", *models]


def check(text: str, path: Path = paths.PARAMS) -> "Params":
    """Return the parameters of a text that is, or is to be, `path`.

    Raises:
        InputError: as `read_params`.
    """
    from pydantic import ValidationError

    from perennial.params import Params

    with contextlib.suppress(ValueError, InputError, RecursionError):  # then told by the other
        return Params.model_validate(_plain(_parsed(text, path, "safe")))
    document = _parsed(text, path, "rt")  # knows its lines, and takes ten times as long
    try:
        return Params.model_validate(_plain(document))
    except ValidationError as error:
        items = {_keys(item): item for item in reversed(error.errors(include_url=False))}
        faults = [_fault(path, document, keys, items[keys]) for keys in reversed(items)]
        raise InputError(faults, REMEDY) from error


def trusted_keys(path: Path = paths.PARAMS) -> list[str]:
    """Return `registry.public_keys`, which decide whether something is loaded and nothing else: so
    no stage depends on them. None where there is no params.yaml, as in a folder of a proof.

    Raises:
        InputError: params.yaml is wrong.
    """
    return list(read_params(path=path).registry.public_keys) if path.is_file() else []


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file", REMEDY) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not readable as YAML: {error}", REMEDY) from error


def _parsed(text: str, path: Path, typ: Literal["safe", "rt"]) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        document = YAML(typ=typ).load(text)
    except YAMLError as error:
        raise InputError(f"{path}: not readable as YAML: {error}", REMEDY) from error
    if not isinstance(document, Mapping):
        raise InputError(f"{path}: holds no groups", REMEDY)
    return document


def _plain(node: Any) -> Any:
    """Strip ruamel's own types, which a strict model would refuse."""
    if isinstance(node, Mapping):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(item) for item in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _keys(item: Any) -> tuple[str | int, ...]:
    """Return where a fault is; pydantic adds which of several allowed types it tried there."""
    keys = [part for part in item["loc"] if part != "function-after"]
    return tuple(keys[:-1] if keys and keys[-1] in TRIED else keys)


def _fault(path: Path, document: Any, keys: Sequence[str | int], item: Any) -> str:
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "extra_forbidden":
        message = "unknown key"
    elif item["type"] == "missing":
        message = "missing key"
    elif not isinstance(item["input"], Mapping | list):
        message += f", not {item['input']!r}"
    return f"{path}, line {_line(document, keys)}, {'.'.join(map(str, keys))}: {message}"


def _line(document: Any, keys: Sequence[str | int]) -> int:
    """Return the 1-based line of the innermost key that the document has."""
    line, node = 1, document
    for key in keys:
        try:
            position = node.lc.item(key) if isinstance(key, int) else node.lc.key(key)
            line, node = position[0] + 1, node[key]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line
