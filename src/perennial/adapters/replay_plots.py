"""stub"""
from pathlib import Path
from typing import Any
def replay(path: Path, report: Any) -> None: path.write_bytes(b"")
