"""The listening sockets: opened once by the parent, inherited by every worker.

The parent owns them so that a worker that dies takes no waiting connection with it (with SO_REUSEPORT
each worker has a queue of its own, which is reset with it), and so that a low port needs a privilege
only once. With socket activation systemd opened them and we take those.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from gatepost.server.systemd import Inherited

BACKLOG = 4096
"""Connections that may wait to be accepted; the kernel allows at most net.core.somaxconn."""
SOMAXCONN = "/proc/sys/net/core/somaxconn"

_NAMELESS = ("", "unknown")
"""Names that a socket of socket activation has where nobody named it."""


class ListenError(Exception):
    """An address cannot be listened on; the text names it and says why."""


class HostPort(NamedTuple):
    """`192.0.2.1:25`, `[2001:db8::1]:25`, `localhost:25`; an empty host is every address."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_host_port(text: str, default_port: int | None = None) -> HostPort:
    """Read `host:port`; without a default the port must be there. ValueError says what is wrong."""
    text = text.strip()
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(f"{text!r} is not [address]:port")
        port = rest[1:]
    elif text.count(":") > 1:
        if default_port is None:
            raise ValueError(f"{text!r}: write an IPv6 address in brackets, [::1]:25")
        host, port = text, ""
    else:
        host, _, port = text.partition(":")
    if any(c.isspace() or c in "/\0@" for c in host):
        raise ValueError(f"{text!r} is not a host name or address")
    if not port:
        if default_port is None:
            raise ValueError(f"{text!r} lacks a port, as in {host or 'localhost'}:25")
        return HostPort(host, default_port)
    if not (port.isascii() and port.isdecimal() and int(port) <= 65535):
        raise ValueError(f"{text!r}: the port must be a number from 0 to 65535")
    return HostPort(host, int(port))


def open_listeners(
    addresses: Sequence[str],
    *,
    name: str = "smtp",
    inherited: Sequence[Inherited] = (),
    warn: Callable[[str], None] | None = None,
) -> list[socket.socket]:
    """Open, or take from `inherited`, the sockets to accept on: non-blocking, ready to fork.

    Sockets of socket activation with our name, or without any, stand in the place of all addresses. A
    machine without IPv6 does not fail for `[::]` where another address could be opened.
    """
    taken = [sock for given, sock in inherited if given == name or given in _NAMELESS]
    if taken:
        for sock in taken:
            _prepare(sock)
        return taken
    opened: list[socket.socket] = []
    missing: list[ListenError] = []
    try:
        for address in addresses:
            try:
                opened += _open(address)
            except _NoFamily as error:
                missing.append(error)
    except ListenError:
        for sock in opened:
            sock.close()
        raise
    if missing and not opened:
        raise missing[0]
    for reason in missing:
        if warn is not None:
            warn(str(reason))
    return opened


class _NoFamily(ListenError):
    """`[::]` on a machine without IPv6 (or the reverse)."""


def _open(address: str) -> list[socket.socket]:
    """Open one address of the configuration; a host name may stand for several."""
    try:
        host, port = parse_host_port(address)
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
        )
    except socket.gaierror as error:
        raise ListenError(f"cannot listen on {address}: {error.strerror}") from error
    except ValueError as error:
        raise ListenError(f"cannot listen on {error}") from error
    opened: list[socket.socket] = []
    for family, _, _, _, where in dict.fromkeys(found):
        try:
            opened.append(_bind(family, where))
        except OSError as error:
            for sock in opened:
                sock.close()
            kind = _NoFamily if _family_is_missing(host, error) else ListenError
            raise kind(f"cannot listen on {address}: {_reason(error, port)}") from error
    return opened


def _bind(family: int, where: tuple[object, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        # After a restart the old connections in TIME_WAIT must not keep us out.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # [::] must not take 0.0.0.0's port with it: each is configured by itself.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(where)
        _prepare(sock)
    except OSError:
        sock.close()
        raise
    return sock


def _prepare(sock: socket.socket) -> None:
    """What every listener has, whoever opened it."""
    if sock.family != socket.AF_UNIX:
        # Accepted sockets inherit it: replies leave at once, for no system call each.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.listen(backlog())
    sock.setblocking(False)


def backlog(path: str = SOMAXCONN) -> int:
    """Return how many may wait: what we wish for, or what the kernel allows if that is less."""
    try:
        return min(BACKLOG, int(Path(path).read_text()))
    except (OSError, ValueError):
        return BACKLOG


def _family_is_missing(host: str, error: OSError) -> bool:
    """Every address of a family that the machine does not have: no fault of the configuration."""
    if error.errno == errno.EAFNOSUPPORT:
        return True
    return host in ("::", "0.0.0.0", "") and error.errno == errno.EADDRNOTAVAIL  # noqa: S104


def _reason(error: OSError, port: int) -> str:
    """Return what is wrong, in words that say what to do."""
    match error.errno:
        case errno.EADDRINUSE:
            return f"another program listens there already (`ss -ltnp 'sport = :{port}'` names it)"
        case errno.EACCES | errno.EPERM:
            return f"no permission for port {port}: start as root or by systemd, or give CAP_NET_BIND_SERVICE"
        case errno.EADDRNOTAVAIL:
            return "this machine does not have that address"
        case errno.EAFNOSUPPORT:
            return "this machine does not speak that protocol (IPv6 switched off?)"
    return error.strerror or str(error)
