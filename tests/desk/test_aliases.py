"""Counted addresses at the desk: found by any spelling, reset, closed before and after their first mail."""

from __future__ import annotations

from datetime import date

import pytest

from gatepost.desk import aliases, recipients
from gatepost.desk.deeds import at_once
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.plugin.counted import NO_LIMIT, Kept, end_of, key_of

PLACE = ("example.org", "counted_address")


def use(desk: Desk, user: str, word: str, times: int, kept: Kept) -> None:
    """Do what accepted mails do."""
    key = key_of(user, word)
    for _ in range(times):
        held = at_once(desk.records.reserve(*PLACE, key, NO_LIMIT, 600))
        assert held is not None
        at_once(desk.records.settle(held, used=True, record=kept.record()))


@pytest.fixture
def filled(desk: Desk) -> Desk:
    """Ann has one that is used up and one that is open; bob has a dated one."""
    recipients.add(desk, "example.org", ["ann", "bob"])
    now = desk.clock()
    use(desk, "ann", "shop", 3, Kept(3, made=now, by="eve@shop.example", address="shop.3.ann@example.org"))
    use(desk, "ann", "club", 1, Kept(5, made=now, address="ann.5.club@example.org"))
    dated = Kept(NO_LIMIT, until=end_of(date(2026, 12, 1)), made=now, address="x.2026-12-01.bob@example.org")
    use(desk, "bob", "x", 7, dated)
    at_once(desk.records.put(*PLACE, "new ann", {"time": now}))
    return desk


def test_listing(filled: Desk) -> None:
    """By user and word, with what is used and left; other records of the check are none of them."""
    assert [("ann", "club", 1, 4, ""), ("ann", "shop", 3, 0, "used up"), ("bob", "x", 7, None, "")] == [
        (a.user, a.word, a.used, a.left, a.over) for a in aliases.listing(filled, "example.org")
    ]
    assert ["x"] == [a.word for a in aliases.listing(filled, "example.org", "BOB")]


def test_find(filled: Desk) -> None:
    """By a text in word, user or sender, and in pages whose total is that of all."""
    assert ["shop"] == [a.word for a in aliases.find(filled, "example.org", "EVE@").rows]
    assert ["x"] == [a.word for a in aliases.find(filled, "example.org", user="bob").rows]
    first = aliases.find(filled, "example.org", limit=2)
    assert (["club", "shop"], 3) == ([a.word for a in first.rows], first.total)
    rest = aliases.find(filled, "example.org", after=first.next, limit=2)
    assert (["x"], "") == ([a.word for a in rest.rows], rest.next)


@pytest.mark.parametrize("text", ["shop.3.ann", "ann.3.shop", "Shop.Ann", "shop.9.ann", "ann~shop~c"])
def test_any_spelling(filled: Desk, text: str) -> None:
    """One address has many spellings."""
    assert "shop" == aliases.show(filled, f"{text}@example.org").word


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("none.5.ann@example.org", NotFound),
        ("ann@example.org", DeskError),
        ("shop.3.ann@example.net", NotFound),
        ("shop.3.ann", DeskError),
    ],
)
def test_what_is_not_there(filled: Desk, address: str, error: type[DeskError]) -> None:
    """What was never used, is no such address, or not hosted here is said in one line."""
    with pytest.raises(error):
        aliases.show(filled, address)


def test_reset(filled: Desk) -> None:
    """All uses are ahead again, with the old count or another one; who did it is written down."""
    alias = aliases.reset(filled, "shop.3.ann@example.org")
    assert (0, 3, "", "ann") == (alias.used, alias.left, alias.over, alias.kept.changed)
    assert 10 == aliases.reset(filled, "shop.3.ann@example.org", 10).left
    with pytest.raises(DeskError, match="1 to 1000"):
        aliases.reset(filled, "shop.3.ann@example.org", 0)


def test_reset_of_a_day_that_is_over(filled: Desk, clock: object) -> None:
    """A day that is over does not come again."""
    clock.now += 30 * 86_400  # type: ignore[attr-defined]
    with pytest.raises(DeskError, match="day is over"):
        aliases.reset(filled, "x.2026-12-01.bob@example.org")


def test_close_and_open(filled: Desk) -> None:
    """Closed is refused whatever is left; opened again, what was used stays used."""
    assert "closed by its owner" == aliases.close(filled, "club.ann@example.org").over
    alias = aliases.open_(filled, "club.ann@example.org")
    assert ("", 4) == (alias.over, alias.left)


def test_close_before_the_first_mail(filled: Desk) -> None:
    """An address that was given away and had no mail yet can be closed too, if its user is there."""
    assert "closed by its owner" == aliases.close(filled, "later.2.bob@example.org").over
    assert "" == aliases.reset(filled, "later.2.bob@example.org").over
    with pytest.raises(NotFound, match="no mail has come"):  # its first mail makes it, as if nothing had been
        aliases.show(filled, "later.2.bob@example.org")
    with pytest.raises(NotFound, match="no counted address of a recipient"):
        aliases.close(filled, "later.2.nobody@example.org")
