"""Changes planted in a window: what each one changes, by how much, and what it leaves alone."""

import numpy as np
import pandas as pd
import pytest

from perennial.core.planted_shifts import Planted, plants, tied

RANDOM = np.random.default_rng(3)
ROWS = 4000
RAW = pd.DataFrame(
    {
        "n": RANDOM.normal(0, 2, ROWS),
        "whole": np.repeat([10.0, 20.0], ROWS // 2) + RANDOM.integers(0, 3, ROWS),
        "c": RANDOM.choice(["a", "b", "d"], ROWS, p=[0.5, 0.3, 0.2]),
        "pair": np.repeat(["low", "high"], ROWS // 2),
    }
)
TARGET = (RANDOM.random(ROWS) < 0.3).astype(int)
ALL = plants(RAW, TARGET, ["n", "whole"], ["c", "pair"])


def planted(kind: str, size: float, share: float, column: str | None = None) -> Planted:
    return next(
        p
        for p in ALL
        if (p.kind, p.size, p.share) == (kind, size, share) and column in (None, p.column)
    )


def changed(kind: str, size: float, share: float, column: str | None = None) -> tuple:
    return planted(kind, size, share, column).change(RAW, TARGET, np.random.default_rng(0))


@pytest.mark.parametrize("size", [0.25, 0.5, 1.0])
@pytest.mark.parametrize("share", [0.1, 0.3, 1.0])
def test_a_number_is_moved_by_standard_deviations_in_a_share_of_rows(
    size: float, share: float
) -> None:
    """The rows that are not affected are what they were."""
    raw, target = changed("number moved", size, share)
    by = (raw["n"] - RAW["n"]).to_numpy()
    moved = by != 0
    assert moved.mean() == pytest.approx(share, abs=0.03)
    assert np.allclose(by[moved], size * RAW["n"].std())
    assert target is TARGET


def test_a_whole_number_is_moved_by_whole_steps() -> None:
    """Fractions in a column of whole numbers would give every moved row away."""
    (small, *_) = plants(RAW, TARGET, ["whole"], [])
    raw, _ = small.change(RAW, TARGET, np.random.default_rng(0))
    assert (raw["whole"] % 1 == 0).all()
    assert (raw["whole"] != RAW["whole"]).any()


def test_decoupled_features_have_the_values_they_had() -> None:
    """Those that go together most are parted, and no column by itself shows it."""
    assert tied(RAW, ["n", "whole"], ["c", "pair"]) == ("whole", "pair")
    raw, _ = changed("features decoupled", 1.0, 1.0)
    assert sorted(raw["whole"]) == sorted(RAW["whole"])
    before, after = (abs(f.groupby("pair")["whole"].mean().diff().iloc[1]) for f in (RAW, raw))
    assert before == pytest.approx(10, abs=0.2)
    assert after < 0.5


@pytest.mark.parametrize(
    ("kind", "size"),
    [("level more frequent", 0.3), ("new level", 0.3), ("value missing", 0.3)],
)
def test_values_are_replaced_in_a_share_of_rows(kind: str, size: float) -> None:
    """By the level that was the most frequent, by one that nobody saw, or by nothing."""
    raw, _ = changed(kind, size, size)
    found = {
        "level more frequent": (raw["c"] == "a").mean() - 0.5 * 0.7,
        "new level": (raw["c"] == "(never seen)").mean(),
        "value missing": raw["c"].isna().mean(),
    }[kind]
    assert found == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("size", [0.1, 0.2, 0.3])
def test_the_rate_of_positives_moves_and_no_row_is_there_twice(size: float) -> None:
    """More rows are drawn than are left: as many as the rarer class needs."""
    plant = planted("rate of positives", size, 1.0)
    raw, target = plant.change(RAW, TARGET, np.random.default_rng(0))
    assert len(raw) == len(target) == round(ROWS / plant.drawn)
    assert target.mean() == pytest.approx(TARGET.mean() + size, abs=0.001)
    assert raw["n"].is_unique


def test_a_rate_above_a_half_moves_down() -> None:
    """Towards the middle, where rows of the rarer class are left out less."""
    plant = next(p for p in plants(RAW, 1 - TARGET, [], []) if p.kind == "rate of positives")
    _, target = plant.change(RAW, 1 - TARGET, np.random.default_rng(0))
    assert target.mean() == pytest.approx(1 - TARGET.mean() - 0.1, abs=0.001)


def test_labels_are_flipped_in_a_share_of_rows() -> None:
    """The rows stay, their labels do not."""
    raw, target = changed("labels flipped", 0.2, 0.2)
    assert raw is RAW
    assert (target != TARGET).mean() == pytest.approx(0.2, abs=0.03)


def test_labels_are_flipped_in_one_group_only() -> None:
    """Concept drift of a subgroup: the others keep their labels."""
    _, target = changed("labels flipped", 0.5, 0.5, "c = a")
    flipped, group = target != TARGET, (RAW["c"] == "a").to_numpy()
    assert flipped[group].mean() == pytest.approx(0.5, abs=0.04)
    assert not flipped[~group].any()


def test_without_numbers_or_categories_labels_are_still_changed() -> None:
    """Data of one kind only have fewer changes planted, not none."""
    kinds = {p.kind for p in plants(RAW, TARGET, [], [])}
    assert kinds == {"rate of positives", "labels flipped"}
    assert tied(RAW.assign(n=1.0), ["n"], ["c"]) is None
