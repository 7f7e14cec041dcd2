"""Where things are, relative to the project's folder. dvc.yaml names the same paths, and a
contract test holds the two together."""

from pathlib import Path

PARAMS = Path("params.yaml")
CHAMPION = Path("champion.json")
HISTORY = Path("history.jsonl")

BATCHES = Path("data/batches")
ACCEPTED = Path("data/accepted")
PLAN = Path("data/plan.json")
FORGOTTEN = Path("data/forgotten.jsonl")
FEATURES = Path("data/features")
SCORES = Path("data/scores.parquet")
SLICES = Path("data/slices")
ATTRIBUTIONS = Path("data/attributions")
EXPECTATIONS = Path("expectations")

RECIPE = Path("models/recipe.json")
CANDIDATE = Path("models/candidate")
BASELINES = Path("models/baselines")
ONNX = Path("models/onnx")
CHAMPION_BUNDLE = Path("models/champion")
CHAMPION_SIGNATURE = Path("models/champion.sig")

VALIDATION_REPORT = Path("reports/validation.json")
DRIFT_REPORT = Path("reports/drift.json")
DRIFT_PAGE = Path("reports/drift.html")
DRIFT_PLOTS = Path("reports/drift")
FEATURES_REPORT = Path("reports/features.json")
SEARCH_REPORT = Path("reports/search")
METRICS = Path("reports/metrics.json")
CURVES = Path("reports/curves")
EXPLAIN_REPORT = Path("reports/explain.json")
SHAP_PLOTS = Path("reports/shap")
FAIRNESS_REPORT = Path("reports/fairness.json")
FAIRNESS_PLOTS = Path("reports/fairness")
SLICES_REPORT = Path("reports/slices.json")
BEHAVIOUR_REPORT = Path("reports/behaviour.json")
LEAKS_REPORT = Path("reports/leaks.json")
PARITY_REPORT = Path("reports/parity.json")
GATE_REPORT = Path("reports/gate.json")
GATE_PAGE = Path("reports/gate.html")
MODEL_CARD = Path("reports/model-card.md")
MODEL_CARD_PAGE = Path("reports/model-card.html")
PROOF_REPORT = Path("reports/prove-gates.json")
PROOF_PAGE = Path("reports/prove-gates.html")
PROOF_POWER = Path("reports/prove-gates.png")
CALIBRATION_REPORT = Path("reports/calibrate-drift.json")
CALIBRATION_PAGE = Path("reports/calibrate-drift.html")
CALIBRATION_PICTURE = Path("reports/calibrate-drift.png")
REPLAY_REPORT = Path("reports/replay.json")
REPLAY_PAGE = Path("reports/replay.html")
REPLAY_PICTURE = Path("reports/replay.png")
FORGOTTEN_REPORT = Path("reports/forgotten.json")
REGISTRATION = Path("reports/registration.json")
DATA_DOCS = Path("reports/data-docs")

STATE = Path(".perennial")
STATUS = STATE / "status"
VALIDATIONS = STATE / "validations"
JOINED = STATE / "joined"
FORGETTING = STATE / "forgetting.json"
LAST_ACCEPTED = STATE / "accepted.json"
DERIVED = STATE / "derived"
STUDIES = STATE / "studies"
LOGS = STATE / "logs"
PROOF_SECONDS = STATE / "prove-gates.json"
REPLAY = STATE / "replay"
TIMINGS = STATE / "timings.json"
DASK = STATE / "dask"
MATPLOTLIB = STATE / "matplotlib"
REGISTRY = STATE / "mlflow"
CHECKED = STATE / "params.checked"
