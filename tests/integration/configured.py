"""A whole params.yaml to put faults into, for the tests of the configuration."""

from collections.abc import Callable
from pathlib import Path

import pytest

from perennial.adapters.files.configuration import read_params
from perennial.errors import InputError

SHIPPED = Path(__file__).parents[2] / "params.yaml"
PARAMS = """\
seed: 7
data:
  as_of: "2010-08"
  labels: null
  pii: []
  subject: null
target:
  column: deposit
  positive: yes
validation:
  suite: batch.json
  on_failure: stop
  largest: 10.0
split:
  kind: time
  key: null
  calibration_rows: 100
  holdout_rows: 100
  history: {kind: all, last: null}
monitor:
  min_rows: 200
  false_discovery_rate: 0.05
  effects:
    ks: 0.2
    psi: 0.25
    chi_square: 0.2
    jensen_shannon: 0.2
    missing: 0.1
    new_levels: 0.05
    vanished_levels: 0.1
  psi_bins: 10
  min_features: 2
  confidence: 0.95
  replicates: 500
  domain_classifier: {rows: 5000, folds: 5, rounds: 30, roc_auc: 0.6}
  adaptive_windowing: 0.002
  harm: {roc_auc: 0.02, log_loss: 0.02, prior: 0.1}
policy:
  request: none
  confirm: 1
  cooldown: 1
  budget: {attempts: 6, periods: 12}
  min_labelled: 200
  severe: 0.1
replay: {start: null, scheduled: [3]}
sensitive:
  age_group: {from: age, bins: [30, 60]}
  marital: {from: marital, bins: null}
features:
  rare_below: 50
  columns:
    age: {from: age, as: number, missing: null, why: a test}
    balance: {from: balance, as: signed_log, missing: null, why: a test}
    days: {from: pdays, as: number, missing: -1, why: a test}
  drop:
    duration: known only after the call
search:
  trials: 24
  trials_per_round: 4
  folds: 3
  learning_rate: 0.1
  max_rounds: 400
  max_rows: 50000
  early_stopping_rounds: 25
  kinds: [depthwise]
  ensemble: 5
  composed: best
  simpler_within_errors: 1.0
  space:
    max_depth: [2, 9]
    min_child_weight: [1.0, 100.0]
    subsample: [0.5, 1.0]
    colsample_bytree: [0.3, 1.0]
    reg_lambda: [0.01, 100.0]
    reg_alpha: [0.001, 10.0]
engine:
  kind: local
  device: cpu
  training: members
training:
  calibration: sigmoid
  utility:
    true_positive: 1.0
    false_positive: -1.0
    false_negative: 0.0
    true_negative: 0.0
  mitigation:
    method: thresholds
    attribute: age_group
    constraint: true_positive_rate_parity
    permission: the author of this test
evaluation:
  confidence: 0.95
  replicates: 2000
  bins: 10
  slices: {min_rows: 50, bins: 4, declared: {old: {age: [60.0, null]}}}
explanation:
  rows: 5000
  waterfalls: 4
  proxy_auc: 0.75
behaviour:
  rows: 100
  tolerance: 0.01
  changes:
    longer: {column: duration, multiply: 2, expect: unchanged, why: a test}
  monotone: {balance: increasing}
fairness:
  attributes: [age_group, marital]
  intersections: true
  min_group: 50
gates:
  error_rate: 0.05
  quality_floor: {metric: roc_auc, threshold: 0.6, insufficient: block}
  calibration: {threshold: 0.1, insufficient: tolerate}
  better_than_prior: {threshold: 0.0, insufficient: block}
  better_than_simple: {margin: 0.04, insufficient: block}
  champion: {margin: 0.04}
  slices: {threshold: 0.1, insufficient: tolerate}
  declared_slices: {threshold: 0.1, insufficient: tolerate}
  leakage: {threshold: 0.333, insufficient: block}
  dependence: {threshold: 0.1, insufficient: block}
  forbidden_features: {columns: [duration]}
  proxies: {threshold: 0.5, insufficient: tolerate}
  stability: {threshold: 0.5, insufficient: tolerate}
  additivity: {threshold: 0.001}
  invariance: {tolerance: 0.000001}
  directions: {threshold: 0.05, insufficient: block}
  flipped: {threshold: 0.333, insufficient: tolerate}
  single_feature: {threshold: 0.75, insufficient: block}
  identifier: {at_most: 0.9}
  cost: {model_size: 10.0, node_visits: 10.0}
  parity: {tolerance: 0.00001, insufficient: tolerate}
  fairness:
    {criterion: true_positive_rate, measure: difference, threshold: 0.1, insufficient: tolerate}
registry:
  model: bank-deposits
  uri: null
  public_keys: []
"""
Faults = Callable[..., list[str]]


@pytest.fixture
def params_yaml(tmp_path: Path) -> Callable[..., Path]:
    """Write params.yaml with the replacements, each of which must be found once."""

    def write(*replacements: tuple[str, str], text: str | bytes = PARAMS) -> Path:
        for old, new in replacements:
            assert isinstance(text, str)
            assert text.count(old) == 1, f"{old!r} is in params.yaml {text.count(old)} times"
            text = text.replace(old, new)
        path = tmp_path / "params.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def faults(params_yaml: Callable[..., Path]) -> Faults:
    """Return the faults of params.yaml after the replacements."""

    def found(*replacements: tuple[str, str], text: str | bytes = PARAMS) -> list[str]:
        with pytest.raises(InputError) as caught:
            read_params(path=params_yaml(*replacements, text=text))
        assert caught.value.exit_code == 2
        return caught.value.faults

    return found


def line_of(words: str) -> int:
    """Return the line of params.yaml that starts so."""
    lines = [i for i, line in enumerate(PARAMS.splitlines(), 1) if line.strip().startswith(words)]
    assert len(lines) == 1, words
    return lines[0]
