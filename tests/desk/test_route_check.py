"""A route is tried before mail depends on it; an owner's may lead only where that is allowed."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from gatepost.desk import domains, route_check
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError

Server = Callable[[Callable[[str], bytes]], str]


class Talker(socketserver.StreamRequestHandler):
    """A mail server that knows whom its `says` knows, and takes no message."""

    def handle(self) -> None:
        """Answer command after command."""
        says: Callable[[str], bytes] = self.server.says  # type: ignore[attr-defined]
        self.wfile.write(b"220 back.example ESMTP\r\n")
        for line in self.rfile:
            word = line[:4].upper()
            if word == b"RCPT":
                self.wfile.write(says(line.decode()))
            elif word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                assert word in (b"EHLO", b"MAIL", b"RSET"), line
                self.wfile.write(b"250 fine\r\n")


@pytest.fixture
def server() -> Iterator[Server]:
    """Give a function that starts a server and returns its route."""
    running: list[socketserver.ThreadingTCPServer] = []

    def start(says: Callable[[str], bytes]) -> str:
        made = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talker)
        made.daemon_threads = True
        made.says = says  # type: ignore[attr-defined]
        threading.Thread(target=made.serve_forever, daemon=True).start()
        running.append(made)
        return f"smtp://127.0.0.1:{made.server_address[1]}"

    yield start
    for one in running:
        one.shutdown()
        one.server_close()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return an administrator's desk."""
    return Desk(tmp_path, "root", hostname="mx.example", doors=[("127.0.0.1", 2525)])


def levels(tried: route_check.Tried) -> dict[str, str]:
    """Return what was found: what -> level."""
    return {one.what: one.level for one in tried.findings}


def test_a_good_server(desk: Desk, server: Server) -> None:
    """It knows whom it should, refuses who cannot exist, and takes no stranger's mail."""
    url = server(lambda line: b"250 ok\r\n" if "<ann@example.org>" in line else b"550 5.1.1 no such user\r\n")
    tried = route_check.try_route(desk, "Example.org", url, "ann@example.org")

    assert {"connects": "good", "tls": "warn", "known": "good", "unknown": "good"} == levels(tried)
    assert tried.good
    assert not tried.accepts_all
    assert "550 no such user" in tried.findings[-1].detail


def test_a_server_that_takes_everything(desk: Desk, server: Server) -> None:
    """It is told that asking it is worthless, and that it relays for anybody who comes from here."""
    tried = route_check.try_route(desk, "example.org", server(lambda _line: b"250 ok\r\n"), "ann")

    assert {"connects": "good", "tls": "warn", "known": "good", "unknown": "warn", "relay": "warn"} == levels(
        tried
    )
    assert tried.accepts_all


def test_a_server_that_does_not_know_the_domain(desk: Desk, server: Server) -> None:
    """Who should exist there does not: mail would be refused."""
    tried = route_check.try_route(
        desk, "example.org", server(lambda _line: b"554 5.7.1 relay denied\r\n"), "ann"
    )

    assert "bad" == levels(tried)["known"]
    assert not tried.good


def test_nobody_there(desk: Desk) -> None:
    """A server that does not answer is bad, with the reason."""
    tried = route_check.try_route(desk, "example.org", "smtp://127.0.0.1:1")

    assert {"connects": "bad"} == levels(tried)
    assert tried.findings[0].detail


def test_no_route(desk: Desk) -> None:
    """What is no route, or leads to us, is not tried."""
    for url in ("http://x.example", "smtp://127.0.0.1:2525"):
        with pytest.raises(DeskError):
            route_check.try_route(desk, "example.org", url)
    with pytest.raises(DeskError):
        route_check.try_route(desk, "not a domain", "smtp://mail.example")
    assert {"path": "good"} == levels(route_check.try_route(desk, "example.org", "maildir:///srv/mail/%u"))


def test_an_owners_route(tmp_path: Path, server: Server) -> None:
    """Private addresses, sockets, maildirs are the administrator's, by name too, unless allowed."""
    url = server(lambda _line: b"250 ok\r\n")
    owner = Desk(tmp_path, "ann", admin=False)
    for private in (url, "lmtp:///run/lmtp", "maildir:///srv/mail/%u"):
        with pytest.raises(DeskError, match="administrator"):
            route_check.try_route(owner, "example.org", private)
    named = route_check.try_route(owner, "example.org", url.replace("127.0.0.1", "localhost"))
    assert {"connects": "bad"} == levels(named)
    assert "private" in named.findings[0].detail
    allowed = Desk(tmp_path, "ann", admin=False, relay_allow=[ip_network("127.0.0.0/8")])
    assert "good" == levels(route_check.try_route(allowed, "example.org", url))["connects"]


def test_an_owners_route_is_kept_as_such(tmp_path: Path) -> None:
    """It is marked, so that it never leads to a private address later; what stood there may stay."""
    domains.add(Desk(tmp_path, "root"), "example.org", ["smtp://10.0.0.1"])
    owner = Desk(tmp_path, "ann", admin=False)
    domains.set_values(
        owner, "example.org", {"route": ["smtp://10.0.0.1", "smtp://mail.example?tls=required"]}
    )

    assert ["smtp://10.0.0.1", "smtp://mail.example?tls=required&public"] == domains.own_values(
        owner, "example.org"
    )["route"]
    with pytest.raises(DeskError, match="private"):
        domains.set_values(owner, "example.org", {"route": ["smtp://10.0.0.2"]})


def test_records(desk: Desk) -> None:
    """The MX record to set is named; without an answer nothing is there."""
    silent = Desk(desk.data_dir, "root", hostname="mx.example", dns_servers=["127.0.0.1:1"], dns_timeout=0.2)
    (record,) = route_check.records(silent, "example.org")

    assert ("example.org.", "MX", "10 mx.example.", (), False) == (
        record.name,
        record.kind,
        record.value,
        record.present,
        record.right,
    )
