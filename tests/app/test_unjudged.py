"""No mail goes on unread because a check could not answer: it is judged in the spool, by the same checks."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gatepost.app.unjudged import Unjudged
from gatepost.mail.verdict import AddHeader, Defer, Reject, Score, Take
from gatepost.plugin.registry import BrokenPlugin, Registry
from gatepost.plugin.tools import CannotAnswer
from gatepost.policy.snapshot import PolicyUnavailable
from gatepost.relay.courier import ENOUGH, GIVE_UP, Courier
from gatepost.server.unjudged import REASON
from gatepost.spool.envelope import Envelope
from gatepost.store.unwritten import UnwrittenRecords, UnwrittenState
from gatepost.telemetry.conditions import HERE, SPOOL
from tests.server.indoors import DELIVERED, MAIL, Indoors, inside
from tests.server.kinds import LATER

DEAD = CannotAnswer("127.0.0.1:1: nobody is there")
A, B = "ann@a.test", "ann@b.test"


class Later:
    """A house in which b.test's check could not answer, and the courier comes by."""

    def __init__(self, house: Indoors, says: Any = DEAD, **settings: Any) -> None:
        self.house = house
        house.host("a.test")
        house.host("b.test", {"probe.on_failure": "defer", **settings})
        self.says(says)
        house.open()
        assert house.follower is not None
        self.live = house.follower
        house.tools.state = UnwrittenState(house.state)
        house.tools.records = UnwrittenRecords(house.records)
        self.now = 0.0
        self.judge = judge = Unjudged(
            house.registry,
            house.tools,
            lambda: self.live.live.snapshot,
            house.archive,
            house.journal,
            house.log,
        )
        self.courier = Courier(
            house.queue,
            house.back_end,  # type: ignore[arg-type]
            hostname="mx.test",
            routes_for=lambda _domain: ("smtp://127.0.0.1:1",),
            clock=lambda: self.now,
            judge=judge.judge,
        )

    def says(self, answer: Any, hook: str = "message") -> None:
        """Set what b.test's check says from now on."""
        self.house.probe.says[hook, "b.test"] = answer

    async def mail(self) -> None:
        """One mail for both: taken for a.test."""
        _, said = await self.house.client().mail("s@x.example", [A, B])
        assert said.startswith("250"), said
        assert [A] == self.delivered()

    async def round(self) -> None:
        """Let the courier try what is due."""
        for one in self.waiting():
            self.now = max(self.now, one.due)
        await self.courier.look()
        await self.courier.idle()

    def waiting(self) -> list[Envelope]:
        return list(self.house.queue.list())

    def delivered(self) -> list[str]:
        return [to for _, to, _ in self.house.back_end.taken]

    def fates(self) -> list[str]:
        return [row.fate for row in self.house.outcomes() if row.recipient == B]


@inside()
async def test_it_waits_and_is_asked_again(house: Indoors) -> None:
    """Dead: it waits, the reason is shown, and each try asks. Back again and clean: delivered, marked."""
    later = Later(house)
    await later.mail()
    (one,) = later.waiting()
    assert (REASON, True) == (one.reason, one.unjudged is not None)
    assert "nobody is there" in one.recipients[0].last
    for tries in (1, 2, 3):
        await later.round()
        (one,) = later.waiting()
        assert (tries, True) == (one.attempts, one.unjudged is not None)
        assert one.due > later.now
        assert "nobody is there" in one.recipients[0].last
    assert [A] == later.delivered()
    later.says((Score(6, "looks odd"), AddHeader("X-Probe", "seen")))
    await later.round()
    assert ([A, B], []) == (later.delivered(), later.waiting())
    raw = house.back_end.taken[-1][2]
    assert raw.startswith(b"X-Probe: seen\r\nX-Spam-Flag: YES\r\n")
    assert raw.endswith(b"\r\nSubject: hi\r\n\r\nhello\r\n")
    assert [] == house.archive.list()


