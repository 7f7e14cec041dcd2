"""Webhooks: JSON posted to an address that is a secret. Nothing said here repeats the address."""

import http.client
import json
import os
import queue
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from perennial.errors import InputError, UnreachableError

TIMEOUT = 5.0  # seconds for an answer
WAITS = (0.5, 2.0)  # seconds before each of the two retries
ANSWERS_TO_RETRY = (408, 425, 429)  # and all from 500 on


@dataclass(frozen=True)
class _Failure:
    reason: str
    passing: bool


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirected POST would become a GET elsewhere, and be counted as delivered."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def post(
    url: str,
    content: Mapping[str, Any],
    timeout: float = TIMEOUT,
    waits: Sequence[float] = WAITS,
) -> None:
    """Post `content` as JSON; again, after each of `waits` seconds, where that may help.

    A receiver that was slow to answer may get the same content twice.

    Args:
        url: The address; a secret.
        content: JSON values.
        timeout: Seconds until an attempt is given up, however far it has come.
        waits: Seconds before each retry.

    Raises:
        InputError: the address is none, or the receiver refuses what was posted.
        UnreachableError: there was no answer, or none but faults of the server.
    """
    try:
        address = urlsplit(url)
        sound = address.scheme in ("http", "https") and bool(address.hostname)
    except ValueError:
        sound = False
    if not sound or not url.isascii() or not url.isprintable() or " " in url:
        raise InputError("it is no http or https address", "Correct it, or unset it.")
    headers = {"Content-Type": "application/json; charset=utf-8"}
    request = urllib.request.Request(url, json.dumps(content).encode(), headers)  # noqa: S310
    failure = _within(timeout, request)
    for wait in waits:
        if failure is None or not failure.passing:
            break
        time.sleep(wait)
        failure = _within(timeout, request)
    if failure is None:
        return
    if not failure.passing:
        raise InputError(failure.reason, "Make a new address, or unset it.")
    raise UnreachableError(
        f"{failure.reason}, after {len(waits) + 1} attempts", "Nothing needs to be run again."
    )


def _within(timeout: float, request: urllib.request.Request) -> _Failure | None:
    """Attempt it in a thread: a socket's timeout bounds neither a look-up nor a trickle."""
    answers: queue.SimpleQueue[_Failure | None] = queue.SimpleQueue()

    def attempt() -> None:
        answers.put(_attempt(request, timeout))

    threading.Thread(target=attempt, daemon=True).start()
    try:
        return answers.get(timeout=timeout)
    except queue.Empty:
        return _Failure(f"no answer within {timeout:g} s", passing=True)


def _attempt(request: urllib.request.Request, timeout: float) -> _Failure | None:
    try:
        urllib.request.build_opener(_NoRedirects).open(request, timeout=timeout).close()
    except urllib.error.HTTPError as error:
        with error:
            passing = error.code >= 500 or error.code in ANSWERS_TO_RETRY
            return _Failure(f"HTTP {error.code}", passing)
    except TimeoutError:
        return _Failure(f"no answer within {timeout:g} s", passing=True)
    except (OSError, http.client.HTTPException) as error:
        return _Failure(_reason(error), passing=not isinstance(error, http.client.InvalidURL))
    except Exception as error:  # whatever it is, its text may hold the address
        return _Failure(type(error).__name__, passing=False)
    return None


def _reason(error: Exception) -> str:
    """Return what the system says; an error's own text may hold the address."""
    cause = getattr(error, "reason", error)
    if isinstance(cause, socket.gaierror):
        return "its host's name is not known"
    number = cause.errno if isinstance(cause, OSError) else None
    return os.strerror(number) if number and number > 0 else type(cause).__name__
