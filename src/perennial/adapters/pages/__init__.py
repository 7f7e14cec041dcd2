"""Pages for people: the gates with a picture each, and the model card, by Jinja's templates.

A page is one file without scripts, times or versions: it opens offline, and the same values give
the same bytes. The pictures are drawn here: matplotlib takes 1.7 s for thirty of them and writes
200 kB, to draw four shapes each.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perennial import paths
from perennial.adapters import files
from perennial.core.card.contents import Section
from perennial.core.card.sentences import shown

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
WIDTH = 260.0  # of a picture, in its own units
MARGIN = 10.0
VERDICTS = {
    "promote": "Promote: the candidate may go into production.",
    "keep": "Keep: the champion stays; the candidate is sound, and not better.",
    "block": "Block: the candidate may not go into production.",
}
ACTIONS = {
    "bootstrap": "Bootstrap: nobody is champion yet, so a first candidate is made.",
    "keep": "Keep: the champion stays; nothing is trained.",
    "retrain": "Retrain: the champion is challenged, with its own hyperparameters.",
    "retune": "Retune: the champion is challenged, after a new search.",
    "recalibrate": "Recalibrate: the champion's own trees, calibrated and cut anew, challenge it.",
}
SOURCES = (
    paths.GATE_REPORT,
    paths.METRICS,
    paths.SLICES_REPORT,
    paths.FAIRNESS_REPORT,
    paths.EXPLAIN_REPORT,
    paths.BEHAVIOUR_REPORT,
    paths.LEAKS_REPORT,
    paths.PARITY_REPORT,
    paths.MODEL_CARD_PAGE,
)


@dataclass(frozen=True)
class Picture:
    """Where an estimate, its interval and its threshold are on a picture, from left to right."""

    value: float
    low: float
    high: float
    threshold: float
    right_from: float  # the side on which a gate passes, shaded; of no width if it is not known
    right_to: float
    anchor: str  # how the threshold's label is set, so that it stays inside
    label: str
    says: str  # the picture in words, for who can't see it


def write_gates(path: Path, report: Mapping[str, Any]) -> None:
    """Write the gates' page: the verdict, then every gate in the report's order.

    Args:
        path: Of the page; its links are relative to this folder.
        report: As the stage `gate` writes it; `side` of a gate may be absent.
    """
    gates = [{**gate, "picture": picture(gate)} for gate in report["gates"]]
    passed = [gate for gate in gates if gate["verdict"] == "pass"]
    words = {
        "report": report,
        "headline": VERDICTS[report["verdict"]],
        "blocking": [gate["name"] for gate in gates if gate["blocks"]],
        "counts": {
            name: sum(gate["verdict"] == name for gate in gates)
            for name in ("fail", "insufficient", "pass")
        },
        "open": [gate for gate in gates if gate["verdict"] != "pass"],
        "passed": passed,
        "sources": [source.name for source in SOURCES if source.parent == path.parent],
        "width": WIDTH,
    }
    _write(path, "gates.html.j2", words)


def write_card(markdown: Path, page: Path, sections: Sequence[Section]) -> None:
    """Write the model card as Markdown and as a page, side by side in one folder."""
    words = {"sections": sections, "folder": markdown.parent.as_posix()}
    _write(markdown, "model-card.md.j2", words)
    _write(page, "model-card.html.j2", words)


def write_drift(
    path: Path, report: Mapping[str, Any], pictures: Sequence[tuple[str, bytes]]
) -> None:
    """Write the page about drift: what was decided and why, what moved, and pictures of it.

    Args:
        path: Of the page.
        report: As the stage `monitor` writes it.
        pictures: Words and a PNG each; they are put into the page.
    """
    words = {
        "report": report,
        "headline": ACTIONS[report["action"]],
        "drifted": [test for test in report["tests"] if test["drifted"]],
        "still": [test for test in report["tests"] if not test["drifted"]],
        "pictures": [(said, base64.b64encode(png).decode()) for said, png in pictures],
    }
    _write(path, "drift.html.j2", words)


def write_proof(path: Path, report: Mapping[str, Any], curves: bytes) -> None:
    """Write the proof's page.

    Args:
        path: Of the page.
        report: As `perennial prove-gates` writes it.
        curves: The power curves, a PNG; it is put into the page.
    """
    planted = sorted(report["planted"], key=lambda line: line["stopped"])
    words = {
        "report": report,
        "planted": planted,
        "caught": sum(line["stopped"] for line in planted),
        "curves": base64.b64encode(curves).decode(),
    }
    _write(path, "proof.html.j2", words)


def write_calibration(
    path: Path, report: Mapping[str, Any], plants: Sequence[Mapping[str, Any]], drawn: bytes
) -> None:
    """Write the page about false alarms and power.

    Args:
        path: Of the page.
        report: As `perennial calibrate-drift` writes it.
        plants: Its changes planted, a line each.
        drawn: Its picture, a PNG; it is put into the page.
    """
    words = {"report": report, "plants": plants, "picture": base64.b64encode(drawn).decode()}
    _write(path, "calibration.html.j2", words)


def write_replay(path: Path, report: Mapping[str, Any], drawn: bytes) -> None:
    """Write the replay's page.

    Args:
        path: Of the page.
        report: As `perennial replay` writes it.
        drawn: The picture, a PNG; it is put into the page.
    """
    policies = {policy["policy"]: policy for policy in report["policies"]}
    words = {
        "report": report,
        "drift": policies.get("drift"),
        "always": policies.get("always"),
        "against": {
            (line["policy"], line["than"], line["part"]): line for line in report["differences"]
        },
        "parts": (
            ("all", "all periods"),
            ("first_half", f"before {report['second_half']}"),
            ("second_half", f"from {report['second_half']}"),
        ),
        "drawn": base64.b64encode(drawn).decode(),
    }
    _write(path, "replay.html.j2", words)


def picture(gate: Mapping[str, Any]) -> Picture | None:
    """Return where everything is on a gate's picture; None where there is no number to show."""
    estimate = gate["estimate"]
    if estimate is None or estimate["value"] is None or gate["threshold"] is None:
        return None
    value, threshold = estimate["value"], gate["threshold"]
    # JSON has no infinity: a bound that is null reaches to the picture's edge
    low, high = estimate["low"], estimate["high"]
    known = [number for number in (value, threshold, low, high) if number is not None]
    start, span = min(known), (max(known) - min(known)) or 1.0

    def place(number: float | None, edge: float) -> float:
        if number is None:
            return edge
        inner = WIDTH - 6 * MARGIN  # room for what is at the ends, and for the shade beyond them
        return round(3 * MARGIN + inner * (number - start) / span, 2)

    side, line = gate.get("side"), place(threshold, 0.0)
    anchor = "start" if line < WIDTH / 3 else "end" if line > 2 * WIDTH / 3 else "middle"
    counted = low is not None and low == high  # a fact of these rows, which may be at its threshold
    wanted = "at most" if counted and side == "below" else side
    label = " ".join(filter(None, (wanted, shown(float(threshold)))))
    says = shown(value) if counted else shown({"value": value, "low": low, "high": high})
    return Picture(
        value=place(value, 0.0),
        low=place(low, 0.0),
        high=place(high, WIDTH),
        threshold=line,
        right_from=0.0 if side == "below" else line,
        right_to=WIDTH if side == "above" else line,
        anchor=anchor,
        label=label,
        says=f"{says}; threshold: {label}",
    )


def _write(path: Path, template: str, words: Mapping[str, Any]) -> None:
    text = _environment().get_template(template).render(words)
    files.write_bytes(path, text.encode())


def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"markdown": _markdown, "code": _code, "beside": _beside}
    return environment


def _markdown(text: str) -> str:
    """Return a text as Markdown shows it literally: a feature's name may hold any character."""
    text = re.sub(r"([\\`*<>#|~]|^[-+](?= )|(?<![^\W_])_|_(?![^\W_])|\](?=[(\[:]))", r"\\\1", text)
    return text.replace("&", "&amp;")


def _code(text: str) -> str:
    """Return a text as Markdown's code, fenced by more backticks than it holds."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{padding}{text}{padding}{fence}"


def _beside(artefact: str, folder: str) -> str:
    """Return the link from a page in `folder` to an artefact of the project."""
    steps = "../" * len(Path(folder).parts)
    return (
        artefact.removeprefix(f"{folder}/")
        if artefact.startswith(f"{folder}/")
        else (steps + artefact)
    )
