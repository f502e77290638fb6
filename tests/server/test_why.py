"""What a refusal says: the sentence, the id, and the page of those domains alone that want one."""

from __future__ import annotations

from typing import Any

import pytest

from gatepost.mail.address import parse_address
from gatepost.mail.reply import MAX_LINE
from gatepost.mail.transaction import Recipient, Transaction
from gatepost.mail.verdict import Reject
from gatepost.mail.why import make, read, tag_of
from gatepost.policy.decide import Fate, Outcome
from gatepost.server.why import Pages, refusal
from tests.server.indoors import Indoors, inside

SECRET = b"s" * 32
URL = "https://mail.example/gate/"
BASE = "https://mail.example/gate/why/"
ID = "0DQ3N7V5K2F8T"
REJECT = Outcome(Fate.REJECT, "dnsbl", "on list x", "You are listed", 550, "5.7.1")
PAGE = BASE + make(SECRET, f"{ID}.1", "example.org", "ann@example.org")


def test_on_the_line_of_the_sentence() -> None:
    """Behind it and the id, in one line where there is room, else in one of its own; never cut."""
    assert f"You are listed ({ID}) {PAGE}" == refusal(REJECT, ID, PAGE).text
    assert f"You are listed ({ID})" == refusal(REJECT, ID).text
    two = Outcome(Fate.REJECT, "dnsbl", "x", "You are listed.\nAsk your provider", 550, "5.7.1")
    assert [b"550-5.7.1 You are listed.", f"550 5.7.1 Ask your provider ({ID}) {PAGE}".encode()] == (
        refusal(two, ID, PAGE).wire().splitlines()
    )
    long = Outcome(Fate.REJECT, "dnsbl", "x", "x" * (MAX_LINE - len(ID) - 3), 550, "5.7.1")
    wire = refusal(long, ID, PAGE).wire()
    assert [f"550-5.7.1 {long.public} ({ID})", f"550 5.7.1 See {PAGE}"] == wire.decode().splitlines()
    assert all(len(line) <= 510 for line in wire.splitlines())


@pytest.mark.parametrize(
    ("secret", "url"),
    [(b"", URL), (SECRET, ""), (SECRET, f"{URL}\u00e9"), (SECRET, f"{URL}{'x' * 400}")],
    ids=["no secret", "no address", "not for SMTP", "too long"],
)  # fmt: skip
def test_no_page_at_all(secret: bytes, url: str) -> None:
    """Without an address that fits a reply nobody is told of one."""
    ann = parse_address("ann@example.org")
    wants: Any = type("Policy", (), {"domain": "example.org", "why_page": True, "trains": False})
    transaction = Transaction(f"{ID}.1", None)
    for pages, found in ((Pages(secret, url), ""), (Pages(SECRET, URL), PAGE)):
        assert found == pages.page(transaction, REJECT, [Recipient(ann, ann, policy=wants)])
        assert "" == pages.page(transaction, REJECT, [Recipient(ann, ann)])


def opened(house: Indoors, **domains: dict[str, Any]) -> Indoors:
    """Open a house with these domains, in each of which the probe refuses, and an address for people."""
    for name, settings in domains.items():
        domain = f"{name}.test"
        house.host(domain, settings)
        house.probe.says["rcpt", domain] = Reject("ZEN: on list x", public="You are listed")
    house.open()
    house.gateway.why = Pages(SECRET, URL)
    return house


def token_in(reply: str) -> str:
    """Return the token that stands in a reply; "" for none."""
    before, found, rest = reply.partition(BASE)
    assert not found or before.endswith(") ")
    return rest.strip() if found else ""


@inside()
async def test_at_rcpt(house: Indoors) -> None:
    """Each recipient's refusal has its own; a domain that does not want one has none in the same mail."""
    wants = {"why.page": True, "refuse_at": "rcpt"}
    opened(house, on=wants, off={"refuse_at": "rcpt"})
    said = await house.client().envelope("s@x.example", ["ann@on.test", "ann@off.test", "bob@on.test"])
    first, none, second = (token_in(one) for one in said)
    assert "" == none
    assert "https" not in said[1]
    rows = {row.recipient: row for row in house.outcomes()}
    for token, whose in ((first, "ann@on.test"), (second, "bob@on.test")):
        found = read(SECRET, token)
        assert found == (rows[whose].id, tag_of(SECRET, rows[whose].id, "on.test", whose))
    told = [["reply", "", "told", 0, "You are listed"]]
    assert told == [one for one in rows["ann@on.test"].trace if one[0] == "reply"]
    assert [] == [one for one in rows["ann@off.test"].trace if one[0] == "reply"]


@inside()
async def test_after_the_data(house: Indoors) -> None:
    """The one reply for several has it where all their domains want it."""
    opened(house, on={"why.page": True}, too={"why.page": True}, off={})
    for to, expected in (
        (["ann@on.test"], True),
        (["ann@on.test", "bob@on.test", "ann@too.test"], True),
        (["ann@off.test"], False),
        (["ann@on.test", "ann@off.test"], False),
        (["ann@off.test", "ann@on.test"], False),
    ):
        said, final = await house.client().mail("s@x.example", to)
        assert {"250"} == {one[:3] for one in said}
        assert final.startswith("550 5.7.1 You are listed (")
        assert expected is bool(token_in(final)), (to, final)
    assert {"rejected"} == {row.fate for row in house.outcomes()}


@inside()
async def test_prdr(house: Indoors) -> None:
    """Each copy's reply has its own; the one for all has none."""
    opened(house, on={"why.page": True}, off={})
    client = house.client()
    await client.envelope("s@x.example", ["ann@on.test", "ann@off.test"], " PRDR")
    assert (await client.say("DATA")).startswith("354")
    said = (await client.say(b"Subject: hi\r\n\r\nhello\r\n.\r\n")).splitlines()
    assert [False, True, False, False] == [bool(token_in(one)) for one in said]
    assert [353, 550, 550, 550] == [int(one[:3]) for one in said]


@inside()
async def test_none_for_what_is_not_refused_for_good(house: Indoors) -> None:
    """A delay, a held mail and an address of nobody's domain."""
    opened(
        house,
        on={"why.page": True, "probe.action": "defer"},
        held={"why.page": True, "probe.action": "quarantine"},
    )
    said = await house.client().envelope("s@x.example", ["ann@on.test", "ann@elsewhere.example"])
    assert [("451", False), ("550", False)] == [(one[:3], "https" in one) for one in said]
    _, final = await house.client().mail("s@x.example", ["ann@held.test"])
    assert ("250", False) == (final[:3], "https" in final)
