"""ONNX: the candidate after its feature spec as one self-contained graph, and ONNX Runtime.

Written with the ops themselves: a member's sum must be XGBoost's to the last bit, since the steep
steps of an isotonic calibration turn a rounding error of 1e-6 into a visible one. ONNXMLTools adds
the base score last, which rounds otherwise, and takes exponential time for nested category splits.
"""

import importlib.util
import json
import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from perennial.core.model.calibration import Calibration
from perennial.core.model.candidate import Candidate

if TYPE_CHECKING:
    import xgboost

PACKAGES = ("onnx", "onnxruntime")
INPUT, OUTPUT = "features", "probability"
OPSETS = {"": 18, "ai.onnx.ml": 5}  # 5: a split by a set of categories is one node
IR_VERSION = 10
LESS, MEMBER = 1, 6  # modes of ai.onnx.ml.TreeEnsemble
TENSORS = {  # its attributes that are tensors; the others are lists of integers
    "nodes_modes": "uint8",
    "nodes_splits": "float32",
    "membership_values": "float32",
    "leaf_weights": "float32",
}


def missing() -> list[str]:
    """Return the packages of the extra `onnx` that can't be imported."""
    return [name for name in PACKAGES if importlib.util.find_spec(name) is None]


def export(candidate: Candidate) -> bytes:
    """Return the candidate as an ONNX model; the same candidate gives the same bytes.

    Its input `features`, float32, shape (rows, features), is in the spec's order, with a category's
    place among its levels for its value and NaN where missing (see `parity.coded`). Its output
    `probability`, float32, shape (rows,), is calibrated. Features and levels are in its metadata.
    """
    import onnx
    from onnx import TensorProto, helper

    graph, spec = _Graph(), candidate.spec
    margin = _ensemble(graph, candidate) if candidate.boosters else _logistic(graph, candidate)
    calibrated = _calibrated(graph, margin, candidate.calibration)
    graph.add("Cast", calibrated, output=OUTPUT, to=TensorProto.FLOAT)
    shape: list[str | int | None] = ["rows", len(spec.columns)]
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "candidate",
            [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["rows"])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid(*opset) for opset in OPSETS.items()],
        ir_version=IR_VERSION,
        producer_name="perennial",
    )
    levels = {name: fitted.levels for name, fitted in spec.fitted.items() if fitted.levels}
    described = {"features": list(spec.columns), "levels": levels}
    helper.set_model_props(model, {k: json.dumps(v) for k, v in described.items()})
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def predict(model: bytes, coded: np.ndarray) -> np.ndarray:
    """Return the probabilities by ONNX Runtime on the CPU, shape (rows,), float64.

    Args:
        model: What `export` returned.
        coded: Rows as the model takes them, float32, shape (rows, features).
    """
    # before it is imported: it would write a device's id into the home directory and send events
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    (probability,) = session.run([OUTPUT], {INPUT: coded})
    return np.asarray(probability, dtype="float64")


class _Graph:
    """Nodes and constants under construction; names are counted, so they are the same each time."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(
        self, op: str, *inputs: str, output: str = "", domain: str = "", **settings: Any
    ) -> str:
        from onnx import helper

        name = output or f"{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], domain=domain, **settings))
        return name

    def constant(self, value: Any, dtype: str = "float64") -> str:
        from onnx import numpy_helper

        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype=dtype), name))
        return name

    def double(self, name: str) -> str:
        from onnx import TensorProto

        return self.add("Cast", name, to=TensorProto.DOUBLE)


def _ensemble(graph: _Graph, candidate: Candidate) -> str:
    """Add the weighted mean of the members' log odds, float64, in the order of `mean_margin`."""
    total = graph.constant(0.0)
    for booster, weight in zip(candidate.boosters, candidate.weights, strict=True):
        margin = graph.double(_member(graph, booster))
        total = graph.add("Add", total, graph.add("Mul", margin, graph.constant(weight)))
    return total


def _member(graph: _Graph, booster: "xgboost.Booster") -> str:
    """Add a booster's log odds, float32: its base, then tree after tree, as XGBoost sums them."""
    learner = json.loads(booster.save_raw("json"))["learner"]
    trees = learner["gradient_booster"]["model"]["trees"]
    (share,) = np.ravel(json.loads(learner["learner_model_param"]["base_score"]))
    odds = np.float32(1) / np.float32(share) - np.float32(1)
    base = np.zeros(len(trees))
    base[0] = -math.log(odds)
    leaves = graph.add("TreeEnsemble", INPUT, domain="ai.onnx.ml", **_tree_settings(trees))
    started = graph.add("Add", leaves, graph.constant(base, "float32"))
    # ReduceSum adds in an order of its own
    sums = graph.add("CumSum", started, graph.constant(1, "int64"))
    return graph.add("Gather", sums, graph.constant(len(trees) - 1, "int64"), axis=1)


