"""Evidence of a sound candidate, and what the gates say of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from perennial.adapters.files.configuration import read_params
from perennial.core import fairness, verdict
from perennial.core.evaluation import slices
from perennial.core.gates.result import Gate
from perennial.core.verdict import Evidence, Rival

from .gated import ALONE, alone

PARAMS = read_params(path=Path(__file__).parents[2] / "params.yaml")
EVALUATION = PARAMS.evaluation.model_copy(update={"replicates": 300})
ROWS = 3000
FEATURES = list("abcdef")
GROUPS = pd.DataFrame({"g": np.random.default_rng(7).choice(["a", "b"], ROWS), "h": "c"})


def shap(seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {name: random.normal(size=800) * (1 - i / 14) for i, name in enumerate(FEATURES)}
    )


def sound() -> Evidence:
    """What the stages would leave of a candidate that states the truth."""
    random = np.random.default_rng(0)
    odds = 1.5 * random.normal(size=ROWS)
    truth = 1 / (1 + np.exp(-odds))
    scores = pd.DataFrame(
        {
            "target": (random.random(ROWS) < truth).astype("int64"),
            "probability": truth,
            "decision": (truth > 0.5).astype("int64"),
            "logistic": 1 / (1 + np.exp(-odds - 0.3 * random.normal(size=ROWS))),
            "default": 1 / (1 + np.exp(-odds - 0.4 * random.normal(size=ROWS))),
            "prior": 0.5,
            "without_largest": 1 / (1 + np.exp(-odds - 0.5 * random.normal(size=ROWS))),
        }
    )
    groups = GROUPS
    losses = slices.excess(scores)
    counts = {
        name: fairness.counts(
            scores["target"].to_numpy(), scores["decision"].to_numpy(), groups["g"].to_numpy()
        )
        for name in ("g", "g × h")
    }
    part = {"rows": 800, "additivity_error": 1e-7}
    gaps = {"holdout": {"rows": 800, "gap": 1e-8}}
    tried = {"violations": 1, "rows": 800, **ALONE, "says": "'x'"}
    auc = alone(0.6)
    return Evidence(
        scores=scores,
        slices=slices.search(groups, losses, 50, 4),
        declared_slices=slices.declared({"b": {"g": ["b"]}}, groups, losses, 50),
        counts=counts,
        train_attributions=shap(1),
        holdout_attributions=shap(2),
        explained={
            "train": part,
            "holdout": part,
            "largest": "a",
            "sources": {name: name for name in FEATURES},
            "proxies": {"g": {"own": ["f"], "proxies": []}, "h": {"own": [], "proxies": ["e"]}},
        },
        leaks={
            "rows": {"train": 5000, "calibration": 500, "holdout": ROWS},
            "overlap": {"what": "rows", "shared": 0, "rows": 8500},
            "time_order": {"backwards": 0, "rows": 8500},
            "distinct": {"a": 0.1},
            "group_sizes": {"train": {"g: a": 900}, "holdout": {"g: a": 900}},
            "single_features": dict.fromkeys(FEATURES, auc),
        },
        behaviour={
            "rows": 800,
            "invariance": {"order_of_rows": 1e-9},
            "robustness": {"missing": 0},
            "strange_rows": 100,
            "directions": {"more": tried, "less": tried},
            "flipped": {"g": {"changed": 20, "rows": 800, **ALONE}},
            "cost": {
                "candidate": {"model_size": 100.0, "node_visits": 50.0},
                "default": {"model_size": 100.0, "node_visits": 50.0},
            },
        },
        parity={"missing": [], "gaps": {"onnx": gaps, "pyfunc": gaps}},
        champion=Rival(False, truth + 0.2 * random.normal(size=ROWS), shap(3)),
        drifted=False,
    )


EVIDENCE = sound()


def results(evidence: Evidence = EVIDENCE, **changes: Any) -> list[Gate]:
    gates = PARAMS.gates.model_copy(update=changes)
    return verdict.results(evidence, gates, PARAMS.fairness, EVALUATION, seed=0)


def named(found: list[Gate]) -> dict[str, Gate]:
    return {gate.name: gate for gate in found}


def estimated(found: list[Gate]) -> set[str]:
    """The gates whose estimate has a width."""
    return {g.name for g in found if g.estimate and g.estimate.low < g.estimate.high}
