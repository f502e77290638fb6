"""The driver: any split of the bytes is answered alike, and every session has a clean end."""

from __future__ import annotations

import pytest

from gatepost.server.dialogue import ANSWERS
from gatepost.smtp.events import Mail
from tests.server.indoors import MAIL, Client, Indoors, inside

SESSION = (
    b"EHLO client.example\r\nMAIL FROM:<s@x.example>\r\nRCPT TO:<ann@yes.test>\r\n"
    b"DATA\r\n" + MAIL + b".\r\nRSET\r\nNOOP\r\nQUIT\r\n"
)


def opened(house: Indoors) -> Client:
    """Host a domain that takes mail, and connect."""
    house.host("yes.test")
    house.open()
    return house.client()


async def codes(client: Client, pieces: list[bytes]) -> list[str]:
    """Send pieces one after the other; returns the codes of all final reply lines."""
    said = "".join([await client.say(piece) for piece in pieces])
    return [line[:3] for line in said.splitlines() if line[3:4] == " "]


@inside()
async def test_any_split(house: Indoors) -> None:
    """One byte at a time, in lines, or cut anywhere: the same replies, and the mail is there once each."""
    client = opened(house)
    before_data = SESSION.index(MAIL)
    # DATA is where a client has to wait for the reply (RFC 2920, 3.1): what comes before it is refused.
    head, rest = SESSION[:before_data], SESSION[before_data:]
    expected = ["250", "250", "250", "354", "250", "250", "250", "221"]
    for step in (1, 2, 7, 64, 1000):
        pieces = [head[n : n + step] for n in range(0, len(head), step)]
        pieces += [rest[n : n + step] for n in range(0, len(rest), step)]
        client = house.client()
        assert expected == await codes(client, pieces), step
        assert client.closed
    assert 5 == len(house.back_end.taken)


@inside()
async def test_greeting_and_end(house: Indoors) -> None:
    """220 with our name; QUIT closes; one row for the session."""
    client = opened(house)
    assert client.greeting.startswith("220 mx.test ")
    assert (await client.say("QUIT")).startswith("221 ")
    assert client.closed
    (row,) = house.sessions()
    assert "quit" == row.outcome


@inside()
async def test_a_client_that_goes_away(house: Indoors) -> None:
    """In the middle of the data: nothing is handed on, and the session stands in the journal."""
    client = opened(house)
    await client.envelope("s@x.example", ["ann@yes.test"])
    await client.say("DATA")
    await client.say(MAIL)
    client.hang_up()
    await client.quiet()
    assert [] == house.back_end.taken
    assert 1 == len(house.sessions())


@inside()
async def test_turned_out(house: Indoors) -> None:
    """Shutting down says 421 to who is idle and closes."""
    client = opened(house)
    client.connection.shut_down()
    await client.quiet()
    assert client._take().startswith("421 ")
    assert client.closed


@inside()
async def test_a_bug_of_ours_is_421(house: Indoors, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception of the conversation never becomes 5xx and closes only this connection."""
    client, other = opened(house), house.client()

    def broken(_dialogue: object, _event: object) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setitem(ANSWERS, Mail, broken)
    await client.say("EHLO client.example")
    assert (await client.say("MAIL FROM:<s@x.example>")).startswith("421 ")
    assert client.closed
    assert "ZeroDivisionError" in house.log_text()
    assert (await other.say("NOOP")).startswith("250")


@pytest.mark.parametrize(
    ("junk", "closes"),
    [(b"\xff\xfe\r\n", False), (b"MAIL\r\n", False), (b"\x00\r\n", True), (b"A" * 600 + b"\r\n", True)],
)
@inside()
async def test_junk(house: Indoors, junk: bytes, closes: bool) -> None:
    """A bad command gets a 5xx; a NUL or an endless line is no mail client, and ends the session."""
    client, other = opened(house), house.client()
    assert (await client.say(junk)).startswith("5")
    assert closes == client.closed
    assert (await other.say("NOOP")).startswith("250")
