"""How fast rows are scored, side by side in one run: end to end, the model alone, XGBoost alone,
its ONNX export alone, and MLflow's pyfunc.

    python benchmarks/scoring.py BUNDLE [ROWS]

BUNDLE is a model's folder (models/candidate, models/champion). The rows are the shipped ones,
drawn with replacement. Each way runs on one thread; seconds are the processor's, the median of
three interleaved rounds, so that a busy machine shares its noise out.
"""

import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd
import pyarrow as pa

from perennial import paths
from perennial.adapters import bundles, onnx_export
from perennial.adapters.bundles import champions
from perennial.adapters.bundles.champions import Champion
from perennial.adapters.serving import Served
from perennial.commands.score import Wish, score
from perennial.core.evaluation.parity import coded
from perennial.core.model.candidate import from_artefacts, mean_margin

ROOT = Path(__file__).parents[1]
ROUNDS = 3
PIECE = 1 << 16


def shipped(rows: int) -> pd.DataFrame:
    months = [pd.read_parquet(path) for path in sorted((ROOT / paths.BATCHES).glob("*.parquet"))]
    every = pd.concat(months, ignore_index=True).drop(columns="deposit")
    drawn = np.random.default_rng(0).integers(len(every), size=rows)
    return every.iloc[drawn].reset_index(drop=True)


def ways(bundle: Path, raw: pd.DataFrame) -> dict[str, Callable[[], object]]:
    model = from_artefacts(bundles.read(bundle))
    digest = bundles.digest(bundle)
    served = Served()
    served.load_context(
        SimpleNamespace(artifacts={"bundle": bundle}, model_config={"digest": digest})
    )
    raw.to_parquet("in.parquet", index=False)
    raw.to_csv("in.csv", index=False)
    bundles.write(paths.CHAMPION_BUNDLE, bundles.read(bundle))
    champions.write(Champion("benchmark", "1", digest, {}, "promote", "2026-01-01", []))
    features = model.spec.transform(raw)
    exported, matrix = onnx_export.export(model), coded(features)

    def end_to_end(name: str) -> None:
        Path("out.parquet").unlink(missing_ok=True)
        score(Wish(Path(name), Path("out.parquet")), lambda *_: None)

    def pyfunc() -> None:
        for start in range(0, len(raw), PIECE):
            served.predict(None, raw.iloc[start : start + PIECE])

    return {
        "perennial score, Parquet to Parquet": lambda: end_to_end("in.parquet"),
        "perennial score, CSV to Parquet": lambda: end_to_end("in.csv"),
        "the model alone: raw rows to decisions": lambda: model.predict(raw),
        "of which the feature matrix": lambda: model.spec.transform(raw),
        # a matrix of its own each time: XGBoost remembers what it said of one
        "XGBoost alone, one DMatrix": lambda: mean_margin(model.boosters, model.weights, features),
        "XGBoost alone, inplace_predict": lambda: [
            booster.inplace_predict(features, predict_type="margin") for booster in model.boosters
        ],
        "ONNX Runtime alone, with its session": lambda: onnx_export.predict(exported, matrix),
        "MLflow's pyfunc, as it calls it": pyfunc,
    }


def main() -> None:
    bundle = Path(sys.argv[1]).resolve()
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    raw = shipped(rows)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        each = ways(bundle, raw)
        taken: dict[str, list[float]] = {name: [] for name in each}
        for _ in range(ROUNDS):
            for name, way in each.items():
                start = time.process_time()
                way()
                taken[name].append(time.process_time() - start)
    for name, seconds in taken.items():
        middle = statistics.median(seconds)
        print(f"{name:42} {middle:7.2f} s {rows / middle:12,.0f} rows a second and core")


if __name__ == "__main__":
    main()