def _tree_settings(trees: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the attributes of `TreeEnsemble`, where each tree has an output of its own."""
    from onnx import numpy_helper

    parts: list[dict[str, np.ndarray]] = []
    splits = leaves = 0
    for number, tree in enumerate(map(_rooted, trees)):
        parts.append(_tree_part(tree, number, splits, leaves))
        splits += len(parts[-1]["nodes_modes"])
        leaves += len(parts[-1]["leaf_weights"])
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    tensors = {
        name: numpy_helper.from_array(joined[name].astype(dtype), name)
        for name, dtype in TENSORS.items()
        if joined[name].size  # without categories there must be no tensor of sets
    }
    lists = {name: list(map(int, joined[name])) for name in joined if name not in TENSORS}
    return {"n_targets": len(trees), **lists, **tensors}


def _rooted(tree: dict[str, Any]) -> dict[str, Any]:
    """Return a tree that is a leaf alone as a split with that leaf on either side, as ONNX wants
    it; any other as it is."""
    if len(tree["left_children"]) > 1:
        return tree
    value = tree["split_conditions"][0]
    names = ("split_indices", "split_type", "default_left")
    both = {"left_children": [1, -1], "right_children": [1, -1], "split_conditions": [0.0, value]}
    return {**tree, **both, **{name: [0, 0] for name in names}}


def _tree_part(
    tree: dict[str, Any], number: int, splits: int, leaves: int
) -> dict[str, np.ndarray]:
    """Return one tree's part of each attribute, after so many splits and leaves of trees before."""
    left, right = np.array(tree["left_children"]), np.array(tree["right_children"])
    leaf, values = left < 0, np.array(tree["split_conditions"])
    member, default_left = np.array(tree["split_type"]) == 1, np.array(tree["default_left"]) == 1
    # splits and leaves are counted apart
    place = np.where(leaf, leaves + np.cumsum(leaf), splits + np.cumsum(~leaf)) - 1
    # what is less than the split goes left, but what is in its set of categories goes right
    true, false = np.where(member, right, left)[~leaf], np.where(member, left, right)[~leaf]
    starts, sizes = tree["categories_segments"], tree["categories_sizes"]
    sets = [
        [*tree["categories"][start : start + size], np.nan]
        for start, size in zip(starts, sizes, strict=True)
    ]
    return {
        "nodes_featureids": np.array(tree["split_indices"])[~leaf],
        "nodes_modes": np.where(member, MEMBER, LESS)[~leaf],
        "nodes_splits": np.where(member, 0.0, values)[~leaf],
        "nodes_truenodeids": place[true],
        "nodes_falsenodeids": place[false],
        "nodes_trueleafs": leaf[true],
        "nodes_falseleafs": leaf[false],
        "nodes_missing_value_tracks_true": (member ^ default_left)[~leaf],
        "membership_values": np.array([value for values in sets for value in values]),
        "leaf_weights": values[leaf],
        "leaf_targetids": np.full(leaf.sum(), number),
        "tree_roots": np.array([splits]),
    }


def _logistic(graph: _Graph, candidate: Candidate) -> str:
    """Add a logistic regression's log odds, float64, term by term as `linear.Logistic` has them."""
    assert candidate.logistic is not None  # a candidate has members or this
    terms, names = candidate.logistic.terms, list(candidate.spec.columns)
    levels = {name: fitted.levels or () for name, fitted in candidate.spec.fitted.items()}
    codes = [levels[t.feature].index(t.level) if t.level is not None else -1 for t in terms]
    places = graph.constant([names.index(term.feature) for term in terms], "int64")
    values = graph.double(graph.add("Gather", INPUT, places, axis=1))
    absent = graph.add("IsNaN", values)
    fills = graph.constant([term.fill for term in terms])
    numbers = graph.add("Where", absent, fills, values)
    at_level = graph.double(graph.add("Equal", values, graph.constant(codes)))
    is_missing = graph.constant([term.kind == "missing" for term in terms], "bool")
    indicators = graph.add("Where", is_missing, graph.double(absent), at_level)
    is_number = graph.constant([term.kind == "number" for term in terms], "bool")
    columns = graph.add("Where", is_number, numbers, indicators)
    centred = graph.add("Sub", columns, graph.constant([term.mean for term in terms]))
    scaled = graph.add("Div", centred, graph.constant([term.scale for term in terms]))
    total = graph.add("MatMul", scaled, graph.constant([term.weight for term in terms]))
    return graph.add("Add", total, graph.constant(candidate.logistic.intercept))


def _calibrated(graph: _Graph, margin: str, calibration: Calibration) -> str:
    """Add the calibrated probability of log odds, float64."""
    if calibration.method == "sigmoid":
        scaled = graph.add("Mul", margin, graph.constant(calibration.slope))
        return graph.add("Sigmoid", graph.add("Add", scaled, graph.constant(calibration.intercept)))
    # each piece of the curve adds its rise, by how far along it the log odds are: 0 to 1
    corners, heights = np.array(calibration.margins), np.array(calibration.probabilities)
    column = graph.add("Unsqueeze", margin, graph.constant([1], "int64"))
    beyond = graph.add("Sub", column, graph.constant(corners[:-1]))
    along = graph.add("Div", beyond, graph.constant(np.diff(corners)))
    passed = graph.add("Clip", along, graph.constant(0.0), graph.constant(1.0))
    risen = graph.add("MatMul", passed, graph.constant(np.diff(heights)))
    return graph.add("Add", risen, graph.constant(heights[0]))
