"""Who is told: a webhook named in the environment, and a notification block of Prefect's.

The block is one that a person made on the server under the name `perennial-alerts`, of any type
that can notify (Slack, Teams, a webhook of one's own). Telling never fails a run.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import entry  # noqa: F401

# isort: split
import prefect.blocks.notifications  # noqa: F401  a block is loaded as a class that is known
from prefect.blocks.abstract import NotificationBlock
from prefect.blocks.core import Block
from prefect.client.orchestration import get_client
from prefect.logging import get_logger

from perennial.adapters.dag import BlockedError
from perennial.commands import alerts
from perennial.commands.faults import explained

BLOCK = "perennial-alerts"


def notice(kind: alerts.Kind, title: str, facts: Mapping[str, str]) -> None:
    """Tell the webhook and the block, where there are any."""
    alerts.alert(kind, title, facts)
    try:
        for block in _blocks():
            body = "\n".join(f"{name}: {value}" for name, value in facts.items())
            block.notify(body, subject=f"{alerts.WORDS[kind]}: {title}")
    except Exception as error:  # its text may hold the block's address
        get_logger("perennial").warning(
            "the block %s could not notify: %s", BLOCK, type(error).__name__
        )


@contextmanager
def failure_told(flow: str) -> Iterator[None]:
    """Tell of what fails; a block is a verdict, which is told where it is judged."""
    try:
        yield
    except BlockedError:
        raise
    except Exception as raised:
        error = explained(raised)
        facts = {"why": "; ".join(error.faults), "remedy": error.remedy}
        notice("failure", f"{flow} ended with {error.exit_code}", facts)
        raise


def _blocks() -> list[NotificationBlock]:
    with get_client(sync_client=True) as client:
        documents = client.read_block_documents(limit=200, include_secrets=False)
    slugs = [d.block_type.slug for d in documents if d.name == BLOCK and d.block_type]
    loaded = [Block.load(f"{slug}/{BLOCK}") for slug in slugs]
    return [block for block in loaded if isinstance(block, NotificationBlock)]
