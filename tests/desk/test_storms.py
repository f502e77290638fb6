"""A closed address is shown with its storm, and opened by one command."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from gatepost.desk import storms
from gatepost.desk.desk import Desk
from gatepost.desk.errors import Conflict, DeskError, NotFound
from gatepost.store.journal_lines import outcome_line
from gatepost.store.journal_writer import JournalWriter
from tests.desk.conftest import Clock


def close(desk: Desk, local: str, minutes: float = 60) -> None:
    """Close an address as the check does."""

    async def write() -> None:
        now = desk.clock()
        row = {"since": now, "until": now + minutes * 60, "bounces": 20}
        state = desk.state_of("bounce_storm", "example.org")
        await state.put(f"closed {local}", json.dumps(list(row.values())).encode(), minutes * 60)
        await state.add(f"refused {local}", 7, 600)
        await desk.records_of("bounce_storm", "example.org").put(f"closed {local}", row)

    asyncio.run(write())


def state_of(desk: Desk, key: str) -> bytes | None:
    async def get() -> bytes | None:
        return await desk.state_of("bounce_storm", "example.org").get(key)

    return asyncio.run(get())


def test_listing(desk: Desk, clock: Clock) -> None:
    """Closed addresses with since, until, how many came and were refused; those that ended on demand."""
    close(desk, "ann", 1)
    clock.now += 120
    close(desk, "bob")
    (bob,) = storms.listing(desk, None)
    assert ("bob@example.org", clock.now, clock.now + 3600, 20, 7, True) == (
        bob.address, bob.since, bob.until, bob.bounces, bob.refused, bob.closed,
    )  # fmt: skip
    both = storms.listing(desk, "example.org", ended=True)
    assert [("bob@example.org", True), ("ann@example.org", False)] == [(s.address, s.closed) for s in both]


def test_open(desk: Desk, clock: Clock) -> None:
    """Opened at once, for all workers, by whom is written down, and counted from nothing."""
    close(desk, "ann")
    storms.open_address(desk, "example.org", "Ann@example.org")
    assert state_of(desk, "closed ann") is None
    assert state_of(desk, "round ann") is not None
    assert [] == storms.listing(desk, None)
    (ended,) = storms.listing(desk, None, ended=True)
    assert ("ann", clock.now) == (ended.opened_by, ended.until)
    with pytest.raises(NotFound, match=r"ann@example\.org is not closed"):
        storms.open_address(desk, "example.org", "ann")


def test_row_7_4_joe_job_rates(desk: Desk, clock: Clock) -> None:
    """Each hour, also a quiet one; what else was refused, and other domains' mail, does not count."""
    writer = JournalWriter(desk.data_dir, "w0", clock=clock)
    for ago, domain, plugin, fate in (
        (0, "example.org", "bounce_storm", "rejected"),
        (0, "example.org", "bounce", "rejected"),
        (7_200, "example.org", "bounce_storm", "rejected"),
        (7_200, "example.org", "bounce_storm", "rejected"),
        (7_200, "example.net", "bounce_storm", "rejected"),
        (7_200, "example.org", "dnsbl", "rejected"),
        (7_200, "example.org", "bounce", "quarantined"),
    ):
        clock.now -= ago
        writer.add(
            outcome_line("3333333333333.1", domain, f"a@{domain}", "", "192.0.2.1", fate, plugin, "", 550)
        )
        writer.flush()
        clock.now += ago
    writer.close()
    told = storms.by_hour(desk, "example.org", 4)
    assert [(0, 0), (2, 0), (0, 0), (1, 1)] == [(hour.closed, hour.forged) for hour in told]
    assert clock.now - 3_600 < told[-1].at <= clock.now
    with pytest.raises(DeskError):
        storms.by_hour(desk, "example.org", 0)


def test_exceptions(desk: Desk) -> None:
    """Never closed, and open at once where it was; a second time is nothing; undone by its name."""
    close(desk, "news")
    assert "news" == storms.except_for_good(desk, "example.org", "News@example.org")
    assert [] == storms.listing(desk, "example.org")
    storms.except_for_good(desk, "example.org", "news")
    storms.except_for_good(desk, "example.org", "list")
    assert ("news", "list") == storms.never(desk, "example.org")
    storms.except_no_more(desk, "example.org", "news")
    assert ("list",) == storms.never(desk, "example.org")
    with pytest.raises(NotFound):
        storms.except_no_more(desk, "example.org", "news")
    with pytest.raises(DeskError, match="not of"):
        storms.except_for_good(desk, "example.org", "x@example.net")


@pytest.mark.parametrize("how", [storms.except_for_good, storms.except_no_more])
def test_two_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, how: Callable[[Desk, str, str], object]
) -> None:
    """Who is slower hears of it; the exception of who was faster is not lost."""
    storms.except_for_good(desk, "example.org", "news")
    real = storms.never

    def meanwhile(desk: Desk, domain: str) -> tuple[str, ...]:
        found = real(desk, domain)
        monkeypatch.undo()
        storms.except_for_good(desk, "example.org", "list")
        return found

    monkeypatch.setattr(storms, "never", meanwhile)
    with pytest.raises(Conflict):
        how(desk, "example.org", "news")
    assert ("news", "list") == storms.never(desk, "example.org")


def test_wrong_words(desk: Desk) -> None:
    """What is no address of the domain is said."""
    with pytest.raises(DeskError, match="not of"):
        storms.open_address(desk, "example.org", "ann@example.net")
    with pytest.raises(DeskError, match="a b"):
        storms.open_address(desk, "example.org", "a b")
    with pytest.raises(NotFound, match="not hosted"):
        storms.listing(desk, "example.net")
