"""Challenger and shadow: when they are set, when they move, and when they go."""

import json

import pytest
from tests.integration.pipelines import Pipeline
from tests.integration.released import MODEL, alias, champion, digest_of, judge, uri
from typer.testing import CliRunner

from perennial import paths
from perennial.adapters import registry
from perennial.cli import app
from perennial.commands import aliases
from perennial.commands.promote import promote
from perennial.commands.rollback import rollback
from perennial.commands.shadow import shadow
from perennial.core.model.candidate import Candidate
from perennial.errors import InputError, IntegrityError


def another(model: Candidate, note: str) -> Candidate:
    """The same model under another digest."""
    return Candidate(**(vars(model) | {"recipe": {**model.recipe, "note": note}}))


def test_the_challenger_is_the_newest_that_was_judged_against_the_champion(
    released: Pipeline, models: dict[str, Candidate]
) -> None:
    """It moves with each, and goes when the champion changes, whichever way."""
    assert alias("challenger") is None
    for note, version in (("one", "4"), ("two", "5")):
        judge(released, another(models["3"], note), note, "keep")
        assert aliases.point(champion()) == "3"
        assert alias("challenger") == version
    judge(released, another(models["3"], "three"), "three")
    promote()
    assert (alias("champion"), alias("challenger")) == ("6", None)
    rollback()
    assert (alias("champion"), alias("challenger")) == ("3", None), "6 has been in charge"
    rollback(to="1")
    assert alias("challenger") is None
    rollback(to="3")
    judge(released, another(models["3"], "four"), "four", "keep")
    aliases.point(champion())
    assert alias("challenger") == "7"


@pytest.mark.usefixtures("released")
def test_a_shadow_is_set_by_hand_and_goes_when_it_becomes_champion() -> None:
    assert shadow(None) == {"schema_version": 1, "model": MODEL, "shadow": None}
    assert shadow("1")["shadow"] == "1"
    aliases.point(champion())
    assert alias("shadow") == "1", "what a person set stays"
    assert shadow("2")["shadow"] == "2"
    assert shadow(None, clear=True)["shadow"] is None
    shadow("1")
    rollback(to="2")
    assert alias("shadow") == "1"
    rollback()
    assert alias("shadow") is None


@pytest.mark.usefixtures("released")
def test_a_shadow_that_makes_no_sense_is_refused() -> None:
    for version, said in (("3", "is the champion"), ("9", "no version 9"), ("x", "no version x")):
        with pytest.raises(InputError, match=said):
            shadow(version)
    with pytest.raises(InputError, match="only one of them"):
        shadow("1", clear=True)
    for path in paths.REGISTRY.rglob("artifacts/bundle/model.json"):
        path.write_bytes(b"{}")
    with pytest.raises(IntegrityError, match=r"model\.json"):
        shadow("1")
    assert alias("shadow") is None


@pytest.mark.usefixtures("released")
def test_both_are_shown_and_mlflow_reads_them() -> None:
    """They are set without MLflow, so MLflow's own client has to find them."""
    registry.set_alias(uri(), MODEL, "challenger", "2")
    assert CliRunner().invoke(app, ["shadow", "1"]).output == "shadow: version 1\n"
    shown = " ".join(CliRunner().invoke(app, ["status"]).output.split())
    assert "challenger version 2 shadow version 1" in shown
    found = json.loads(CliRunner().invoke(app, ["status", "--json"]).stdout)["aliases"]
    assert found == {"challenger": "version 2", "shadow": "version 1"}
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri(), registry_uri=uri())
    known = client.get_registered_model(MODEL).aliases
    assert {name: str(version) for name, version in known.items()} == {
        "champion": "3",
        "challenger": "2",
        "shadow": "1",
    }
    client.set_registered_model_alias(MODEL, "shadow", "2")
    assert alias("shadow") == "2"
    registry.drop_alias(uri(), MODEL, "shadow")
    assert "shadow" not in client.get_registered_model(MODEL).aliases
    assert client.get_model_version_by_alias(MODEL, "champion").tags["digest"] == digest_of("3")