@pytest.mark.parametrize("at_rcpt", [False, True])
@inside()
async def test_words_behind_the_subject(house: Indoors, at_rcpt: bool) -> None:
    """Of a check that reads the mail, and of one that spoke at RCPT: there once, also at the next try."""
    later = Later(house)
    word = AddHeader("Subject", "(message 2 of 5)")
    if at_rcpt:
        later.says(word, "rcpt")
    await later.mail()
    later.says(None if at_rcpt else (word, AddHeader("X-Probe", "seen")))
    house.back_end.answer = lambda target, _data: [LATER for _ in target.recipients]
    await later.round()
    (one,) = later.waiting()
    assert (None, "(message 2 of 5)") == (one.unjudged, one.subject)
    house.back_end.answer = lambda target, _data: [DELIVERED for _ in target.recipients]
    await later.round()
    raw = house.back_end.taken[-1][2]
    assert raw.endswith(b"\r\nSubject: hi (message 2 of 5)\r\n\r\nhello\r\n")
    assert 1 == raw.count(b"Subject:")
    assert len(raw) == house.back_end.params[-1].size
    assert (not at_rcpt) is raw.startswith(b"X-Probe: seen\r\n")


@inside()
async def test_held_as_it_came(house: Indoors) -> None:
    """What is held in the end is what the sender sent, without words behind its subject."""
    later = Later(house)
    later.says(AddHeader("Subject", "(message 2 of 5)"), "rcpt")
    await later.mail()
    later.says(Reject("a virus"))
    await later.round()
    (kept,) = house.archive.list()
    assert MAIL == house.archive.read(kept.ref)


@inside()
async def test_judged_once(house: Indoors) -> None:
    """Clean, and the back end wants it later: it is not asked again, and keeps its marks."""
    later = Later(house)
    await later.mail()
    later.says(AddHeader("X-Probe", "seen"))
    house.back_end.answer = lambda target, _data: [LATER for _ in target.recipients]
    await later.round()
    (one,) = later.waiting()
    assert (None, "X-Probe: seen\r\n", "judged") == (one.unjudged, one.top, one.reason)
    later.says(Reject("too late"))
    house.back_end.answer = lambda target, _data: [DELIVERED for _ in target.recipients]
    await later.round()
    assert [A, B] == later.delivered()
    assert house.back_end.taken[-1][2].startswith(b"X-Probe: seen\r\n")


@inside()
async def test_a_virus_is_held(house: Indoors) -> None:
    """What it finds then is held for the owner, in the journal with its copy; nobody gets a bounce."""
    later = Later(house)
    await later.mail()
    later.says(Reject("a virus"))
    await later.round()
    assert ([A], []) == (later.delivered(), later.waiting())
    (kept,) = house.archive.list()
    assert ("quarantined", True, "probe", "a virus", B) == (
        kept.outcome, kept.held, kept.plugin, kept.reason, kept.recipient,
    )  # fmt: skip
    assert b"Subject: hi\r\n\r\nhello\r\n" == b"".join(house.archive.blocks(kept.ref))
    assert ["queued", "quarantined"] == later.fates()
    row = house.outcomes()[-1]
    assert (kept.ref, "a virus", "hi") == (row.archive_ref, row.reason, row.subject)
    assert "a virus" in json.dumps(row.trace)


@inside()
async def test_killed_after_it_was_held(house: Indoors) -> None:
    """Held, and killed before the spool knew: one copy in the archive."""
    later = Later(house)
    await later.mail()
    later.says(Reject("a virus"))
    (one,) = later.waiting()
    (raw,) = [b"".join(house.queue.blob(one.id))]
    await later.round()
    house.queue.put(one, [raw])
    later.now = one.due
    await later.round()
    assert ([], 1) == (later.waiting(), len(house.archive.list()))


@inside()
async def test_taken(house: Indoors) -> None:
    """A check that swallows the mail has the last word too."""
    later = Later(house)
    await later.mail()
    later.says(Take("mine"))
    await later.round()
    assert ([A], [], ["queued", "taken"]) == (later.delivered(), later.waiting(), later.fates())


@inside()
async def test_points_of_before(house: Indoors) -> None:
    """What was said at RCPT counts with what is said now."""
    later = Later(house, **{"score.reject_at": 10})
    later.says(Score(8, "from an odd place"), "rcpt")
    await later.mail()
    later.says(None, "rcpt")
    later.says(Score(3, "odd words"))
    await later.round()
    (kept,) = house.archive.list()
    assert ("score", 11.0) == (kept.plugin, kept.score)


