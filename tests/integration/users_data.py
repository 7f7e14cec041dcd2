"""Tables as users have them, made with a seed: what `perennial init` must make projects of."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd

NASTY = [
    "a{b}",
    "$3 or $4",
    "x|y",
    "<b>bold</b>",
    "=cmd|' /C calc'!A0",
    'say "so"',
    "naïve, or not",
]


def signal(rows: int, seed: int, rate: float = 0.3) -> tuple[pd.DataFrame, np.ndarray]:
    """Three columns that say something of the target, and the target as 0 and 1."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({f"s{i}": rng.normal(size=rows) for i in range(3)})
    score = frame.to_numpy() @ [1.2, -0.9, 0.7] + rng.logistic(size=rows)
    return frame, (score > np.quantile(score, 1 - rate)).astype(int)


def mixed(rows: int = 2500, seed: int = 1) -> tuple[list[str], pd.DataFrame]:
    """Return a header, with names twice, and over forty columns of all kinds as text."""
    rng = np.random.default_rng(seed)
    known, target = signal(rows, seed)
    money, rate = np.exp(8 + known["s0"]), 50 + 10 * known["s1"]
    days = pd.Series(pd.Timestamp("2019-03-01") + pd.to_timedelta(rng.integers(0, 900, rows), "D"))
    forms = ["%Y-%m-%d", "%d.%m.%Y", "%b %d, %Y"]
    columns: list[tuple[str, list[str]]] = [
        ("record id", [f"R{i:07d}" for i in range(rows)]),
        ("income (yearly)", [f"{value:,.2f}" for value in money]),
        ("rate in %", [f"{value:.1f} %" for value in rate]),
        ("fee", [f"${abs(value):.0f}" for value in known["s2"] * 40]),
        ("icd", [f"{c}{n:02d}.{d}" for c, n, d in _triples(rng, rows)]),
        ("postcode", [f"{n:05d}" for n in rng.choice(rng.integers(500, 99999, 60), rows)]),
        (
            "seldom",
            [f"{v:.2f}" if u < 0.05 else "" for v, u in zip(rate, rng.random(rows), strict=True)],
        ),
        ("rare.note", ["x" if u < 0.05 else "NA" for u in rng.random(rows)]),
        ("seen on", [day.strftime(forms[i % 3]) for i, day in enumerate(days)]),
        ("smoker?", list(rng.choice(["Y", "N"], rows))),
        ("shop", [f"shop {n}" for n in rng.zipf(1.3, rows) % 400]),
        ("größe [cm]", [f"{value:.1f}".replace(".", ",") for value in 170 + 8 * known["s1"]]),
        ("a<b", [str(n) for n in rng.integers(0, 5, rows)]),
        ("nasty", list(rng.choice(NASTY, rows))),
        ("constant", ["same"] * rows),
        ("empty", [""] * rows),
        ("twice", [f"{value:.3f}" for value in known["s0"]]),
        ("twice", [str(n) for n in rng.integers(0, 100, rows)]),
        ("", [str(n) for n in rng.integers(0, 9, rows)]),
        (
            "comment",
            [" ".join(rng.choice(["good", "bad", "late", "again", "why"], 9)) for _ in range(rows)],
        ),
        ("group", list(rng.choice(["A", "B", "C"], rows, p=[0.5, 0.3, 0.2]))),
        ("age", [str(n) for n in rng.integers(18, 90, rows)]),
    ]
    columns += [(f"extra {i}", [f"{v:.4g}" for v in rng.normal(size=rows)]) for i in range(22)]
    columns.append(("outcome", ["Yes" if value else "No" for value in target]))
    header = [name for name, _ in columns]
    return header, pd.DataFrame(dict(enumerate(cells for _, cells in columns)))


def _triples(rng: np.random.Generator, rows: int) -> list[tuple[str, int, int]]:
    return [
        (str(c), int(n), int(d))
        for c, n, d in zip(
            rng.choice(list("ABCDE"), rows),
            rng.integers(0, 40, rows),
            rng.integers(0, 3, rows),
            strict=True,
        )
    ]


def write_csv(path: Path, header: list[str], rows: pd.DataFrame, **how: object) -> Path:
    """Write a header and rows as CSV; `how` goes to csv.writer, but for `encoding`."""
    encoding = str(how.pop("encoding", "utf-8"))
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, **how)  # type: ignore[arg-type]
        writer.writerow(header)
        writer.writerows(rows.itertuples(index=False))
    return path


def timed(rows: int = 6000, seed: int = 2, days: int = 540) -> pd.DataFrame:
    """Rows with a day each, over a year and a half, and a target that is true or false."""
    frame, target = signal(rows, seed)
    step = np.sort(np.random.default_rng(seed).integers(0, days, rows))
    when = pd.Timestamp("2023-01-01") + pd.to_timedelta(step, "D")
    kind = np.where(frame["s0"] > 0.3, "up", "down")
    return frame.assign(kind=kind, when=when, churned=target.astype(bool))


def persons(rows: int = 4000, seed: int = 3) -> pd.DataFrame:
    """Several rows a person; what tells persons apart tells the target too."""
    frame, target = signal(rows, seed)
    person = np.random.default_rng(seed).integers(0, rows // 5, rows)
    return frame.assign(person_id=person, shoe=36 + person % 10, y=target)


def rare(rows: int = 40_000, seed: int = 4) -> pd.DataFrame:
    """One row in 200 is positive."""
    frame, target = signal(rows, seed, 0.005)
    return frame.assign(noise=np.random.default_rng(seed).normal(size=rows), fraud=target)


def small(rows: int = 1000, seed: int = 5) -> pd.DataFrame:
    frame, target = signal(rows, seed)
    whole = np.random.default_rng(seed).permutation(rows * 10)[:rows] * 7  # hardly any twice
    return frame.assign(amount=whole, answer=np.where(target == 1, "yes", "no"))


def wide(rows: int = 1500, width: int = 2000, seed: int = 6) -> pd.DataFrame:
    frame, target = signal(rows, seed)
    rng = np.random.default_rng(seed)
    more = pd.DataFrame(rng.normal(size=(rows, width - 4)).astype("float32"))
    more.columns = pd.Index([f"gene.{i}" for i in range(width - 4)])
    return pd.concat([frame, more, pd.Series(target, name="y")], axis=1)
