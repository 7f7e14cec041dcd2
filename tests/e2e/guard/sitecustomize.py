"""Refuses every connection and look-up beyond loopback, in each Python process of a run, and writes
down who tried. Put on PYTHONPATH by the end-to-end tests."""

import os
import socket
import sys
from pathlib import Path

LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0")
connect, connect_ex, getaddrinfo = (
    socket.socket.connect,
    socket.socket.connect_ex,
    socket.getaddrinfo,
)


def check(host: object) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if isinstance(name, str) and name and not name.startswith(LOOPBACK):
        with Path(os.environ["NETWORK_GUARD_LOG"]).open("a") as log:
            log.write(f"{name} by {sys.argv}\n")
        raise OSError(f"the network guard refuses {name}")


def guarded(call):  # type: ignore[no-untyped-def]
    def wrapper(self, address):  # type: ignore[no-untyped-def]
        if self.family in (socket.AF_INET, socket.AF_INET6):
            check(address[0])
        return call(self, address)

    return wrapper


def looked_up(host, *arguments, **named):  # type: ignore[no-untyped-def]
    check(host)
    return getaddrinfo(host, *arguments, **named)


socket.socket.connect = guarded(connect)
socket.socket.connect_ex = guarded(connect_ex)
socket.getaddrinfo = looked_up
