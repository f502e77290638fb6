"""Clients that talk before the greeting: marked by the server, refused where the domain says so."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable

import pytest

from tests.system.gateway import Gateway
from tests.system.process import wait_until
from tests.system.sink import Sink
from tests.system.test_backends import ID

WAIT = 1
"""Seconds, `smtp.greet_wait`."""
ENVELOPE = b"EHLO spam.example\r\nMAIL FROM:<me@client.example>\r\n"
BALANCER = "127.0.0.40"
PROXY = b"PROXY TCP4 198.51.100.7 127.0.0.1 4321 25\r\n"


def connected(gateway: Gateway, source: str) -> socket.socket:
    """Return a connection from this loopback address."""
    return socket.create_connection(("127.0.0.1", gateway.port), timeout=20, source_address=(source, 0))


def replies(
    gateway: Gateway, *recipients: str, before: bytes = b"", source: str = "127.0.0.1"
) -> dict[str, str]:
    """Send everything at once, before the greeting; the reply to each recipient."""
    with connected(gateway, source) as peer:
        wanted = b"".join(f"RCPT TO:<{one}>\r\n".encode() for one in recipients)
        peer.sendall(before + ENVELOPE + wanted + b"QUIT\r\n")
        said = b""
        while piece := peer.recv(65_536):
            said += piece
    finals = re.findall(r"^(\d{3} .*)\r$", said.decode(), re.MULTILINE)
    assert ["220", "250", "250"] == [line[:3] for line in finals[:3]], finals
    assert finals[-1].startswith("221")
    return dict(zip(recipients, finals[3:-1], strict=True))


@pytest.fixture
def waiting(make_gateway: Callable[..., Gateway], sink: Sink) -> Gateway:
    """Give a gateway that waits a second; example.org refuses early talkers, second.example does not."""
    gateway = make_gateway(smtp={"greet_wait": WAIT})
    gateway.cli("domain", "add", "example.org", "--route", f"smtp://127.0.0.1:{sink.port}")
    gateway.cli("recipient", "add", "example.org", "ann")
    gateway.cli("domain", "set", "example.org", "refuse_at=rcpt")
    gateway.cli("domain", "add", "second.example", "--route", f"smtp://127.0.0.1:{sink.port}")
    gateway.cli("recipient", "add", "second.example", "ann")
    gateway.cli("domain", "set", "second.example", "early_talker.mode=off")
    gateway.until_accepted("ann@second.example")
    return gateway


def test_early_talker(waiting: Gateway) -> None:
    """One session, each domain's own opinion; postmaster and abuse are always heard; who waits is let in."""
    people = ("ann@example.org", "postmaster@example.org", "abuse@example.org", "ann@second.example")
    said = replies(waiting, *people)
    assert said["ann@example.org"].startswith("550 5.5.0 You must wait for our greeting")
    assert ["250", "250", "250"] == [said[one][:3] for one in people[1:]]
    assert 250 == waiting.rcpt("ann@example.org")[0]

    found = re.search(ID, said["ann@example.org"])
    assert found
    wait_until(lambda: waiting.cli("explain", found[0], check=False).returncode == 0, "explained")
    explained = waiting.cli("explain", found[0]).stdout
    assert "early_talker" in explained
    assert "the client talked before the greeting" in explained


def test_behind_a_balancer(make_gateway: Callable[..., Gateway], sink: Sink) -> None:
    """PROXY's header is not early talk; what the client says before our greeting is, and it is waited for."""
    gateway = make_gateway(smtp={"greet_wait": WAIT, "proxy_protocol_from": [BALANCER]})
    gateway.cli("domain", "add", "example.org", "--route", f"smtp://127.0.0.1:{sink.port}")
    gateway.cli("recipient", "add", "example.org", "ann")
    gateway.cli("domain", "set", "example.org", "refuse_at=rcpt")

    def early() -> str:
        return replies(gateway, "ann@example.org", before=PROXY, source=BALANCER)["ann@example.org"]

    wait_until(lambda: early().startswith("550 5.5.0"), "early talker behind PROXY")
    with connected(gateway, BALANCER) as peer:
        began = time.monotonic()
        peer.sendall(PROXY)
        assert peer.recv(1024).startswith(b"220")
        assert time.monotonic() - began > WAIT * 0.9
        peer.sendall(ENVELOPE + b"RCPT TO:<ann@example.org>\r\nQUIT\r\n")
        said = b""
        while piece := peer.recv(65_536):
            said += piece
    assert b"\r\n250 2.1.5" in said
