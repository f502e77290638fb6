"""A search finds just what was asked for, page by page, and never takes longer than people wait."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gatepost.store import journal_search
from gatepost.store.journal_db import JournalStore
from gatepost.store.journal_lines import outcome_line
from gatepost.store.journal_search import Question, seek
from gatepost.store.journal_writer import JournalWriter

MAILS = (
    # domain, recipient, sender, client, fate, plugin, subject
    ("a.example", "ann@a.example", "bob@x.example", "192.0.2.1", "accepted", "", "Grüße 100%"),
    ("a.example", "tom@a.example", "", "192.0.2.2", "rejected", "dnsbl", "offer"),
    ("b.example", "ann@b.example", "bob@y.example", "192.0.2.1", "rejected", "spf", 'a "quoted" ü'),
    ("c.example", "ann@c.example", "Eve@X.example", "2001:db8::1", "deferred", "greylist", "dnsbl"),
    ("", "z@nowhere.example", "bob@x.example", "192.0.2.11", "rejected", "relaying", ""),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JournalStore]:
    """Give a journal with the mails above, a second apart."""
    now = itertools.count(1_000)
    writer = JournalWriter(tmp_path, "w0", clock=lambda: float(next(now)))
    for n, (domain, recipient, sender, client, fate, plugin, subject) in enumerate(MAILS):
        writer.add(outcome_line(f"I{n}", domain, recipient, sender, client, fate, plugin, subject=subject))
        writer.flush()
    writer.close()
    made = JournalStore(tmp_path / "journal.db")
    made.collect(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, "43210"),
        ({"domains": ["a.example"]}, "10"),
        ({"domains": ["a.example", "c.example"]}, "310"),
        ({"domains": []}, ""),
        ({"outcome": "rejected"}, "421"),
        ({"plugin": "dnsbl"}, "1"),
        ({"sender": "x.example"}, "430"),
        ({"sender": "BOB@"}, "420"),
        ({"sender": "<>"}, "1"),
        ({"recipient": "ann@"}, "320"),
        ({"recipient": "bob@"}, ""),
        ({"client": "192.0.2.1"}, "420"),
        ({"client": "2001:db8"}, "3"),
        ({"text": "grüße"}, "0"),
        ({"text": "100%"}, "0"),
        ({"text": '"quoted" ü'}, "2"),
        ({"text": "%"}, "0"),
        ({"since": 1_002.0}, "432"),
        ({"until": 1_002.0}, "10"),
        ({"since": 1_001.0, "until": 1_003.0}, "21"),
        ({"domains": ["a.example"], "outcome": "rejected", "text": "OFFER"}, "1"),
        ({"newer": 2}, "234"),
        ({"newer": 2, "domains": ["b.example"]}, "2"),
        ({"behind": 2}, "432"),
    ],
)
def test_what_is_asked_for(store: JournalStore, asked: dict[str, Any], expected: str) -> None:
    """Each filter alone and together; a filter takes its own field, not one that reads the same."""
    page = store.page(Question(**asked))
    assert (expected, True) == ("".join(row.id[1] for row in page.rows), page.whole)


def test_page_by_page(store: JournalStore) -> None:
    """Each row once, in order, whatever the size of a page; the last page has no next one."""
    for limit in range(1, 7):
        for stretch in (1, 2, 100):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(journal_search, "STRETCH", stretch)
                found, after = "", None
                while True:
                    page = store.page(Question(after=after, limit=limit))
                    found += "".join(row.id[1] for row in page.rows)
                    after = page.after
                    if after is None:
                        break
                assert "43210" == found, (limit, stretch)


def test_time_is_up(store: JournalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question that nothing answers ends when its time is up, says how far it came, and goes on there."""
    monkeypatch.setattr(journal_search, "STRETCH", 1)
    hours = itertools.count(0, 3600)
    asked = Question(sender="bob@x.example", recipient="ann@a.example")
    seen: list[tuple[int, int | None, bool]] = []
    after = None
    while not seen or after is not None:
        question = Question(sender=asked.sender, recipient=asked.recipient, after=after)
        page = seek(store._db, question, store._first_at, lambda: next(hours))
        seen.append((len(page.rows), page.after, page.whole))
        after = page.after
    assert [(0, 5, False), (0, 4, False), (0, 3, False), (0, 2, False), (1, None, True)] == seen


def test_how_far_it_came(store: JournalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is not whole names the time up to which was looked."""
    monkeypatch.setattr(journal_search, "STRETCH", 2)
    monkeypatch.setattr(journal_search, "BUDGET", -1.0)
    page = store.page(Question(plugin="dnsbl"))
    assert ([], False, 1_003.0) == (page.rows, page.whole, page.reached)
