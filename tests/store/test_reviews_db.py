"""Requests for a review: one for each refusal, bounded by the day, decided once, gone with their mail."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from gatepost.store.records_db import RecordsStore
from gatepost.store.reviews_db import DAY, Asked, ReviewRow, ReviewsStore, TooMany

NOW = 1_800_000_000.0
ROW = ReviewRow(
    0, "a.example", "X.1", "ann@a.example", "s@x.example", "dnsbl", NOW, "192.0.2.1", "s@x.example", "please"
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ReviewsStore]:
    """An empty store, in the file of the records."""
    RecordsStore(tmp_path / "records.db").close()
    made = ReviewsStore(tmp_path / "records.db")
    yield made
    made.close()


def add(store: ReviewsStore, row: ReviewRow = ROW, of_network: int = 99, of_domain: int = 99) -> int:
    """Keep a request."""
    return store.add(row, of_network=of_network, of_domain=of_domain)


def test_one_for_each_refusal(store: ReviewsStore) -> None:
    """A second one for the same recipient of the same mail is none; another recipient's is."""
    number = add(store)
    with pytest.raises(Asked):
        add(store, replace(ROW, text="again", asked=NOW + 9 * DAY))
    assert number < add(store, replace(ROW, recipient="bob@a.example"))
    assert replace(ROW, id=number) == store.of_refusal("a.example", "X.1", "ann@a.example")
    assert store.of_refusal("b.example", "X.1", "ann@a.example") is None


def test_as_many_as_a_day_has(store: ReviewsStore) -> None:
    """By network and by domain; on the next day there is room again."""
    for n in range(3):
        add(store, replace(ROW, mail=f"X.{n}"), of_network=3)
    with pytest.raises(TooMany):
        add(store, replace(ROW, mail="Y.1", domain="b.example"), of_network=3)
    with pytest.raises(TooMany):
        add(store, replace(ROW, mail="Y.1", network="192.0.2.2"), of_domain=3)
    add(store, replace(ROW, mail="Y.1", domain="b.example", network="192.0.2.2"), of_domain=3, of_network=3)
    add(store, replace(ROW, mail="Z.1", asked=NOW + DAY + 1), of_network=3, of_domain=3)


def test_at_once(tmp_path: Path, store: ReviewsStore) -> None:
    """Eight at the same moment for one refusal are one."""

    def one(_n: int) -> bool:
        mine = ReviewsStore(tmp_path / "records.db")
        try:
            add(mine)
        except Asked:
            return False
        finally:
            mine.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        assert 1 == sum(pool.map(one, range(8)))
    assert 1 == store.waiting(None)


def test_listed_by_domain_and_state(store: ReviewsStore) -> None:
    """The newest first, a page at a time; no other domain's; what was decided stands apart."""
    numbers = [
        add(store, replace(ROW, mail=f"X.{n}", domain="b.example" if n % 2 else "a.example"))
        for n in range(6)
    ]
    mine = [numbers[4], numbers[2], numbers[0]]
    assert mine == [row.id for row in store.listing(["a.example"], waiting=True)]
    assert mine[1:] == [row.id for row in store.listing(["a.example"], waiting=True, before=mine[0])]
    assert numbers[::-1] == [row.id for row in store.listing(None, waiting=True)]
    many = [f"d{n}.example" for n in range(1_200)] + ["b.example", "a.example"]
    assert numbers[::-1][:4] == [row.id for row in store.listing(many, waiting=True, limit=4)]
    assert (3, 6, 6, 0) == tuple(store.waiting(names) for names in (["a.example"], None, many, []))
    assert [] == store.listing([], waiting=True)
    assert store.decide("a.example", mine[0], "declined", "ann", NOW + 5)
    assert mine[1:] == [row.id for row in store.listing(["a.example"], waiting=True)]
    (done,) = store.listing(None, waiting=False)
    assert (mine[0], "declined", NOW + 5, "ann") == (done.id, done.state, done.decided, done.decided_by)


def test_decided_once(store: ReviewsStore) -> None:
    """The second one decides nothing, nor does another domain's owner."""
    number = add(store)
    assert not store.decide("b.example", number, "released", "eve", NOW)
    assert store.get("b.example", number) is None
    assert store.decide("a.example", number, "released", "ann", NOW)
    assert not store.decide("a.example", number, "declined", "bob", NOW)
    found = store.get("a.example", number)
    assert found is not None
    assert ("released", "ann") == (found.state, found.decided_by)


def test_gone_with_the_mail(store: ReviewsStore) -> None:
    """As long as the domain keeps its mail; a number is never given again."""
    add(store, replace(ROW, asked=NOW - 8 * DAY))
    young = add(store, replace(ROW, mail="X.2"))
    last = add(store, replace(ROW, domain="b.example", asked=NOW - 8 * DAY))
    assert 1 == store.expire(NOW, lambda name: 7 if name == "a.example" else 30)
    assert [last, young] == [row.id for row in store.listing(None, waiting=True)]
    assert 2 == store.expire(NOW + 90 * DAY, lambda _name: 30)
    assert last < add(store)


def test_hostile_text_is_data(store: ReviewsStore) -> None:
    """Whatever stands in it comes back as it was."""
    bad = "'; DROP TABLE review; --\n\u202e<script>"
    number = add(store, replace(ROW, text=bad, contact=bad, sender=bad))
    found = store.get("a.example", number)
    assert found is not None
    assert (bad, bad, bad) == (found.text, found.contact, found.sender)
