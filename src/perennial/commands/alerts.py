"""Alerts: what people are told where they talk, if they say where. An alert never fails a run.

The message is what Slack's incoming webhooks take: `text`, which is shown in a notification, and
`blocks`, a header with the facts below it.
"""

import contextlib
import os
import re
import sys
from collections.abc import Mapping
from typing import Any, Literal

from perennial.adapters import webhook
from perennial.errors import PerennialError

VARIABLE = (
    "PERENNIAL_ALERT_WEBHOOK"  # the address says who may post: a secret, so never a parameter
)
Kind = Literal["drift", "block", "promotion", "failure"]
WORDS: dict[Kind, str] = {
    "drift": "Drift",
    "block": "Blocked",
    "promotion": "Promoted",
    "failure": "Failed",
}
# Slack's limits: docs.slack.dev/reference/block-kit/blocks, and for `text` what it advises
HEADER, FIELD, TEXT = 150, 2000, 4000  # characters
FIELDS, SECTIONS = 10, 49  # fields a section, sections beside the header


def alert(kind: Kind, title: str, facts: Mapping[str, str]) -> None:
    """Tell the webhook that the environment names; without one, do nothing.

    An alert that can't be delivered is said once on stderr, without the address.

    Args:
        kind: What has happened.
        title: It in one line.
        facts: Values by name, in the order in which they are to be read.
    """
    url = os.environ.get(VARIABLE, "").strip()
    if not url:
        return
    try:
        webhook.post(url, message(kind, title, facts))
    except PerennialError as error:
        _complain(error.faults[0])
    except Exception as error:  # its text may hold the address
        _complain(type(error).__name__)


def message(kind: Kind, title: str, facts: Mapping[str, str]) -> dict[str, Any]:
    """Return the message as JSON values, escaped and no longer than Slack takes."""
    headline = " ".join(f"{WORDS[kind]}: {title}".split())
    # plain text, as a column's name may well be marked-up text to Slack
    fields = [_plain(f"{name}\n{value}", FIELD) for name, value in facts.items()]
    sections = [
        {"type": "section", "fields": fields[start : start + FIELDS]}
        for start in range(0, len(fields), FIELDS)
    ]
    told = "\n".join([headline, *(f"{name}: {value}" for name, value in facts.items())])
    header = {"type": "header", "text": _plain(headline, HEADER)}
    return {"text": _fitted(told, TEXT), "blocks": [header, *sections[:SECTIONS]]}


def _plain(text: str, limit: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": _fitted(text, limit), "emoji": False}


def _fitted(text: str, limit: int) -> str:
    """Return the text with Slack's control characters escaped, cut to `limit` characters."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if len(escaped) <= limit:
        return escaped
    whole = re.sub(r"&\w{0,3}$", "", escaped[: limit - 1])  # no half an entity at its end
    return f"{whole}…"


def _complain(reason: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # a stderr that is closed
        sys.stderr.write(f"the alert to {VARIABLE} was not delivered: {reason}\n")
