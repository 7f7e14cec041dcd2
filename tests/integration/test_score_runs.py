"""perennial score as it is run: by which model, again, after a kill, and from the command line."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.integration.folders import SOURCE, inside
from tests.integration.pipelines import NOBODY
from tests.integration.registered import HOLDOUT, NAME, Project, flip, raw
from tests.integration.scoring import crown, refused, scored
from typer.testing import CliRunner, Result

from perennial import paths
from perennial.adapters import registry
from perennial.cli import app
from perennial.commands import score as command
from perennial.commands.score import Wish
from perennial.core.model.candidate import Candidate
from perennial.errors import InputError, IntegrityError


def cli(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["score", *arguments])


# which model


def test_nobody_is_champion_is_an_error_that_says_what_to_do(month_to_score: Path) -> None:
    paths.CHAMPION.write_text(json.dumps(NOBODY))
    error = refused()
    assert error.exit_code == 2
    assert "nobody is champion" in error.faults[0]


def test_a_champion_of_other_bytes_is_not_asked(month_to_score: Path) -> None:
    file = paths.CHAMPION_BUNDLE / "member-00.ubj"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert isinstance(refused(), IntegrityError)


def test_another_version_is_fetched_from_the_registry_and_checked(project: Project) -> None:
    raw(HOLDOUT).to_parquet("in.parquet")
    found = scored(version="1", keep=("none",))
    pd.testing.assert_frame_equal(found, project.candidate.predict(raw(HOLDOUT)))
    with pytest.raises(InputError, match=f"{NAME} has no version 7"):
        scored(version="7")
    kept = Path(registry.versions(project.uri, NAME)[0].location.removeprefix("file://"))
    Path("out.parquet").unlink()
    flip(kept)
    try:
        assert isinstance(refused(version="1"), IntegrityError)
    finally:
        flip(kept)  # back again


# again, and killed


def test_what_is_known_is_not_scored_again_and_what_changed_is(
    month_to_score: Path, candidates: dict[str, Candidate]
) -> None:
    def known(**wish: Any) -> bool:
        done = command.score(Wish(Path("in.parquet"), Path("out.parquet"), **wish), lambda *_: None)
        assert done.tally.rows == len(raw(HOLDOUT))
        assert done.tally.handled
        return bool(done.files[0]["known"])

    assert not known()
    assert known()
    assert known(rows=5), "rows at once change nothing"
    assert not known(reasons=1)
    assert not known()
    Path("out.parquet").write_bytes(b"spoilt")
    assert not known()
    Path("out.parquet").unlink()
    assert not known()
    pd.read_parquet("in.parquet").to_parquet("in.parquet")
    assert not known()
    crown(candidates["logistic"])
    assert not known()


def test_a_folder_whose_scoring_was_killed_is_finished_by_scoring_it_again(
    month_to_score: Path,
) -> None:
    rows = pd.concat([raw(HOLDOUT)] * 10, ignore_index=True)
    for number in range(6):
        path = Path(f"many/part={number}/rows.parquet")
        path.parent.mkdir(parents=True)
        rows.assign(age=rows["age"] + number).to_parquet(path)
    wish = Wish(Path("many"), Path("expected"))
    command.score(wish, lambda *_: None)
    outputs = [Path(f"part={number}/rows.parquet") for number in range(6)]

    arguments = ["score", "--in", "many", "--out", "out", "--rows", "100"]
    process = subprocess.Popen(
        [sys.executable, "-m", "perennial.cli", *arguments],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not (Path("out") / outputs[0]).exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = [path for path in outputs if (Path("out") / path).exists()]
    assert 0 < len(done) < len(outputs), "killed midway"
    for path in done:
        assert (Path("out") / path).read_bytes() == (Path("expected") / path).read_bytes()
    first = (Path("out") / outputs[0]).stat().st_mtime_ns

    answer = cli("--in", "many", "--out", "out", "--json")
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.stdout)
    assert told["rows"] == 6 * len(rows)
    assert sum(file["known"] for file in told["files"]) in (len(done), len(done) - 1)
    for path in outputs:
        assert (Path("out") / path).read_bytes() == (Path("expected") / path).read_bytes()
        assert inside((Path("out") / path).parent) == {"rows.parquet"}, "nothing is left lying"
    if told["files"][0]["known"]:
        assert (Path("out") / outputs[0]).stat().st_mtime_ns == first


def test_two_that_write_one_output_do_not_mix(month_to_score: Path) -> None:
    from perennial.adapters import runlock

    target = Path("out.parquet")
    job = command.scoring.jobs(Path("in.parquet"), target, ["all"], {}, 0)[0]
    with runlock.alone(command._note(job).with_suffix(".lock")):
        error = refused()
    assert error.exit_code == 4


# the command line


def test_the_command_line_answers_with_a_summary_json_and_exit_codes(month_to_score: Path) -> None:
    answer = cli("--in", "in.parquet", "--out", "out.csv", "--keep", "age", "--reasons", "1")
    assert answer.exit_code == 0, answer.output
    assert "bank-deposits version 1" in answer.stdout
    header = Path("out.csv").read_text().splitlines()[0]
    assert header == '"age","probability","decision","reason_1","reason_1_shap"'
    told = json.loads(cli("--in", "in.parquet", "--out", "out.csv.gz", "--json").stdout)
    assert told["rows"] == len(raw(HOLDOUT))
    assert gzip.decompress(Path("out.csv.gz").read_bytes())
    wrong = cli("--in", "nowhere", "--out", "x.csv", "--json")
    assert wrong.exit_code == 2
    assert "Traceback" not in wrong.output
    assert json.loads(wrong.stdout)["faults"] == ["nowhere: no such file or folder"]


@pytest.mark.long
def test_memory_does_not_grow_with_the_file(month_to_score: Path) -> None:
    """Sixteen times the rows in one file, and in one row group, take no more memory to speak of."""
    peaks = []
    for times in (400, 6400):
        frame = pd.concat([pd.read_parquet("in.parquet")] * times, ignore_index=True)
        pq.write_table(pa.Table.from_pandas(frame), "large.parquet", row_group_size=len(frame))
        del frame
        code = (
            "import resource; from pathlib import Path;"
            "from perennial.commands.score import Wish, score;"
            f"score(Wish(Path('large.parquet'), Path('{times}.parquet')), lambda *_: None);"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(int(done.stdout) / 1024)
    assert peaks[1] < peaks[0] + 150, peaks
