"""Alerts over a real HTTP connection, to a listener in this process."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from perennial.adapters import webhook
from perennial.commands.alerts import VARIABLE, alert, message
from perennial.errors import InputError, UnreachableError

SECRET = "T0CAFE-s3cret"


class Receiver(ThreadingHTTPServer):
    """A listener that keeps what it is sent; `answers` are taken in turn, the last one for good."""

    def __init__(self, answers: list[Any]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = answers
        self.received: list[Any] = []
        self.ended = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/services/{SECRET}"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["Content-Type"].startswith("application/json")
        self.server.received.append(json.loads(body))
        answers = self.server.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer == "silence":
            self.server.ended.wait(30)
            return
        if answer == "trickle":
            try:
                while not self.server.ended.wait(0.05):
                    self.wfile.write(b"H")
                    self.wfile.flush()
            except OSError:
                pass
            return
        self.send_response(answer)
        if answer == 302:
            self.send_header("Location", self.server.url)
        self.end_headers()

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Callable[..., Receiver]]:
    started: list[Receiver] = []

    def start(*answers: Any) -> Receiver:
        server = Receiver(list(answers))
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.ended.set()
        server.shutdown()
        server.server_close()


def test_an_alert_arrives_as_slack_reads_it(receiver, monkeypatch, capsys) -> None:
    """The listener gets a notification's text, and a header with the facts as fields below it."""
    server = receiver(200)
    monkeypatch.setenv(VARIABLE, server.url)
    alert("drift", "2010-11 differs from what the champion knows", {"verdict": "harmful"})
    (got,) = server.received
    assert got["text"].startswith("Drift: 2010-11 differs")
    assert got["blocks"][0]["type"] == "header"
    assert got["blocks"][0]["text"]["type"] == "plain_text"
    assert [field["text"] for field in got["blocks"][1]["fields"]] == ["verdict\nharmful"]
    assert capsys.readouterr() == ("", "")


def test_a_fault_of_the_server_that_passes_is_tried_again(receiver, monkeypatch, capsys) -> None:
    """500 and then 200 delivers the alert, and nothing is said."""
    server = receiver(500, 200)
    monkeypatch.setenv(VARIABLE, server.url)
    alert("failure", "stage train failed", {})
    assert len(server.received) == 2
    assert capsys.readouterr().err == ""


def test_a_server_that_stays_broken_is_asked_three_times(receiver, monkeypatch, capsys) -> None:
    """Two retries, one sentence on stderr, no exception and no address."""
    server = receiver(503)
    monkeypatch.setenv(VARIABLE, server.url)
    alert("block", "a gate blocks", {"gate": "leakage"})
    told = capsys.readouterr().err
    assert len(server.received) == 3
    assert told.count("\n") == 1
    assert "503" in told
    assert SECRET not in told
    assert "127.0.0.1" not in told


def test_what_the_receiver_refuses_is_not_sent_again(receiver, monkeypatch, capsys) -> None:
    """Slack answers 404 for an address that was revoked; asking again is no use."""
    server = receiver(404)
    monkeypatch.setenv(VARIABLE, server.url)
    alert("block", "a gate blocks", {})
    assert len(server.received) == 1
    assert "404" in capsys.readouterr().err


def test_a_redirect_is_not_taken_for_delivery(receiver, monkeypatch, capsys) -> None:
    """urllib would turn the POST into a GET at the new place, whose 200 means nothing."""
    server = receiver(302)
    monkeypatch.setenv(VARIABLE, server.url)
    alert("block", "a gate blocks", {})
    told = capsys.readouterr().err
    assert "302" in told
    assert SECRET not in told


def test_nobody_listening_fails_nothing(receiver, monkeypatch, capsys) -> None:
    """An address where nothing listens costs one sentence on stderr, without the address."""
    server = receiver(200)
    url = server.url
    server.shutdown()
    server.server_close()
    monkeypatch.setenv(VARIABLE, url)
    alert("promotion", "version 2", {})
    told = capsys.readouterr().err
    assert "refused" in told
    assert told.count("\n") == 1
    assert SECRET not in told


@pytest.mark.parametrize("answer", ["silence", "trickle"])
def test_a_slow_receiver_holds_nobody_longer_than_it_may(receiver, answer) -> None:
    """Neither silence nor one byte now and then outlasts the time of an attempt."""
    server = receiver(answer)
    began = time.monotonic()
    with pytest.raises(UnreachableError, match=r"no answer within 0\.3 s") as raised:
        webhook.post(server.url, {"text": "x"}, timeout=0.3, waits=(0.1, 0.1))
    assert time.monotonic() - began < 3
    assert len(server.received) == 3
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        SECRET,
        f"file:///{SECRET}",
        f"http:///{SECRET}",
        f"http://127.0.0.1:{SECRET}/",
        f"https://hooks.example.org/{SECRET} {SECRET}",
        f"https://[{SECRET}",
        f"https://hooks.example.org/\x07{SECRET}",
        f"https://hooks.example.org/ü{SECRET}",
    ],
)
def test_an_address_that_is_none_is_not_repeated(url, monkeypatch, capsys) -> None:
    """Python's own errors quote the address that they can't read; ours never do."""
    monkeypatch.setenv(VARIABLE, url)
    alert("drift", "x", {})
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert SECRET not in told
    with pytest.raises(InputError) as raised:
        webhook.post(url, {})
    assert SECRET not in str(raised.value)


def test_without_an_address_nothing_is_done(monkeypatch, capsys) -> None:
    """Unset and empty both mean that nobody wants to be told."""
    monkeypatch.delenv(VARIABLE, raising=False)
    alert("drift", "x", {})
    monkeypatch.setenv(VARIABLE, " ")
    alert("drift", "x", {})
    assert capsys.readouterr() == ("", "")


def test_no_text_is_longer_than_slack_takes() -> None:
    """Headers of 150 characters, fields of 2,000, ten fields a section and fifty blocks at most."""
    facts = {f"fact {i}": "&" * 3000 for i in range(700)}
    found = message("block", "<" * 400, facts)
    header, *sections = found["blocks"]
    assert len(found["blocks"]) == 50
    assert len(header["text"]["text"]) <= 150
    assert len(found["text"]) <= 4000
    assert all(len(section["fields"]) <= 10 for section in sections)
    texts = [field["text"] for section in sections for field in section["fields"]]
    assert max(map(len, texts)) <= 2000
    for text in [*texts, header["text"]["text"], found["text"]]:
        assert text.endswith("…")
        assert text.replace("&amp;", "").replace("&lt;", "").count("&") == 0


def test_control_characters_of_slack_are_escaped() -> None:
    """A value of the data can't call a channel to arms or pass for a link."""
    found = message("drift", "<!channel> a & b", {"<x>": "<https://example.org|click>"})
    assert found["blocks"][0]["text"]["text"] == "Drift: &lt;!channel&gt; a &amp; b"
    assert found["blocks"][1]["fields"][0]["text"] == "&lt;x&gt;\n&lt;https://example.org|click&gt;"
    assert "<" not in json.dumps(found)


def test_an_alert_without_facts_has_no_empty_section() -> None:
    """Slack refuses a section without fields."""
    assert [block["type"] for block in message("promotion", "version 2", {})["blocks"]] == [
        "header"
    ]
