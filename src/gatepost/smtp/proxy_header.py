"""The PROXY protocol, versions 1 and 2: a balancer in front tells who the client is.

haproxy.org/download/3.0/doc/proxy-protocol.txt. Who may send one is the driver's business; where one
is expected, nothing else is ever taken for the beginning of SMTP (T9.3): every doubt is a `ProxyError`
and the connection is cut. The answer does not depend on how the bytes were cut.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from gatepost.smtp.errors import RemoteProtocolError

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
MAX_V1 = 107
"""Octets of a version 1 line, CRLF included (2.1)."""
MAX_V2 = 4096
"""Octets of a version 2 block behind its length: addresses and TLVs."""

_V1 = re.compile(rb"PROXY (TCP4|TCP6) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) ([0-9]{1,5}) ([0-9]{1,5})\r\n")
_V1_UNKNOWN = re.compile(rb"PROXY UNKNOWN(?: [ -~]*)?\r\n")
_INET, _INET6, _UNIX = 1, 2, 3
_LENGTHS = {0: 0, _INET: 12, _INET6: 36, _UNIX: 216}


class ProxyError(RemoteProtocolError):
    """What came is no PROXY header; the text says why."""


@dataclass(frozen=True, slots=True)
class ProxyResult:
    """Who the client is, and what it already said."""

    client: str
    """Address as text, IPv4-mapped IPv6 written as IPv4; "" where the balancer speaks for itself (LOCAL,
    UNKNOWN) or for a client without an address (UNIX): then the connection's own address counts."""
    port: int
    local: str
    """`address:port` that the client connected to, "" if not said."""
    rest: bytes
    """Bytes behind the header."""


class ProxyReader:
    """Feed it the first bytes of a connection until it gives a result."""

    __slots__ = ("_data",)

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> ProxyResult | None:
        """Take bytes; None needs more. Raises ProxyError as soon as it is certain."""
        self._data = data = self._data + data
        if data.startswith(b"P"):
            return _version_1(data)
        if not data or SIGNATURE.startswith(data[:12]):
            return _version_2(data)
        raise ProxyError("no PROXY header")


def _version_1(data: bytes) -> ProxyResult | None:
    if not data.startswith(b"PROXY "[: len(data)]):
        raise ProxyError("no PROXY header")
    end = data.find(b"\n", 0, MAX_V1) + 1
    if not end:
        if len(data) >= MAX_V1:
            raise ProxyError("version 1 line is too long")
        return None
    line, rest = data[:end], data[end:]
    match = _V1.fullmatch(line)
    if match is None:
        if _V1_UNKNOWN.fullmatch(line):
            return ProxyResult("", 0, "", rest)
        raise ProxyError("bad version 1 line")
    family, source, target, port, local_port = (word.decode("ascii") for word in match.groups())
    try:
        if family == "TCP4":
            client, local = str(IPv4Address(source)), str(IPv4Address(target))
        else:
            client, local = _six(IPv6Address(source)), _six(IPv6Address(target))
    except AddressValueError:
        raise ProxyError("bad address in version 1 line") from None
    return ProxyResult(client, _port(port), f"{_bracketed(local)}:{_port(local_port)}", rest)


def _port(text: str) -> int:
    number = int(text)
    if number > 65_535 or str(number) != text:
        raise ProxyError("bad port in version 1 line")
    return number


def _version_2(data: bytes) -> ProxyResult | None:
    if len(data) > 12:
        version, command = data[12] >> 4, data[12] & 15
        if version != 2 or command > 1:
            raise ProxyError("bad version 2 command")
    if len(data) < 16:
        return None
    length = int.from_bytes(data[14:16], "big")
    if length > MAX_V2:
        raise ProxyError("version 2 header is too long")
    local = data[12] & 15 == 0
    family, transport = data[13] >> 4, data[13] & 15
    if not local and (family not in _LENGTHS or transport > 1 or (family == 0) is not (transport == 0)):
        raise ProxyError("bad version 2 family")
    if not local and length < _LENGTHS[family]:
        raise ProxyError("version 2 header is too short")
    if len(data) < 16 + length:
        return None
    block, rest = data[16 : 16 + length], data[16 + length :]
    if local:  # the balancer itself, for a health check: the block has no meaning (2.2)
        return ProxyResult("", 0, "", rest)
    _check_tlvs(block[_LENGTHS[family] :])
    if family == _INET:
        client, target, ports = str(IPv4Address(block[:4])), str(IPv4Address(block[4:8])), block[8:12]
    elif family == _INET6:
        client, target, ports = _six(IPv6Address(block[:16])), _six(IPv6Address(block[16:32])), block[32:36]
    else:
        return ProxyResult("", 0, "", rest)
    port, local_port = int.from_bytes(ports[:2], "big"), int.from_bytes(ports[2:], "big")
    return ProxyResult(client, port, f"{_bracketed(target)}:{local_port}", rest)


def _check_tlvs(block: bytes) -> None:
    """Each is a type, two octets of length, so many octets of value; together they fill the block."""
    at = 0
    while at < len(block):
        if at + 3 > len(block):
            raise ProxyError("bad TLV in version 2 header")
        at += 3 + int.from_bytes(block[at + 1 : at + 3], "big")
    if at != len(block):
        raise ProxyError("bad TLV in version 2 header")


def _six(address: IPv6Address) -> str:
    return str(address.ipv4_mapped or address)


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
