"""PROXY and XCLIENT: only from who is listed, whole or not at all, never taken as SMTP (T9.3)."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator

import pytest

from gatepost.smtp.proxy_header import SIGNATURE
from tests.system.gateway import Gateway
from tests.system.process import wait_until
from tests.system.running import host, in_force, journal, running
from tests.system.talk import Talk

BALANCER = "127.0.0.60"
RELAY = "127.0.0.50"
STRANGER = "127.0.0.70"
V1 = b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 25\r\n"
SECRET_V1 = b"PROXY TCP6 2001:db8::7 2001:db8::1 56324 25\r\n"


def version_2(family: int, block: bytes, command: int = 1) -> bytes:
    """Write a version 2 header."""
    return SIGNATURE + struct.pack("!BBH", 0x20 | command, family, len(block)) + block


ADDRESSES = bytes([192, 0, 2, 2, 198, 51, 100, 1]) + struct.pack("!HH", 56324, 25)
V2 = version_2(0x11, ADDRESSES + b"\x04\x00\x02ab")
GOOD = {
    V1: "192.0.2.1",
    SECRET_V1: "2001:db8::7",
    V2: "192.0.2.2",
    b"PROXY UNKNOWN\r\n": BALANCER,
    version_2(0x00, b"", command=0): BALANCER,  # LOCAL: the balancer's own health check
    version_2(0x31, b"\0" * 216): BALANCER,  # UNIX: a client without an address
}
BAD = [
    b"EHLO client.example\r\n", b"PROXX TCP4", b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 25\n",
    b"PROXY TCP4 300.0.2.1 198.51.100.1 56324 25\r\n", b"PROXY TCP4 192.0.2.1 198.51.100.1 99999 25\r\n",
    b"PROXY TCP4 " + b"1" * 97, b"PROXY TCP6 192.0.2.1 198.51.100.1 1 25\r\n", b"\r\n\r\n\0\r\nQUIT\r\n",
    version_2(0x11, ADDRESSES[:11]), version_2(0x11, ADDRESSES + b"\x04\x00\x09ab"),
    version_2(0x11, ADDRESSES + b"\x04"), version_2(0x41, ADDRESSES), version_2(0x11, ADDRESSES, command=2),
    SIGNATURE + b"\x11\x11\x00\x0c" + ADDRESSES, SIGNATURE + b"\x21\x11\xff\xff",
]  # fmt: skip


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """Give a gateway that trusts one balancer and one relay; each refused RCPT leaves a row."""
    lists = {"proxy_protocol_from": [BALANCER], "xclient_from": [RELAY], "workers": 2, "timeout": 2}
    with running(smtp={**lists, "max_connections_per_client": 500}) as gateway:
        host(gateway, "example.org", "smtp://127.0.0.1:1")  # with no domain at all it would be 451
        in_force()
        yield gateway


def known_as(gateway: Gateway, talk: Talk, name: str) -> str:
    """Return the client's address in the row of a refused recipient."""
    assert 550 == talk.begin(f"{name}@nowhere.example")[0][0]
    wait_until(lambda: journal(gateway, text=f"{name}@"), f"the row of {name}")
    return str(journal(gateway, text=f"{name}@")[0].client)


