"""Retraining as a scheduled job does it, against a bare Git remote and a folder as DVC's remote."""

import json
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import Project
from tests.e2e.remotes import Run, Site, deliver, retrain

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def released(done, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Both remotes with a champion of 2010-08 on them, and no later month."""
    site = Site(tmp_path_factory.mktemp("released"))
    project = done[0].copy(site.root / "author" / "project")
    site.git("init", "-q", "--bare", "-b", "main", str(site.bare), folder=site.root)
    site.git("remote", "add", "origin", str(site.bare), folder=project.folder)
    for month in ("2010-09", "2010-10", "2010-11"):
        (project.folder / f"data/batches/{month}.parquet").unlink()
    project.edit("params.yaml", r'as_of: "2010-08"', "as_of: latest")
    assert project.perennial("run").returncode == 0
    # a relative address, so that a copy of the site is a whole one
    assert project.dvc("remote", "add", "-d", "store", "../../store").returncode == 0
    assert project.dvc("push").returncode == 0
    site.publish(project, "champion of 2010-08")
    return site


@pytest.fixture(scope="module")
def retrained(released: Site, tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, Run]:
    """The same after two months that drifted came, and the job ran in a clone of its own."""
    site = released.copy(tmp_path_factory.mktemp("retrained") / "site")
    author = Project(site.root / "author" / "project")
    site.git("remote", "set-url", "origin", str(site.bare), folder=author.folder)
    deliver(author)
    site.publish(author, "September and October")
    return site, retrain(site.clone("runner"))


def test_a_drifted_month_becomes_a_branch(retrained: tuple[Site, Run]) -> None:
    """The branch holds what makes the candidate champion, on top of the commit that was run."""
    site, run = retrained
    assert run.code == 0, run.told
    assert run.outputs["verdict"] == "promote", run.told
    assert run.outputs["branch"] == "retrain/2010-10"
    assert run.outputs["pushed"] == "true"
    branches = site.branches()
    assert branches["retrain/2010-10"] == run.outputs["commit"]
    assert site.git("rev-parse", "retrain/2010-10^").strip() == branches["main"]
    changed = set(site.git("diff", "--name-only", "main", "retrain/2010-10").split())
    needed = {"champion.json", "dvc.lock", "history.jsonl", "models/champion.dvc"}
    assert needed <= changed
    assert {path for path in changed - needed if not path.startswith("reports/")} == set()


def test_the_summary_says_why(retrained: tuple[Site, Run]) -> None:
    """It names the verdict, the drift and the metrics' differences; it is the page of the run."""
    site, run = retrained
    champion = json.loads(site.git("show", "retrain/2010-10:champion.json"))
    drift = f"**{champion['plan']['because']}**"
    for wanted in (champion["digest"][:12], "promote: ", drift, "balance", "holdout.roc_auc.value"):
        assert wanted in run.summary
    page = site.root / "runner/project" / run.outputs["page"]
    assert page.read_text() == run.summary


def test_merging_it_is_the_release(retrained: tuple[Site, Run], tmp_path: Path) -> None:
    """A clone that merges and pulls has the champion's bytes; nothing is stale, and nothing is left
    to do but to fill its registry from them."""
    site = retrained[0].copy(tmp_path / "site")
    site.git("update-ref", "refs/heads/main", "refs/heads/retrain/2010-10")
    second = site.clone("second")
    pulled = second.dvc("pull")
    assert pulled.returncode == 0, pulled.stderr
    verified = second.perennial("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    before = (second.folder / "dvc.lock").read_bytes()
    again = second.dvc("repro")
    assert again.returncode == 0, again.stderr
    assert second.ran(again.stdout) <= {"register"}
    assert (second.folder / "dvc.lock").read_bytes() == before
    assert second.perennial("promote").returncode == 0
    digest = second.read("champion.json")["digest"]
    assert second.read("reports/registration.json")["digest"] == digest
    filled = second.perennial("verify", "--json")
    assert filled.returncode == 0, filled.stdout
    assert len(json.loads(filled.stdout)["checked"]) == 5  # the version, too
    assert site.git("status", "--porcelain", folder=second.folder) == ""


def test_a_registry_gets_a_champion_that_is_not_the_candidate(
    retrained: tuple[Site, Run], tmp_path: Path
) -> None:
    """After a challenge that failed, the candidate in the lock is the challenger."""
    site = retrained[0].copy(tmp_path / "site")
    clone = site.clone("clone")
    site.git("switch", "-q", "retrain/2010-10", folder=clone.folder)
    assert clone.dvc("pull").returncode == 0
    champion = site.git("show", "origin/main:champion.json", folder=clone.folder)
    (clone.folder / "champion.json").write_text(champion)
    site.git("checkout", "origin/main", "models/champion.dvc", folder=clone.folder)
    point = (
        "from perennial.adapters import champions;"
        "from perennial.commands import aliases; aliases.point(champions.read())"
    )
    pointed = clone.run(sys.executable, "-c", point)
    assert pointed.returncode == 0, pointed.stderr
    found = json.loads(clone.perennial("verify", "--json").stdout)["checked"]
    faulty = [each for each in found if each["faults"]]
    assert [each["what"] for each in faulty] == ["history.jsonl and champion.json"]  # not restored
    digest = json.loads(champion)["digest"]
    assert {"what": "bank-deposits version 1", "digest": digest, "faults": []} in found


def test_the_release_fails_without_the_bytes(retrained: tuple[Site, Run], tmp_path: Path) -> None:
    """What verify passes above, it does not pass in a clone that can't fetch the bundle."""
    site = retrained[0].copy(tmp_path / "site")
    site.git("update-ref", "refs/heads/main", "refs/heads/retrain/2010-10")
    shutil.rmtree(site.root / "store")
    second = site.clone("second")
    assert second.dvc("pull").returncode != 0
    assert second.perennial("verify").returncode == 3


@pytest.mark.long
def test_running_it_again_pushes_nothing(retrained: tuple[Site, Run]) -> None:
    """Neither where the first run left off, nor from the commit anew, with other times in it."""
    site, first = retrained
    before, runner = site.branches(), Project(site.root / "runner/project")
    for anew in (False, True):
        if anew:
            site.git("checkout", "--quiet", "--", ".", folder=runner.folder)
            (runner.folder / "history.jsonl").write_text(site.git("show", "main:history.jsonl"))
        again = retrain(runner)
        assert again.code == 0, again.told
        assert again.outputs["pushed"] == "false", again.told
        assert again.outputs["commit"] == first.outputs["commit"]
        assert site.branches() == before


def test_somebody_elses_commit_is_not_replaced(retrained: tuple[Site, Run], tmp_path: Path) -> None:
    """A person who worked on the branch does not lose their work to the next run."""
    site = retrained[0].copy(tmp_path / "site")
    person = site.clone("person")
    site.git("switch", "-q", "retrain/2010-10", folder=person.folder)
    site.git("commit", "-q", "--allow-empty", "-m", "mine", folder=person.folder)
    site.git("push", "-q", "origin", "HEAD", folder=person.folder)
    before, runner = site.branches(), Project(site.root / "runner/project")
    site.git("remote", "set-url", "origin", str(site.bare), folder=runner.folder)
    refused = retrain(runner)
    assert refused.code == 2, refused.told
    assert "somebody else" in refused.told
    assert site.branches() == before


def test_without_drift_nothing_is_pushed(released: Site, tmp_path: Path) -> None:
    """The champion stays, so there is nothing to merge."""
    site = released.copy(tmp_path / "site")
    run = retrain(site.clone("runner"))
    assert run.code == 0, run.told
    assert (run.outputs["branch"], run.outputs["pushed"]) == ("", "false")
    assert "nothing to merge" in run.summary
    assert "0 outputs not to be had" in run.summary
    assert set(site.branches()) == {"main"}


@pytest.mark.long
def test_a_request_is_for_once(released: Site, tmp_path: Path) -> None:
    """It retrains without drift; params.yaml and the lock are left as if nobody had asked."""
    site = released.copy(tmp_path / "site")
    runner = site.clone("runner")
    run = retrain(runner, "--request", "retrain")
    assert run.code == 0, run.told
    assert "the plan brings the champion's recipe" in run.told
    lock = yaml.safe_load((runner.folder / "dvc.lock").read_text())["stages"]
    assert lock["monitor"]["params"]["params.yaml"]["policy"]["request"] == "none"
    assert site.git("status", "--porcelain", "params.yaml", folder=runner.folder) == ""
    assert retrain(runner, "--request", "reverse").code == 2


@pytest.mark.long
def test_a_candidate_that_is_blocked_is_not_proposed(released: Site, tmp_path: Path) -> None:
    """Exit 1, a summary that names the gate, and nothing on either remote."""
    site = released.copy(tmp_path / "site")
    author = site.clone("author-too")
    author.edit("params.yaml", r"threshold: 0\.6 ", "threshold: 0.95 ")
    site.publish(author, "a higher floor")
    lock = yaml.safe_load((author.folder / "dvc.lock").read_text())
    plots = next(o for o in lock["stages"]["fairness"]["outs"] if o["path"] == "reports/fairness")
    (stored,) = (site.root / "store").rglob(f"{plots['md5'][2:]}*")
    stored.unlink()  # what can't be had is computed
    objects = sorted((site.root / "store").rglob("*"))
    run = retrain(site.clone("runner"))
    assert run.code == 1, run.told
    assert run.outputs["verdict"] == "block"
    assert "| quality_floor | fail (blocks) |" in run.summary
    assert "; 1 output not to be had" in run.summary
    assert set(site.branches()) == {"main"}
    assert sorted((site.root / "store").rglob("*")) == objects


def test_what_is_not_committed_is_not_run(released: Site, tmp_path: Path) -> None:
    """All of it is named; a request that a kill left behind is not among it."""
    site = released.copy(tmp_path / "site")
    runner = site.clone("runner")
    runner.edit("params.yaml", r"request: none", "request: retune")
    shutil.copy(
        runner.folder / "data/batches/2010-08.parquet",
        runner.folder / "data/batches/2010-09.parquet",
    )
    runner.edit("README.md", r"\A", "Mine. ")
    run = retrain(runner)
    assert run.code == 2, run.told
    assert "data/batches/2010-09.parquet" in run.told
    assert "README.md" in run.told
    assert "params.yaml" not in run.told
    assert (
        yaml.safe_load((runner.folder / "params.yaml").read_text())["policy"]["request"] == "none"
    )


@pytest.mark.parametrize(
    ("address", "code", "said"),
    [
        (None, 2, "dvc remote add -d"),
        ("s3://bucket/folder", 2, "make remote EXTRA=s3"),
        ("http://127.0.0.1:9/store", 4, "can't be reached"),
    ],
)
def test_a_remote_that_is_no_use_is_found_out_first(
    released: Site, tmp_path: Path, address: str | None, code: int, said: str
) -> None:
    """Before anything is computed, and with what to do about it."""
    site = released.copy(tmp_path / "site")
    runner = site.clone("runner")
    runner.dvc("remote", "remove", "store")
    if address is not None:
        runner.dvc("remote", "add", "-d", "store", address)
    site.publish(runner, "another remote")
    run = retrain(runner)
    assert run.code == code, run.told
    assert said in run.told
    assert "validate" not in run.told
