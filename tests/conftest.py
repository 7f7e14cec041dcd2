"""What all tests share: hypothesis draws the same examples on every machine and keeps no files."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "perennial",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("perennial")
