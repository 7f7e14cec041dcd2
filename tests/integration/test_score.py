"""perennial score: what the model says of each row, whatever holds the rows and however they are
cut up."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.integration.registered import HOLDOUT, TRAIN, raw
from tests.integration.scoring import crown, scored

from perennial import paths
from perennial.adapters import bundles
from perennial.adapters.serving import Served
from perennial.commands import score as command
from perennial.commands.score import Wish
from perennial.core.dataset import features as core
from perennial.core.model.candidate import Candidate

ADDED = ["probability", "decision"]


def pyfunc(rows: pd.DataFrame) -> pd.DataFrame:
    """What the registered model says, by the methods that MLflow calls."""
    served, digest = Served(), bundles.digest(paths.CHAMPION_BUNDLE)

    context = SimpleNamespace(
        artifacts={"bundle": paths.CHAMPION_BUNDLE}, model_config={"digest": digest}
    )
    served.load_context(context)
    return served.predict(context, rows)


# what is said


@pytest.mark.parametrize("rows", [5, 64, 65, 10_000])
def test_it_says_what_the_pyfunc_says_of_each_row_however_many_at_once(
    month_to_score: Path, rows: int
) -> None:
    source = raw(HOLDOUT).drop(columns="deposit").head(130)
    source.to_parquet("in.parquet")
    pd.testing.assert_frame_equal(scored(rows=rows), source.join(pyfunc(source)))


def test_the_same_rows_give_the_same_bytes_in_whatever_pieces(
    month_to_score: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from perennial.adapters.tables import writing

    monkeypatch.setattr(writing, "ROWS", 100)  # three row groups
    for name in ("out.parquet", "out.csv", "out.csv.gz"):
        written = set()
        for rows in (None, 30, 100, 101):
            Path(name).unlink(missing_ok=True)
            scored(target=name, rows=rows, reasons=2)
            written.add(Path(name).read_bytes())
        assert len(written) == 1


@pytest.mark.parametrize("name", ["in.csv", "in.csv.gz", "in.tsv"])
def test_a_csv_file_is_scored_as_its_rows_in_parquet_are(month_to_score: Path, name: str) -> None:
    source = raw(HOLDOUT).drop(columns="deposit")
    source.to_csv(name, index=False, sep="\t" if name == "in.tsv" else ",")
    expected = pyfunc(source)
    found = scored(name, rows=90)
    pd.testing.assert_frame_equal(found[ADDED], expected)
    back = scored(name, "out.csv")
    assert (back["probability"] == expected["probability"]).all(), "no digit is lost"
    pd.testing.assert_frame_equal(back[source.columns.tolist()], source, check_dtype=False)


@pytest.mark.parametrize("kind", ["boosted", "logistic"])
def test_odd_rows_are_scored_as_the_pyfunc_scores_them(
    month_to_score: Path, candidates: dict[str, Candidate], kind: str
) -> None:
    """Nulls, unseen levels, codes with a fraction, numbers as text, dictionaries and infinity."""
    crown(candidates[kind])
    source = pd.concat([raw(HOLDOUT)] * 2, ignore_index=True).drop(columns="deposit")
    source["age"] = source["age"].astype("float64").where(source.index % 3 != 0)
    source["balance"] = source["balance"].astype(str)
    source.loc[::5, "balance"] = None
    source["job"] = source["job"].astype("category").where(source.index % 7 != 0)
    source["contact"] = source["contact"].where(source.index % 4 != 0, "by pigeon")
    source["campaign"] = source["campaign"].astype("float64").replace(1.0, np.inf)
    source["housing"] = source["housing"] == "yes"
    source["marital"] = np.arange(len(source)) % 3
    source.to_parquet("odd.parquet")
    for rows in (60, 1000):
        pd.testing.assert_frame_equal(scored("odd.parquet", rows=rows)[ADDED], pyfunc(source))


def test_what_csv_calls_missing_is_missing(month_to_score: Path) -> None:
    head = raw(HOLDOUT).drop(columns="deposit").head(4)
    text = head.astype(str).assign(age=["NA", "", "null", " 35 "], job=["NA", "", "N/A", "admin."])
    text.to_csv("in.csv", index=False)
    expected = head.assign(age=[None, None, None, 35], job=[None, None, None, "admin."])
    pd.testing.assert_frame_equal(scored("in.csv")[ADDED], pyfunc(expected))


def test_codes_that_were_written_as_fractions_are_the_levels_they_were(
    month_to_score: Path, candidates: dict[str, Candidate]
) -> None:
    from dataclasses import replace

    spec = candidates["boosted"].spec
    job = replace(spec.fitted["job"], levels=("0", "1", "2"))
    model = replace(
        candidates["boosted"],
        spec=replace(spec, fitted={**spec.fitted, "job": job}),
    )
    from perennial.adapters.tables import Column, to_frame

    column = Column(False, levels=frozenset(model.spec.fitted["job"].levels or ()))
    cells = pa.table({"job": ["1.0", "2", "01", "3.0", "x", ""]})
    found, bad = to_frame(cells, {"job": column}, from_text=True)
    assert found["job"].astype(object).where(found["job"].notna(), None).tolist() == [
        *("1", "2", "1", "3.0", "x", None)
    ]
    assert not bad


@pytest.mark.parametrize("rows", [0, 1])
@pytest.mark.parametrize("name", ["few.parquet", "few.csv", "few.csv.gz"])
def test_no_row_and_one_row_are_files_too(month_to_score: Path, name: str, rows: int) -> None:
    source = raw(HOLDOUT).drop(columns="deposit").head(rows)
    source.to_parquet(name) if name == "few.parquet" else source.to_csv(name, index=False)
    found = scored(name, f"out-{name}", reasons=1)
    assert len(found) == rows
    added = [*ADDED, "reason_1", "reason_1_shap"]
    assert found.columns.tolist() == [*source.columns, *added]


def test_a_csv_header_without_the_end_of_its_line_has_no_rows(month_to_score: Path) -> None:
    Path("in.csv").write_text(",".join(raw(HOLDOUT).columns))
    assert len(scored("in.csv")) == 0


def test_reasons_are_the_largest_shap_values_with_their_sign(
    month_to_score: Path, candidates: dict[str, Candidate]
) -> None:
    model, found = candidates["boosted"], scored(reasons=3, rows=50)
    values, _ = model.contributions(model.spec.transform(raw(HOLDOUT)))
    table = pd.DataFrame(values, columns=list(model.spec.columns))
    for index in range(0, len(found), 37):
        expected = table.loc[index].abs().nlargest(3)
        for place, (_, size) in enumerate(expected.items(), start=1):
            told = found.loc[index, [f"reason_{place}", f"reason_{place}_shap"]]
            assert abs(told.iloc[1]) == pytest.approx(size)
            assert told.iloc[1] == pytest.approx(table.loc[index, told.iloc[0]])


def test_what_had_to_be_handled_is_counted_over_all_pieces_and_files(
    month_to_score: Path, candidates: dict[str, Candidate]
) -> None:
    source = raw(HOLDOUT)
    source.loc[:9, "age"] = 1  # below the training range
    source["poutcome"] = source["poutcome"].where(source.index >= 20, None)
    source.loc[20:24, "poutcome"] = "never heard of"
    Path("many").mkdir()
    for number in range(2):
        source.to_parquet(f"many/{number}.parquet")
    done = command.score(Wish(Path("many"), Path("out"), rows=100), lambda *_: None)
    told = done.to_json()
    assert told["rows"] == 2 * len(source)
    spec = candidates["boosted"].spec
    once = core.audit(spec, core.derive(source, spec.columns))
    assert told["handled"] == {f: {w: 2 * n for w, n in c.items()} for f, c in once.items()}
    assert told["handled"]["age"]["out_of_range"] >= 20
    assert told["handled"]["poutcome"]["missing"] == 40
    unseen = ~source["poutcome"].isin(raw(TRAIN)["poutcome"]) & source["poutcome"].notna()
    assert told["handled"]["poutcome"]["rare_or_unseen"] >= 2 * unseen.sum() == 10
    assert 0 < told["positive_share"] < 1


# which columns


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        (("all",), 17),
        (("none",), 0),
        (("age", "more"), 2),
        (("inputs",), 13),
        (("inputs", "more"), 14),
    ],
)
def test_columns_go_along_as_chosen(
    month_to_score: Path, keep: tuple[str, ...], expected: int
) -> None:
    rows = pd.read_parquet("in.parquet")
    rows["more"] = [[1, 2]] * len(rows)  # what the model can't read may go along
    rows.to_parquet("in.parquet")
    found = scored(keep=keep)
    assert len(found.columns) == expected + 2
    assert ("more" in found) == ("more" in keep or "all" in keep)
