"""What all tests share: hypothesis draws the same examples on every machine and keeps no files, and
fits have one thread each."""

import os

from hypothesis import HealthCheck, settings

# The tests run on all processors at once: threads that wait for each other there take ten times as
# long. No result depends on it. Read when XGBoost is imported, which is later.
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile(
    "perennial",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("perennial")
