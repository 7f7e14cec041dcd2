"""`make chaos`: at least fifty kills of the small project, and what became of each."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.e2e.chaos import campaign


def main() -> int:
    """Run the whole campaign; 0 if every killed run was finished by the same command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of where it kills")
    parser.add_argument("--kills", type=int, default=50, help="at least so many")
    parser.add_argument("--jobs", type=int, default=2, help="chains of kills at once")
    parser.add_argument("--json", type=Path, default=Path(".perennial/chaos.json"))
    parser.add_argument("--folder", type=Path, help="to work in; else a temporary one")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="chaos-") as temporary:
        folder = options.folder or Path(temporary)
        found = campaign.whole(folder, options.seed, options.kills, options.jobs)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(found.to_json(), indent=2) + "\n")
    print(found.summary())
    return 0 if found.ok else 1


if __name__ == "__main__":
    sys.exit(main())
