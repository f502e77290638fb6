"""A domain's digest is looked at and sent by who may; its settings stand on the domain's page."""

from __future__ import annotations

import pytest

from gatepost.desk import domains
from tests.console.house import House
from tests.console.seed import keep

PAGE = "/domains/ann.example/digest"


@pytest.fixture(autouse=True)
def refs(house: House) -> list[str]:
    """Keep two mails of ann's domain and one of eve's."""
    return keep(house)


def queued(house: House) -> list[str]:
    """Return to whom something waits in the queue."""
    with house.desk() as desk:
        return sorted(one.recipients[0].address for one in desk.queue.list())


def switch_on(house: House, **further: object) -> None:
    """Send one each day to the postmaster."""
    with house.desk() as desk:
        domains.set_values(desk, "ann.example", {"digest": "daily", "digest.to": ["postmaster"]})


def test_page(house: House) -> None:
    """What would be said now, of the domain or of one mailbox, and of nobody else's mail."""
    page = house.browser("ann").page(PAGE)
    assert "No digest is sent for this domain" in page
    assert "2 mails were kept for ann.example" in page
    assert "The offer that you asked for" in page
    assert "eve.example" not in page
    assert "console.public_url" in page
    mine = house.browser("ann").page(f"{PAGE}?to=you")
    assert "2 mails were kept for you@ann.example" in mine
    assert "0 mails were kept for postmaster@ann.example" in house.browser("ann").page(
        f"{PAGE}?to=postmaster"
    )
    switch_on(house)
    page = house.browser("ann").page(PAGE)
    assert "Each day at 07:00 (UTC), about the whole domain to postmaster." in page


@pytest.mark.parametrize("to", ["nobody", "you@eve.example", "a b", "<script>"])
def test_no_mailbox(house: House, to: str) -> None:
    """A mailbox that is none, or another domain's: said at the field, and nothing is sent."""
    ann = house.browser("ann")
    for answer in (ann.client.get(PAGE, params={"to": to}), ann.post(PAGE, {"to": to})):
        assert (422, True) == (answer.status_code, 'id="to-fault"' in answer.text)
        assert "<script>" not in answer.text
    assert [] == queued(house)


def test_send(house: House) -> None:
    """To a mailbox, or to all who get the domain's; where that is nobody it is said."""
    ann = house.browser("ann")
    assert "nobody gets the digest" in ann.post(PAGE).text
    assert 303 == ann.post(PAGE, {"to": "you"}).status_code
    assert "A digest is on its way to you@ann.example." in ann.page(PAGE)
    switch_on(house)
    ann.post(PAGE)
    assert ["postmaster@ann.example", "you@ann.example"] == queued(house)


def test_switch(house: House) -> None:
    """A mailbox is given its own digest, or none; which of the two holds is said."""
    switch_on(house)
    ann = house.browser("ann")
    assert "It gets no digest of its own." in ann.page(f"{PAGE}?to=you")
    for on in (True, False):
        ann.post(f"{PAGE}/mailbox", {"to": "you", "on": "on" if on else "off"})
        with house.desk() as desk:
            assert {"digest.mailboxes": on} == domains.own_values(desk, "you@ann.example")
        assert ("Send it none" if on else "Send it one each time") in ann.page(f"{PAGE}?to=you")
    assert 422 == ann.post(f"{PAGE}/mailbox", {"to": "you@eve.example", "on": "on"}).status_code
    assert "each time" not in ann.page(PAGE)


def test_who_may(house: House) -> None:
    """A reader looks and has no button; to others there is no such page."""
    rob, eve = house.browser("rob"), house.browser("eve")
    assert "Send it now" not in rob.page(PAGE)
    assert [404, 404, 404, 404] == [
        rob.post(f"{PAGE}/mailbox", {"to": "you"}).status_code,
        rob.post(PAGE, {"to": "you"}).status_code,
        eve.get(PAGE).status_code,
        eve.post(PAGE, {"to": "you"}).status_code,
    ]
    assert [] == queued(house)
