"""All stages in the order of dvc.yaml without DVC and Prefect, which are measured against them: in
one plain Python process, or each as the process that DVC starts. Run it in a fresh clone.

    python benchmarks/bare.py [--processes]
"""

import importlib
import subprocess
import sys
from pathlib import Path

import yaml


def main() -> None:
    for name, stage in yaml.safe_load(Path("dvc.yaml").read_text())["stages"].items():
        if sys.argv[1:] == ["--processes"]:
            subprocess.run(stage["cmd"].split(), check=True)
        else:
            module = importlib.import_module(stage["cmd"].removeprefix("python -m "))
            getattr(module, name)()


if __name__ == "__main__":  # the search starts workers that import this file
    main()
