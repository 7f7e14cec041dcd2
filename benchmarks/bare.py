"""All stages in one plain Python process, in the order of dvc.yaml: what DVC and Prefect are
measured against. Run it in a fresh clone.

    python benchmarks/bare.py
"""

import importlib
from pathlib import Path

import yaml


def main() -> None:
    for name, stage in yaml.safe_load(Path("dvc.yaml").read_text())["stages"].items():
        module = importlib.import_module(stage["cmd"].removeprefix("python -m "))
        getattr(module, name)()


if __name__ == "__main__":  # the search starts workers that import this file
    main()