@inside()
async def test_never_an_answer(house: Indoors) -> None:
    """After the last try it is held unread; where it cannot be kept it stays in the spool, undelivered."""
    later = Later(house)
    await later.mail()
    for _ in range(ENOUGH - 1):
        await later.round()
    assert [] == house.archive.list()
    (one,) = later.waiting()
    later.now = one.created + GIVE_UP
    house.archive.min_free = 1 << 62
    await later.round()
    (one,) = later.waiting()
    assert (one.recipients[0].failed, one.unjudged is not None) == (False, True)
    assert "nobody is there; cannot be held: " in one.recipients[0].last
    assert ["queued"] == later.fates()
    assert "level=error event=cannot_hold" in house.log_text()
    house.archive.min_free = 1024
    await later.round()
    assert ([A], []) == (later.delivered(), later.waiting())
    (kept,) = house.archive.list()
    assert "nobody is there" in kept.reason


@inside()
async def test_a_later_that_is_no_failure(house: Indoors) -> None:
    """The check wanted it to come again: it is asked again, and then it goes."""
    later = Later(house, Defer("greylisted"))
    await later.mail()
    await later.round()
    assert [A] == later.delivered()
    later.says(None)
    await later.round()
    assert [A, B] == later.delivered()


@inside()
async def test_a_refusal_as_deferral_is_held(house: Indoors) -> None:
    """`action=defer` says that it is bad: with the client gone it is held and never delivered."""
    later = Later(house, Reject("bad"), **{"probe.action": "defer"})
    await later.mail()
    assert ([], ["quarantined"]) == (later.waiting(), later.fates())
    (kept,) = house.archive.list()
    assert (B, "bad") == (kept.recipient, kept.reason)


@inside()
async def test_the_owner_decides_otherwise(house: Indoors) -> None:
    """The policy of the day is asked: who lets such mail pass now gets it."""
    later = Later(house)
    await later.mail()
    house.store.put("domain:b.test", {"probe.on_failure": "pass"})
    later.live.look()
    await later.round()
    assert [A, B] == later.delivered()


@pytest.mark.parametrize("wrong", [{}, {"to": 5}, {"started": "x"}])
@inside()
async def test_what_cannot_be_read_waits(house: Indoors, wrong: dict[str, Any]) -> None:
    """A damaged envelope, or a domain that is gone: never delivered."""
    later = Later(house)
    await later.mail()
    (one,) = later.waiting()
    claim = house.queue.claim(one.id)
    assert claim is not None and one.unjudged is not None
    house.queue.update(claim, replace(one, unjudged={**one.unjudged, **wrong} if wrong else {}))
    claim.release()
    later.says(None)
    await later.round()
    assert ([A], 1) == (later.delivered(), len(later.waiting()))


@inside()
async def test_a_domain_that_is_gone(house: Indoors) -> None:
    """Nobody says what it may get: it waits."""
    later = Later(house)
    await later.mail()
    house.store.remove_domain("b.test")
    later.live.look()
    await later.round()
    (one,) = later.waiting()
    assert "not hosted here now" in one.recipients[0].last


@pytest.mark.parametrize("broken", [False, True])
@inside()
async def test_a_check_that_is_gone(house: Indoors, broken: bool) -> None:
    """A plugin whose file is away, or does not load, opens no door; when it is there again it is asked."""
    later = Later(house)
    await later.mail()
    whole = house.registry
    rest = [(o.name, o.plugin, o.origin, o.error) for o in whole if o.name != "probe"]
    rest += [("probe", BrokenPlugin("def ("), "test", "def (")] if broken else []
    later.judge.use(Registry(rest))
    later.live.new_registry(Registry(rest))
    await later.round()
    (one,) = later.waiting()
    assert "probe could not answer, and is no check here now" in one.recipients[0].last
    later.judge.use(whole)
    later.live.new_registry(whole)
    later.says(Reject("a virus"))
    await later.round()
    assert ([A], 1) == (later.delivered(), len(house.archive.list()))


