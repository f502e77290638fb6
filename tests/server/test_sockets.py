"""Listeners are opened once with what every accepted socket shall inherit, or refused with a reason."""

import errno
import socket
from pathlib import Path

import pytest

from gatepost.server import sockets
from gatepost.server.sockets import HostPort, ListenError, backlog, open_listeners, parse_host_port
from gatepost.server.systemd import Inherited
from tests.system.process import free_port


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1:25", ("192.0.2.1", 25)),
        ("[2001:db8::1]:2525", ("2001:db8::1", 2525)),
        (" localhost:0 ", ("localhost", 0)),
        (":25", ("", 25)),
    ],
)
def test_addresses(text: str, expected: tuple[str, int]) -> None:
    """`host:port`, IPv6 in brackets."""
    assert parse_host_port(text) == expected
    assert parse_host_port(str(parse_host_port(text))) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("192.0.2.1", "lacks a port"),
        ("::1:25", "in brackets"),
        ("[::1", r"\[address\]:port"),
        ("[::1]25", r"\[address\]:port"),
        ("a:b", "number from 0 to 65535"),
        ("a:65536", "number from 0 to 65535"),
        ("a:²", "number from 0 to 65535"),
        ("a b:25", "not a host name"),
        ("/run/x:25", "not a host name"),
    ],
)
def test_what_is_no_address_says_why(text: str, reason: str) -> None:
    """A ValueError with the text and the reason."""
    with pytest.raises(ValueError, match=reason):
        parse_host_port(text)


def test_a_default_port() -> None:
    """Name servers need no port; a bare IPv6 address is then no puzzle."""
    assert parse_host_port("::1", 53) == HostPort("::1", 53)
    assert parse_host_port("192.0.2.1", 53) == HostPort("192.0.2.1", 53)
    assert parse_host_port("[::1]", 53) == HostPort("::1", 53)


def test_accepted_sockets_inherit_no_delay() -> None:
    """TCP_NODELAY is set once on the listener; Linux hands it on; the listener does not block."""
    (listener,) = open_listeners(["127.0.0.1:0"])
    with listener, socket.create_connection(listener.getsockname()):
        listener.setblocking(True)
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_listeners_do_not_block_and_do_not_leak_into_programs() -> None:
    """Non-blocking for the event loops, closed in whatever is executed."""
    (listener,) = open_listeners(["127.0.0.1:0"])
    with listener:
        assert listener.gettimeout() == 0.0
        assert not listener.get_inheritable()


def test_both_wildcards_share_a_port() -> None:
    """0.0.0.0 and [::] side by side: the IPv6 one takes IPv6 only."""
    port = free_port()
    opened = open_listeners([f"0.0.0.0:{port}", f"[::]:{port}"])
    families = [sock.family for sock in opened]
    for sock in opened:
        sock.close()
    assert families[0] == socket.AF_INET
    assert families[1:] in ([], [socket.AF_INET6])


def test_a_port_that_is_taken_is_named_and_nothing_stays_open() -> None:
    """The error says which address and who to ask; what was opened before is closed again."""
    (first,) = open_listeners(["127.0.0.1:0"])
    with first:
        taken, port = f"127.0.0.1:{first.getsockname()[1]}", free_port()
        with pytest.raises(ListenError, match=f"cannot listen on {taken}: another program listens"):
            open_listeners([f"127.0.0.1:{port}", taken])
        (again,) = open_listeners([f"127.0.0.1:{port}"])
        again.close()


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("192.0.2.1:2525", "does not have that address"),
        ("no-such-host.invalid:25", "cannot listen on no-such-host.invalid:25: "),
        ("25", "cannot listen on '25' lacks a port"),
    ],
)
def test_what_cannot_be_bound_says_why(address: str, reason: str) -> None:
    """Address and reason in one line."""
    with pytest.raises(ListenError, match=reason):
        open_listeners([address])


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.EACCES, "CAP_NET_BIND_SERVICE"),
        (errno.EAFNOSUPPORT, "IPv6 switched off"),
        (errno.EIO, "I/O error"),
    ],
)
def test_reasons_in_words(number: int, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the kernel says is turned into what to do."""

    def refuse(*_: object) -> socket.socket:
        raise OSError(number, "Input/output error (I/O error)")

    monkeypatch.setattr(sockets, "_bind", refuse)
    with pytest.raises(ListenError, match=reason):
        open_listeners(["127.0.0.1:25"])


def test_a_machine_without_ipv6_still_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """`[::]` is left out with a word of warning as long as another address could be opened."""
    bind = sockets._bind

    def without_ipv6(family: int, where: tuple[object, ...]) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return bind(family, where)

    monkeypatch.setattr(sockets, "_bind", without_ipv6)
    warnings: list[str] = []
    opened = open_listeners(["127.0.0.1:0", "[::]:0"], warn=warnings.append)
    assert [sock.family for sock in opened] == [socket.AF_INET]
    opened[0].close()
    assert len(warnings) == 1
    assert "[::]:0" in warnings[0]
    with pytest.raises(ListenError):
        open_listeners(["[::]:0"])


def test_inherited_sockets_stand_in_for_the_addresses() -> None:
    """Ours by name or without a name; others are for others."""
    ours, nameless, other = (socket.create_server(("127.0.0.1", 0)) for _ in range(3))
    given = [Inherited("smtp", ours), Inherited("unknown", nameless), Inherited("metrics", other)]
    assert open_listeners(["127.0.0.1:1"], inherited=given) == [ours, nameless]
    assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
    assert ours.gettimeout() == 0.0
    (opened,) = open_listeners(["127.0.0.1:0"], inherited=[Inherited("metrics", other)])
    for sock in (ours, nameless, other, opened):
        sock.close()


def test_the_backlog_keeps_within_what_the_kernel_allows(tmp_path: Path) -> None:
    """Ours is 4096; a smaller somaxconn wins; an unreadable one does not matter."""
    path = tmp_path / "somaxconn"
    path.write_text("128\n")
    assert backlog(str(path)) == 128
    path.write_text("65536\n")
    assert backlog(str(path)) == 4096
    assert backlog(str(tmp_path / "none")) == 4096
