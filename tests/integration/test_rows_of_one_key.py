"""Where several rows are about one person, all stages are told which: no fold parts them, and no
interval takes them for several persons."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.integration.crowned import KNOWN, accept, project, shipped
from tests.integration.pipelines import NOBODY

from perennial import paths
from perennial.adapters.parquet import matrices
from perennial.core.dataset.plan import PARTS
from perennial.stages.fairness import fairness
from perennial.stages.features import features
from perennial.stages.monitor import monitor

__all__ = ["project"]


def test_the_rows_that_are_trained_on_say_which_are_of_one_person_but_not_who(
    project: Path,
) -> None:
    """By a number of its own, so that a key that is personal stays in the batches."""
    text = paths.PARAMS.read_text()
    for old, new in (("  kind: time ", "  kind: group "), ("  key: null ", "  key: who ")):
        assert text.count(old) == 1
        text = text.replace(old, new)
    paths.PARAMS.write_text(text)
    whose = {}
    for period in KNOWN:
        rows = shipped(period)
        whose[period] = np.array([f"Person {number % 300}" for number in range(len(rows))])
        accept(period, rows.assign(who=whose[period]))
    paths.CHAMPION.write_text(json.dumps(NOBODY))
    monitor()
    features()
    rows = matrices.read_rows(paths.FEATURES, "train")
    names = pd.Series([whose[p][n] for p, n in zip(rows["period"], rows["row"], strict=True)])
    part = matrices.read_part(paths.FEATURES, "train")
    assert part.key is not None
    assert part.key.tolist() == pd.factorize(names)[0].tolist()
    assert names.nunique() < len(names)
    assert list(part.groups) == ["age_group", "marital"]
    assert all(matrices.read_part(paths.FEATURES, part).key is not None for part in PARTS)
    single = json.loads(paths.LEAKS_REPORT.read_text())["single_features"]
    positives = {name for name, y in zip(names, rows["target"], strict=True) if y}
    assert {(one["clustered"], one["rarer"]) for one in single.values()} == {(True, len(positives))}
    assert not any(b"Person" in path.read_bytes() for path in paths.FEATURES.iterdir())


def test_rates_and_what_mitigation_costs_are_of_persons(project: Path) -> None:
    """The stage fairness, of rows that are there once, and four times under their persons."""
    random = np.random.default_rng(0)
    once = pd.DataFrame(
        {
            "target": random.integers(0, 2, 600),
            "probability": random.random(600),
            "unmitigated": random.random(600),
            "decision": random.integers(0, 2, 600),
            "unmitigated_decision": random.integers(0, 2, 600),
            "age_group": random.choice(["a", "b"], 600),
            "marital": random.choice(["c", "d"], 600),
        }
    )
    again = pd.concat([once] * 4, ignore_index=True)
    reports = {}
    for name, scores in (("once", once), ("rows", again), ("persons", again)):
        known = scores.assign(key=again.index % 600) if name == "persons" else scores
        known.to_parquet(paths.SCORES)
        fairness()
        reports[name] = json.loads(paths.FAIRNESS_REPORT.read_text())
    found = {
        "rate": lambda report: report["attributes"]["marital"]["groups"]["c"]["accuracy"],
        "difference": lambda report: report["attributes"]["age_group"]["differences"]["precision"],
        "utility": lambda report: report["mitigation"]["cost"]["utility"],
        "roc_auc": lambda report: report["mitigation"]["cost"]["roc_auc"],
    }
    for of in found.values():
        width = {name: of(one)["high"] - of(one)["low"] for name, one in reports.items()}
        assert width["persons"] == pytest.approx(width["once"], rel=0.1)
        assert width["rows"] < 0.7 * width["once"]
