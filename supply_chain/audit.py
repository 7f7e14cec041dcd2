"""`make audit`: known vulnerabilities of what requirements.lock installs.

pip-audit asks the advisory database of OSV for each pinned version. Exit codes: 0 none is known, or
the database can't be reached from here, which is said; 1 one is known and nobody has said why it
may stay; 2 supply_chain/ignored.toml or the lock is wrong.
"""

import argparse
import json
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pip_audit._service.osv import OsvService

HERE = Path(__file__).parent
ANSWER = 10  # seconds
KEYS = {"id", "package", "why", "until"}


def ignored(path: Path, today: date) -> tuple[dict[str, str], list[str]]:
    """Return the advisories that may stay, with why; and what is wrong with the list.

    An entry ends on its day, so that somebody looks at it again.
    """
    entries = tomllib.loads(path.read_text("utf-8")).get("ignore", [])
    kept, faults = {}, []
    for number, entry in enumerate(entries, start=1):
        if set(entry) != KEYS or not str(entry["why"]).strip():
            faults.append(f"{path}, entry {number}: needs {', '.join(sorted(KEYS))}, none empty")
        elif not isinstance(entry["until"], date) or entry["until"] < today:
            faults.append(f"{path}, {entry['id']}: ended on {entry['until']}; look at it again")
        else:
            kept[str(entry["id"])] = f"{entry['package']}: {entry['why']}"
    return kept, faults


def reached(url: str) -> bool:
    """Return whether the advisory database answers at all."""
    try:
        urllib.request.urlopen(url, timeout=ANSWER).close()  # noqa: S310
    except urllib.error.HTTPError:
        return True  # an answer, if to no question
    except OSError:
        return False
    return True


def asked(lock: Path, url: str) -> list[dict[str, Any]]:
    """Return pip-audit's findings, one entry a package of the lock.

    Raises:
        ValueError: pip-audit has failed; with its last words.
    """
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", "osv", "--osv-url"]
    # with every version and hash in the lock nothing is resolved, and nothing is installed
    command += [url, "--disable-pip", "--require-hashes", "--requirement", str(lock)]
    command += ["--format", "json", "--progress-spinner", "off"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        raise ValueError((done.stderr.strip() or "no word").splitlines()[-1]) from None
    return found


def judged(found: list[dict[str, Any]], kept: dict[str, str]) -> tuple[list[str], list[str]]:
    """Return the vulnerabilities that nobody has answered for, and what else is to be said."""
    faults, told = [], []
    for package in found:
        if "skip_reason" in package:
            faults.append(f"{package['name']}: not audited: {package['skip_reason']}")
        for known in package.get("vulns", []):
            names = [known["id"], *known.get("aliases", [])]
            why = next((kept[name] for name in names if name in kept), None)
            line = f"{package['name']} {package['version']}: {' '.join(names)}"
            fixed = ", ".join(known.get("fix_versions", [])) or "no version yet"
            if why is None:
                faults.append(f"{line}; fixed in {fixed}: {known.get('description', '')[:200]}")
            else:
                told.append(f"{line}: stays, {why}")
    return faults, told


def main() -> int:
    """Audit the lock, say what was found and return the exit code."""
    parser = argparse.ArgumentParser(description="Audit the lock.")
    parser.add_argument("--lock", type=Path, default=Path("requirements.lock"))
    parser.add_argument("--ignored", type=Path, default=HERE / "ignored.toml")
    parser.add_argument("--osv-url", default=OsvService.DEFAULT_OSV_URL)
    options = parser.parse_args()
    kept, wrong = ignored(options.ignored, datetime.now(UTC).date())
    if wrong:
        print(*wrong, sep="\n", file=sys.stderr)
        return 2
    if not reached(options.osv_url):
        print("Not audited: the advisory database can't be reached from here.")
        return 0
    try:
        found = asked(options.lock, options.osv_url)
    except ValueError as error:
        print(f"{options.lock}: pip-audit could not audit it: {error}", file=sys.stderr)
        return 2
    faults, told = judged(found, kept)
    print(*told, f"{len(found)} packages audited, {len(faults)} faults", sep="\n")
    print(*faults, sep="\n", end="\n" if faults else "", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