@pytest.mark.parametrize("header", GOOD, ids=ascii)
def test_the_balancers_word(gateway: Gateway, header: bytes) -> None:
    """Whole, and in two pieces cut at each byte: the greeting comes behind it, for the true client."""
    name = f"proxy{abs(hash(header))}"
    for cut in range(0, len(header), max(1, len(header) // 12)):
        with Talk(gateway.port, BALANCER, greeted=False) as talk:
            if cut:
                talk.send(header[:cut])
                time.sleep(0.005)
            talk.send(header[cut:])
            assert 220 == talk.reply()[0]
            if not cut:
                assert GOOD[header] == known_as(gateway, talk, name)


@pytest.mark.parametrize("header", BAD, ids=ascii)
def test_what_is_no_header_closes(gateway: Gateway, header: bytes) -> None:
    """A listed host without a good header is cut off without a word: nothing is run as SMTP."""
    with Talk(gateway.port, BALANCER, greeted=False) as talk:
        talk.send(header + b"EHLO evil.example\r\nMAIL FROM:<evil@client.example>\r\n")
        assert [] == talk.rest()


@pytest.mark.parametrize("header", [V1, V2], ids=["v1", "v2"])
def test_a_header_cut_at_each_byte(gateway: Gateway, header: bytes) -> None:
    """A header that ends in the middle is no client: no greeting, whether the peer goes or stays silent."""
    talks = [Talk(gateway.port, BALANCER, greeted=False) for _ in header]
    for cut, talk in enumerate(talks):
        talk.send(header[:cut])
        talk.sock.shutdown(socket.SHUT_WR)
    assert [[]] * len(header) == [talk.rest() for talk in talks]
    silent = [Talk(gateway.port, BALANCER, greeted=False) for _ in header]
    for cut, talk in enumerate(silent):
        talk.send(header[:cut])
    for talk in silent:  # closed when the time for a command is over
        codes = talk.rest()
        assert codes in ([], [421]), codes
    for talk in (*talks, *silent):
        talk.close()
    with Talk(gateway.port, STRANGER) as talk:
        assert 250 == talk.say("NOOP")[0]


@pytest.mark.parametrize("header", [V1, V2, SECRET_V1, b"PROXY UNKNOWN\r\n"], ids=ascii)
def test_a_header_from_a_stranger(gateway: Gateway, header: bytes) -> None:
    """From a host that is not listed: refused and closed, and nothing behind it is run."""
    behind = b"EHLO evil.example\r\nMAIL FROM:<evil@client.example>\r\nRCPT TO:<x@nowhere.example>\r\n"
    with Talk(gateway.port, STRANGER) as talk:
        talk.send(header + behind)
        codes = talk.rest()
    assert codes
    assert {554, 500} >= set(codes)
    with Talk(gateway.port, STRANGER, greeted=False) as talk:
        talk.send(header)
        assert 220 == talk.reply()[0]
        assert {554, 500} >= set(talk.rest())


# -- XCLIENT ---------------------------------------------------------------------------------

XCLIENT = b"XCLIENT ADDR=192.0.2.9 NAME=true.client.example PORT=2525 HELO=true.example PROTO=ESMTP"


def test_xclient_from_a_stranger(gateway: Gateway) -> None:
    """Not offered, not known, not believed."""
    with Talk(gateway.port, STRANGER) as talk:
        assert "XCLIENT" not in talk.say("EHLO client.example")[1]
        assert 500 == talk.say(XCLIENT)[0]
        assert STRANGER == known_as(gateway, talk, "stranger")


def test_xclient_from_a_relay(gateway: Gateway) -> None:
    """Offered and believed: a new greeting, a new EHLO, and the true client in the journal."""
    for number, address in enumerate(("192.0.2.9", "IPV6:2001:db8::9")):
        with Talk(gateway.port, RELAY) as talk:
            assert "XCLIENT" in talk.say("EHLO relay.example")[1]
            assert 220 == talk.say(f"XCLIENT ADDR={address} NAME=[UNAVAILABLE]")[0]
            assert 503 == talk.say("MAIL FROM:<me@client.example>")[0]
            assert address.removeprefix("IPV6:") == known_as(gateway, talk, f"relay{number}")


def test_xclient_cut_at_each_byte(gateway: Gateway) -> None:
    """A line that is cut is obeyed as far as it is whole words, or refused whole; never half an address."""
    for cut in range(8, len(XCLIENT)):
        line = XCLIENT[:cut]
        with Talk(gateway.port, RELAY) as talk:
            talk.say("EHLO relay.example")
            code, text = talk.say(line)
            assert code in (220, 500, 501), (line, text)
            address = line.partition(b"ADDR=")[2].partition(b" ")[0]
            if code == 220:
                assert address == b"192.0.2.9", line
    with Talk(gateway.port, RELAY) as talk:
        talk.say("EHLO relay.example")
        talk.send(XCLIENT)  # no line end: nothing happened
    with Talk(gateway.port, RELAY) as talk:
        assert RELAY == known_as(gateway, talk, "cut")


BAD_ATTRIBUTES = [
    "ADDR=nonsense", "ADDR=192.0.2", "ADDR=1.2.3.4.5", "ADDR=IPV6:192.0.2.9x", "ADDR=../../x", "ADDR=",
    "ADDR", "ADDR=+00", "ADDR=192.0.2.9 ADDR=192.0.2.10", "PORT=x", "PORT=99999", "NAME=a+0Ab", "NAME=+",
    "FOO=bar", "",
]  # fmt: skip


@pytest.mark.parametrize("attributes", BAD_ATTRIBUTES)
def test_xclient_with_bad_attributes(gateway: Gateway, attributes: str) -> None:
    """501, and the client is who it was."""
    with Talk(gateway.port, RELAY) as talk:
        talk.say("EHLO relay.example")
        code, text = talk.say(f"XCLIENT {attributes}")
        assert code in (500, 501), text
        assert RELAY == known_as(gateway, talk, f"bad{abs(hash(attributes))}")


def test_nothing_went_wrong_on_our_side(gateway: Gateway) -> None:
    """None of all that was a bug of ours."""
    assert "event=bug" not in gateway.said()
