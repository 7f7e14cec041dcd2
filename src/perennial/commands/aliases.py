"""Aliases in the registry, for who serves: the champion, its challenger and a shadow.

- `champion` is who champion.json names.
- `challenger` is the newest version that was judged against just this champion and let pass; none
  if that one has been in charge itself. It moves when a newer one is judged, and goes when the
  champion changes: whoever challenged the last one was not compared with this one.
- `shadow` is set by hand, and goes when that version becomes champion.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from perennial.adapters import histories, registry
from perennial.adapters.bundles.champions import Champion
from perennial.adapters.files.configuration import read_params

CHAMPION, CHALLENGER, SHADOW = "champion", "challenger", "shadow"


def point(champion: Champion) -> str:
    """Have the registry hold the champion, which one made anew has lost, and the aliases be right.

    Returns:
        The version that the champion has in the registry.

    Raises:
        IntegrityError: the registry has lost it, and its bytes are not to be had; or the history
            was tampered with.
        UnreachableError: the registry can't be reached.
    """
    uri = registry.resolve(read_params("registry").registry.uri)
    entries = histories.read()
    version = registry.find_version(uri, champion.model, champion.digest)
    if version is None:
        from perennial.commands.refill import refill

        version = refill(uri, champion)
    settle(uri, champion, version, entries)
    return version


def settle(
    uri: str, champion: Champion, version: str, entries: Sequence[Mapping[str, Any]]
) -> None:
    """Set the three aliases for a champion that is registered under `version`."""
    registry.set_alias(uri, champion.model, CHAMPION, version)
    for alias, wanted in others(uri, champion, version, entries).items():
        if wanted is None:
            registry.drop_alias(uri, champion.model, alias)
        else:
            registry.set_alias(uri, champion.model, alias, wanted)


def others(
    uri: str, champion: Champion, version: str, entries: Sequence[Mapping[str, Any]]
) -> dict[str, str | None]:
    """Return the versions that are to be challenger and shadow; None where there is none to be."""
    known = registry.versions(uri, champion.model)
    shadow = registry.alias_version(uri, champion.model, SHADOW)
    there = shadow in [each.version for each in known] and shadow != version
    return {
        CHALLENGER: _challenger(known, registry.tags(uri, champion.model), champion, entries),
        SHADOW: shadow if there else None,
    }


def _challenger(
    known: Sequence[registry.Version],
    tags: Mapping[str, Mapping[str, str]],
    champion: Champion,
    entries: Sequence[Mapping[str, Any]],
) -> str | None:
    compared = [
        each
        for each in known
        if tags.get(each.version, {}).get("champion") == champion.digest
        and each.digest != champion.digest
    ]
    were = {entry["to"]["digest"] for entry in entries}
    return compared[-1].version if compared and compared[-1].digest not in were else None
