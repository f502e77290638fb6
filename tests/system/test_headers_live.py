"""The form of a message over the wire: two domains in one transaction, and an old tree's checks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.mail.test_structure import BOMBS
from tests.system.gateway import Gateway
from tests.system.meanwhile import nobody_waits
from tests.system.process import wait_until
from tests.system.running import in_force
from tests.system.sink import Sink
from tests.system.test_backends import hosting

ANN, OTHER = "ann@example.org", "ann@other.example"
DATELESS = b"From: <me@client.example>\r\nSubject: no date\r\nMessage-ID: <1@client.example>\r\n\r\nhello\r\n"
BOMB = DATELESS.replace(b"\r\n\r\n", b"\r\n" + b"X: y\r\n" * 2_000 + b"\r\n")


def rows(gateway: Gateway) -> str:
    """Return the journal of example.org with what each check said."""
    found = gateway.json("journal", "--domain", "example.org")
    return str([gateway.json("explain", row["id"]) for row in found])


def test_refused_for_one_domain(make_gateway: Callable[..., Gateway], sink: Sink) -> None:
    """Without a Date: refused for who wants one, delivered to who does not; an entry leads past it."""
    gateway = make_gateway()
    hosting(gateway, sink.port)
    hosting(gateway, sink.port, domain="other.example")
    gateway.cli("domain", "set", "example.org", "headers.mode=on", "headers.missing_date=refuse")
    in_force()
    code, said = gateway.send([ANN], DATELESS)
    assert (550, "5.6.0") == (code, said.split()[0])
    assert "Message is not well-formed" in said
    before = len(sink.messages())
    assert 250 == gateway.send([ANN, OTHER], DATELESS)[0]
    (got,) = sink.messages()[before:]
    assert b"<ann@other.example>" in got
    assert b"<ann@example.org>" not in got
    wait_until(lambda: "Missing header - Date:" in rows(gateway), "the reason in the journal")
    gateway.cli("list", "add", "example.org", "allow", "client.example", "--plugin", "headers")
    in_force()
    assert 250 == gateway.send([ANN], DATELESS)[0]


def test_over_budget_is_held(make_gateway: Callable[..., Gateway], sink: Sink) -> None:
    """A mail with 2,000 lines of headers gets 250, is held by default, and says what was too much."""
    gateway = make_gateway()
    hosting(gateway, sink.port)
    gateway.cli("domain", "set", "example.org", "headers.mode=on")
    in_force()
    before = len(sink.messages())
    assert 250 == gateway.send([ANN], BOMB)[0]
    assert before == len(sink.messages())
    wait_until(lambda: "over budget: 2004 lines of headers" in rows(gateway), "the reason")
    gateway.cli("domain", "set", "example.org", "headers.over_budget=refuse")
    in_force()
    assert 550 == gateway.send([ANN], BOMB)[0]


SENDER = """
import socket, sys
port, name = int(sys.argv[1]), sys.argv[2]
sock = socket.create_connection(("127.0.0.1", port))
said = sock.makefile("rb")

def answer():
    while (line := said.readline())[3:4] == b"-":
        pass
    return line

answer()
for command in (b"EHLO c.example", b"MAIL FROM:<s@client.example>", b"RCPT TO:<ann@example.org>", b"DATA"):
    sock.sendall(command + b"\\r\\n")
    answer()
with open(name, "rb") as file:
    sock.sendall(file.read())
sys.stdout.write(answer().decode())
"""
"""A client in a process of its own: what it costs is not the gateway's."""
HUGE = {
    "empty parts": BOMBS["empty parts"],
    "boundaries that never come": BOMBS["boundaries that never come"],
    "nothing but bare LF": lambda: b"\r\n" + b"\n" * (25 << 20),
}


@pytest.mark.parametrize("name", HUGE)
def test_nobody_waits(make_gateway: Callable[..., Gateway], sink: Sink, name: str) -> None:
    """T6.1: while 20 MB and more of a bomb are read, another session's NOOP is answered within 100 ms."""
    gateway = make_gateway()
    hosting(gateway, sink.port)
    gateway.cli("domain", "set", "example.org", "headers.mode=on")
    in_force()
    wire = gateway.top / "bomb"
    head = DATELESS.partition(b"\r\n\r\n")[0] + b"\r\n"
    wire.write_bytes(head + HUGE[name]() + b"\r\n.\r\n")

    def send() -> None:
        command = (sys.executable, "-c", SENDER, str(gateway.port), str(wire))
        assert subprocess.run(command, capture_output=True, timeout=120, check=True).stdout.startswith(b"250")

    nobody_waits(gateway.port, send)
