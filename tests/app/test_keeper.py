"""The keeper: journal lines become rows, the last good policy is kept, spooled mail has a final row."""

from __future__ import annotations

import asyncio
import datetime
import os
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from gatepost.app import prepare
from gatepost.app.keeper import Keeper
from gatepost.app.worker import Parts
from gatepost.config import load
from gatepost.policy.snapshot import PolicyUnavailable
from gatepost.server.board import Board
from gatepost.server.tls import open_certificate
from gatepost.spool.envelope import Envelope, Rcpt
from gatepost.spool.queue import Queue
from gatepost.store.base import OutcomeRow
from gatepost.store.journal_db import JournalStore
from gatepost.store.journal_lines import outcome_line
from gatepost.store.journal_writer import JournalWriter
from gatepost.store.policy_db import PolicyStore
from gatepost.store.reviews_db import ReviewRow, ReviewsStore
from tests.system.process import free_port

NOW = datetime.datetime(2026, 11, 25, tzinfo=datetime.UTC)


class House:
    """A data folder with one domain that delivers to a Maildir, and the keeper's parts."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        prepare(self.data)
        self.said = said = {
            "hostname": "mx.test",
            "data_dir": str(self.data),
            "metrics.listen": f"127.0.0.1:{free_port()}",
            "archive.min_free": "1KiB",
        }
        self.config = load(None, {}, overrides=said, search=())
        self.parts = Parts(self.config, [], [], open_certificate("", "", self.data, "mx.test", NOW))
        self.store = PolicyStore(self.data / "policy.db")
        self.store.add_domain("example.org", f"maildir://{folder}/mail/%u", {})

    def row(self) -> OutcomeRow | None:
        """Return the only outcome in the journal."""
        with closing(JournalStore(self.data / "journal.db")) as journal:
            found = journal.search(limit=2)
        return found[0] if found else None

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(60):
            while not holds():
                await asyncio.sleep(0.02)

    def keep(self, steps: Callable[[], Awaitable[None]]) -> None:
        """Run the keeper through some steps, then end it as the parent would."""

        async def whole() -> None:
            keeper = asyncio.create_task(Keeper(self.parts, Board.create(None, 1, 100)).run())
            try:
                await steps()
            finally:
                os.kill(os.getpid(), signal.SIGTERM)
                await keeper
            # Nothing works on under stores that are closed, nor is told of when the loop is gone.
            assert {asyncio.current_task()} == asyncio.all_tasks()

        asyncio.run(whole())


@pytest.fixture
def house(tmp_path: Path) -> House:
    """The keeper's house."""
    return House(tmp_path)


def test_lines_become_rows(house: House) -> None:
    """What a worker wrote is in the database within moments."""

    async def steps() -> None:
        writer = JournalWriter(house.data, "w0")
        fields = ("example.org", "ann@example.org", "", "192.0.2.7", "rejected", "dnsbl", "listed", 550)
        writer.add(outcome_line("0DQ3N7V5K2F8T.1", *fields, trace="[]"))
        writer.close()
        await house.until(house.row)

    house.keep(steps)
    row = house.row()
    assert row is not None
    assert ("0DQ3N7V5K2F8T.1", "rejected", "dnsbl") == (row.id, row.fate, row.plugin)


def test_the_last_good_policy(house: House) -> None:
    """A checked copy lies there, and is made anew after a change."""
    copy = house.data / "policy.last-good.db"

    async def steps() -> None:
        await house.until(copy.exists)
        before = copy.read_bytes()
        house.store.add_domain("example.net", "smtp://127.0.0.1:1", {})
        await house.until(lambda: copy.read_bytes() != before)

    house.keep(steps)
    assert b"example.net" in copy.read_bytes()


def test_old_reviews_go(house: House) -> None:
    """What a refused sender asked is kept as long as his mail (the usual domain: 30 days)."""
    with closing(ReviewsStore(house.data / "records.db")) as store:
        for days in (31, 29):
            asked = time.time() - days * 86_400
            row = ReviewRow(0, "example.org", f"{days}.1", "ann@example.org", "", "dnsbl", asked, "", "", "")
            store.add(row, of_network=9, of_domain=9)

        async def steps() -> None:
            await house.until(lambda: store.waiting(None) == 1)

        house.keep(steps)
        assert ["29.1"] == [row.mail for row in store.listing(None, waiting=True)]


def test_spooled_mail(house: House, tmp_path: Path) -> None:
    """What waits in the spool is handed on, and its last row says so."""
    envelope = Envelope(
        "one",
        "bob@example.net",
        (Rcpt("ann@example.org"),),
        1.0,
        1.0,
        "example.org",
        session="0DQ3N7V5K2F8T.1",
    )
    Queue(house.data / "spool").put(envelope, [b"Subject: x\r\n\r\nhello\r\n"])

    async def steps() -> None:
        await house.until(house.row)

    house.keep(steps)
    row = house.row()
    assert row is not None
    assert ("accepted", "courier", "ann@example.org") == (row.fate, row.plugin, row.recipient)
    (mail,) = (tmp_path / "mail" / "ann" / "new").iterdir()
    assert b"hello" in mail.read_bytes()


def test_no_policy_throws_nothing_away(house: House) -> None:
    """A domain whose policy cannot be read now keeps its mail for ten years rather than none."""

    class Unreadable:
        """A policy that cannot be read."""

        def policy_for(self, _name: str) -> None:
            raise PolicyUnavailable("locked")

    async def days() -> tuple[int, int]:
        keeper = Keeper(house.parts, Board.create(None, 1, 100))
        usual = keeper._keep_days("example.org")
        keeper._follower.live.snapshot = Unreadable()  # type: ignore[assignment]
        return usual, keeper._keep_days("example.org")

    assert (30, 3650) == asyncio.run(days())


def test_reload(house: House, tmp_path: Path) -> None:
    """HUP: a plugin that came judges what waits too."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    config = load(None, {}, overrides={**house.said, "plugins.folder": str(folder)}, search=())

    async def known() -> tuple[bool, bool]:
        keeper = Keeper(Parts(config, [], [], house.parts.certificate), Board.create(None, 1, 100))
        before = "newcomer" in keeper._registry
        (folder / "newcomer.py").write_text(
            '"""New."""\nfrom gatepost.plugin import Plugin\n\n\nclass Newcomer(Plugin):\n    """New."""\n\n'
            "    def message(self, ctx):\n        return None\n"
        )
        keeper._reload()
        return before, "newcomer" in keeper._unjudged._registry

    assert (False, True) == asyncio.run(known())
