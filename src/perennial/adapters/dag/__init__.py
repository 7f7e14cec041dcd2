"""DVC: the stages of dvc.yaml in DVC's own order, what is stale, and what it tracks by digest.

Only this package imports DVC, and only when it is used.
"""

from perennial.adapters.dag.cache import cache_faults, purge
from perennial.adapters.dag.failures import BlockedError, CrashedError
from perennial.adapters.dag.objects import Store, read_object, restore, store
from perennial.adapters.dag.opening import broken, release
from perennial.adapters.dag.remotes import metrics_diff, pull, push, remote_name
from perennial.adapters.dag.tracking import fetch, is_tracked, md5_in_lock, track
from perennial.adapters.dag.walking import Outcome, Step, stages, stale, walk

__all__ = [
    "BlockedError",
    "CrashedError",
    "Outcome",
    "Step",
    "Store",
    "broken",
    "cache_faults",
    "fetch",
    "is_tracked",
    "md5_in_lock",
    "metrics_diff",
    "pull",
    "purge",
    "push",
    "read_object",
    "release",
    "remote_name",
    "restore",
    "stages",
    "stale",
    "store",
    "track",
    "walk",
]