def old(later: Later, **changed: Any) -> Envelope:
    """Make the copy that waits one whose last try comes next."""
    (one,) = later.waiting()
    claim = later.house.queue.claim(one.id)
    assert claim is not None
    aged = replace(one, attempts=ENOUGH - 1, created=one.created - GIVE_UP, **changed)
    later.house.queue.update(claim, aged)
    claim.release()
    return aged


def held_unread(later: Later, why: str) -> None:
    """The last try held it under its domain, and journal and log say so."""
    house = later.house
    assert ([A], []) == (later.delivered(), later.waiting())
    (kept,) = house.archive.list()
    assert (B, "b.test", True, "quarantined", "gatepost") == (
        kept.recipient, kept.domain, kept.held, kept.outcome, kept.plugin,
    )  # fmt: skip
    assert why in kept.reason
    assert b"".join(house.archive.blocks(kept.ref)).endswith(b"Subject: hi\r\n\r\nhello\r\n")
    assert ["queued", "quarantined"] == later.fates()
    assert kept.ref == house.outcomes()[-1].archive_ref
    assert "refused" not in house.log_text()


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (RuntimeError("a fault of ours"), "RuntimeError: a fault of ours"),
        (MemoryError(), "MemoryError"),
        (TimeoutError(), "TimeoutError"),
        (PolicyUnavailable("the policy cannot be read"), "PolicyUnavailable: the policy cannot be read"),
    ],
)
@inside()
async def test_a_fault_is_not_for_ever(house: Indoors, fault: Exception, why: str) -> None:
    """Whatever keeps it from being judged: it waits with the reason, and the last try holds it."""
    later = Later(house)
    await later.mail()

    def broken() -> Any:
        raise fault

    later.judge._snapshot = broken
    await later.round()
    (one,) = later.waiting()
    assert (1, False) == (one.attempts, one.recipients[0].failed)
    assert why in one.recipients[0].last
    assert "level=error event=judge_failed" in house.log_text()
    old(later)
    await later.round()
    held_unread(later, why)


@inside()
async def test_an_unreadable_one_is_held_in_the_end(house: Indoors) -> None:
    """The envelope does not say what was said; the domain is known all the same."""
    later = Later(house)
    await later.mail()
    old(later, unjudged={})
    later.says(None)
    await later.round()
    held_unread(later, "cannot be read")


@inside()
async def test_one_of_a_domain_that_is_gone_is_held_in_the_end(house: Indoors) -> None:
    """Who hosts it again finds it."""
    later = Later(house)
    await later.mail()
    house.store.remove_domain("b.test")
    later.live.look()
    old(later)
    await later.round()
    held_unread(later, "b.test is not hosted here now")


@inside()
async def test_held_unread_once(house: Indoors) -> None:
    """Killed between the archive and the spool: one copy."""
    later = Later(house)
    await later.mail()
    one = old(later, unjudged={})
    (raw,) = [b"".join(house.queue.blob(one.id))]
    await later.round()
    house.queue.put(one, [raw])
    await later.round()
    assert ([], 1) == (later.waiting(), len(house.archive.list()))


@inside()
async def test_nothing_can_be_held(house: Indoors) -> None:
    """A fault, and an archive that takes nothing: it waits on, however old it is, and somebody hears."""
    later = Later(house)
    await later.mail()
    one = old(later, unjudged={})
    house.archive.min_free = 1 << 62
    HERE.reset()
    for tries in (0, 1):
        await later.round()
        (left,) = later.waiting()
        assert (False, ENOUGH + tries) == (left.recipients[0].failed, left.attempts)
        assert "cannot be held" in left.recipients[0].last
    assert 0 == house.queue.expire_failed(one.due + 400 * 86_400, 30 * 86_400)
    assert (["queued"], [A]) == (later.fates(), later.delivered())
    assert "level=error event=cannot_hold" in house.log_text()
    (ill,) = [one for one in HERE.all() if one.kind == SPOOL]
    assert ("b.test", True) == (ill.name, "cannot be held" in ill.why)
    house.archive.min_free = 1024
    await later.round()
    held_unread(later, "cannot be read")
    assert [""] == [one.why for one in HERE.all() if one.kind == SPOOL]
