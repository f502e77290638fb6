"""`recheck` plays the journal again under a draft and lists what the draft alone changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gatepost.desk import domains, recipients
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError
from gatepost.desk.recheck import Recheck, caveats, recheck
from gatepost.spool.index import Kept
from gatepost.store.journal_lines import outcome_line, session_line
from gatepost.store.journal_writer import JournalWriter
from tests.desk.conftest import Clock

ID = "0DQ3N7V5K2F8T"
CLIENT = "192.0.2.7"


class Past:
    """What the journal and the archive have."""

    def __init__(self, desk: Desk, clock: Clock) -> None:
        self.desk = desk
        self.clock = clock
        self.writer = JournalWriter(desk.data_dir, "w0", clock=clock)

    def mail(
        self,
        number: int,
        fate: str = "accepted",
        plugin: str = "",
        *,
        recipient: str = "ann@example.org",
        helo: str = "mail.example.net",
        raw: bytes = b"",
        trace: str = "",
    ) -> None:
        """Write one mail down, a session of its own; `raw`: kept in the archive."""
        session = f"{ID[:-2]}{number:02d}"
        ref = ""
        if raw:
            kept = Kept(f"{session}.1", self.clock(), "bob@example.net", recipient, "example.org", CLIENT)
            ref = self.desk.archive.keep(kept, [raw])
        code = 250 if fate == "accepted" else 550
        self.writer.add(
            outcome_line(
                f"{session}.1", "example.org", recipient, "bob@example.net", CLIENT, fate, plugin, "", code,
                archive_ref=ref, trace=trace,
            )
        )  # fmt: skip
        if helo:
            self.writer.add(session_line(session, CLIENT, "", helo, "", "quit", 1, 0, 0.1))
        self.writer.flush()
        self.clock.now += 1


@pytest.fixture
def past(desk: Desk, clock: Clock) -> Iterator[Past]:
    """A past to write; ann exists."""
    recipients.add(desk, "example.org", ["ann"])
    made = Past(desk, clock)
    yield made
    made.writer.close()


def ask(desk: Desk, limit: int = 100, **draft: Any) -> Recheck:
    """Judge the last day again; `helo_name__mode` is the key `helo_name.mode`."""
    values = {key.replace("__", "."): value for key, value in draft.items()}
    return recheck(desk, "example.org", values, since=desk.clock() - 86_400, limit=limit)


def test_switched_on(desk: Desk, past: Past) -> None:
    """What a check would have refused is listed with then, now and why; good mail is not."""
    domains.set_values(desk, "example.org", {"helo_name.mode": "off"})
    past.mail(1, helo="friend")
    past.mail(2)
    found = ask(desk, helo_name__mode="on", refuse_at="rcpt")
    (one,) = found.changed
    assert ("accepted", "accepted", "rejected") == (one.row.fate, one.today.fate, one.draft.fate)
    assert one.row.id.startswith(f"{ID[:-2]}01")
    assert one.why.startswith("helo_name: ")
    assert (1, 1) == (found.whole, found.partly)


def test_switched_off(desk: Desk, past: Past) -> None:
    """What would no longer be refused is listed too, and what was refused for nobody is not."""
    domains.set_values(desk, "example.org", {"helo_name.mode": "on"})
    past.mail(1, "rejected", "helo_name", helo="friend", raw=b"Subject: x\r\n\r\nhello\r\n")
    past.mail(2, "rejected", "recipients", recipient="nobody@example.org")
    found = ask(desk, helo_name__mode="off")
    (one,) = found.changed
    assert ("rejected", "accepted", True) == (one.row.fate, one.draft.fate, one.whole)
    assert one.why.startswith("no longer helo_name: ")
    assert (2, 0) == (found.whole, found.partly)


def test_not_through_the_draft(desk: Desk, past: Past) -> None:
    """A recipient who came since then is counted apart: the draft has no part in it."""
    past.mail(1, "rejected", "recipients", recipient="carl@example.org")
    recipients.add(desk, "example.org", ["carl"])
    found = ask(desk, refuse_at="rcpt")
    assert ([], 1) == (found.changed, found.otherwise)
    assert any("with the draft or without" in sentence for sentence in caveats(found))


def test_what_nobody_was_asked(desk: Desk, past: Past) -> None:
    """What the domain's own server refused, and what stood in a message that was not kept, is no change."""
    domains.set_values(desk, "example.org", {"helo_name.mode": "on"})
    past.mail(1, "rejected", "relay")
    past.mail(2, "deferred", "")
    past.mail(3, "rejected", "dkim", trace='[["dkim","message","reject",1.0,"bad signature"]]')
    past.mail(4, "rejected", "dkim")
    past.mail(5, "rejected", "helo_name", trace='[["helo_name","helo","reject",1.0,"no name"]]')
    found = ask(desk, refuse_at="rcpt")
    assert ([], 1) == (found.changed, found.otherwise)


def test_callout_is_not_asked(desk: Desk, past: Past) -> None:
    """Whom the domain's own server did not know then is not known now; nobody asks it."""
    domains.set_values(desk, "example.org", {"route": ["smtp://192.0.2.5"], "recipients": "callout"})
    past.mail(1, "rejected", "recipients", recipient="nobody@example.org")
    past.mail(2, recipient="carl@example.org")
    found = ask(desk, helo_name__mode="off")
    assert ([], 0) == (found.changed, found.otherwise)


def test_played_at_its_time(desk: Desk, past: Past, clock: Clock) -> None:
    """Greylisting puts off the stranger and the one at his heels; an hour later he is known."""
    domains.set_values(desk, "example.org", {"greylist.mode": "off"})
    past.mail(1)
    past.mail(2)
    clock.now += 3600
    past.mail(3)
    found = ask(desk, greylist__mode="on")
    assert [("02", "deferred"), ("01", "deferred")] == [
        (c.row.id[-4:-2], c.draft.fate) for c in found.changed
    ]


def test_what_could_not_be_judged(desk: Desk, past: Past) -> None:
    """Missing names, outgoing and undecided mail, and the limit are said."""
    past.mail(1)
    past.mail(2, helo="")
    past.mail(3, "abandoned")
    past.mail(4, recipient="friend@elsewhere.example")
    found = ask(desk, limit=3, helo_name__mode="on")
    assert (1, 1, 2, True) == (found.partly, found.nameless, found.left_out, found.more)
    said = "\n".join(caveats(found))
    assert "without the message" in said
    assert "without the HELO name" in said
    assert "2 left out" in said
    assert "beyond --limit" in said


def test_nothing_is_changed(desk: Desk, past: Past) -> None:
    """The draft is nowhere afterwards, and no mail is written down a second time."""
    past.mail(1, helo="friend", raw=b"Subject: x\r\n\r\nhello\r\n")
    before = domains.own_values(desk, "example.org"), desk.policy.version()
    ask(desk, helo_name__mode="on", greylist__mode="on")
    assert before == (domains.own_values(desk, "example.org"), desk.policy.version())
    assert 1 == len(desk.journal.search())
    assert 1 == len(desk.archive.list())


def test_wrong_draft(desk: Desk, past: Past) -> None:
    """A draft that could not be set is refused with the reason."""
    past.mail(1)
    with pytest.raises(DeskError, match=r"helo_name\.mode"):
        ask(desk, helo_name__mode="perhaps")
    with pytest.raises(DeskError, match="needs a setting"):
        ask(desk)
    with pytest.raises(DeskError, match="not hosted"):
        recheck(desk, "other.example", {"bypass": True}, since=0, limit=1)
