"""A digest tells each reader what was kept for him since the last one, and nobody what is another's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatepost.desk import archive, digest, domains, recipients
from gatepost.desk.desk import Desk
from gatepost.desk.digest import Digest, Want
from gatepost.desk.errors import DeskError, NotFound
from gatepost.spool.index import Kept
from tests.desk.conftest import Clock
from tests.desk.test_archive import RAW, deliver

HOUR = 3600.0


@pytest.fixture(autouse=True)
def people(desk: Desk) -> None:
    """Both domains have ann and bob; postmaster reads the whole of the first."""
    domains.add(desk, "other.example", ["maildir:///nowhere/%u"])
    for domain in ("example.org", "other.example"):
        recipients.add(desk, domain, ["ann", "bob", "postmaster"])
        domains.set_values(desk, domain, {"digest": "daily", "digest.mailboxes": True})
    domains.set_values(desk, "example.org", {"digest.to": ["postmaster"]})
    desk.public_url = "https://mx.example.org"


def keep(desk: Desk, recipient: str = "ann@example.org", **further: object) -> Kept:
    """Keep one mail; the `number`th is of the hour `number` from the clock."""
    item = Kept(
        id="0DQ3N7V5K2F8T.1",
        time=desk.clock(),
        sender="mia@partner.example",
        recipient=recipient,
        domain=recipient.rpartition("@")[2],
        reason="SPF says fail",
        plugin="spf",
        subject="An offer",
        size=len(RAW),
    )
    ref = desk.archive.keep(replace(item, **further), [RAW])  # type: ignore[arg-type]
    found = desk.archive.get(ref)
    assert found is not None
    return found


def made(desk: Desk, *names: str, since: float | None = None, **want: object) -> dict[str, Digest]:
    """Return reader -> the digest of the last day, of all these domains."""
    now = desk.clock()
    wants = [
        Want(domains.resolved(desk, name)[0], now - 24 * HOUR if since is None else since, now, **want)  # type: ignore[arg-type]
        for name in names or ("example.org", "other.example")
    ]
    return {one.reader: one for one in digest.digests(desk, wants)}


def test_each_reads_only_his_own(desk: Desk) -> None:
    """A mailbox reads of itself, the postmaster of the domain, nobody of another domain."""
    refs = {who: keep(desk, who).ref for who in ("ann@example.org", "BOB@example.org", "ann@other.example")}

    found = made(desk)

    assert {
        "postmaster@example.org",
        "ann@example.org",
        "bob@example.org",
        "ann@other.example",
    } == found.keys()
    seen = {reader: {row.kept.ref for row in (*one.held, *one.refused)} for reader, one in found.items()}
    assert {refs["ann@example.org"]} == seen["ann@example.org"]
    assert {refs["BOB@example.org"]} == seen["bob@example.org"]
    assert {refs["ann@other.example"]} == seen["ann@other.example"]
    assert {refs["ann@example.org"], refs["BOB@example.org"]} == seen["postmaster@example.org"]
    assert [True, False] == [found[f"{who}@example.org"].whole for who in ("postmaster", "ann")]


def test_the_time_that_it_is_about(desk: Desk, clock: Clock) -> None:
    """What was kept behind the last one, to the moment itself; each mail stands in exactly one."""
    begin = clock.now
    for hour in range(5):
        clock.now = begin + hour * HOUR
        keep(desk, id=f"0DQ3N7V5K2F8{hour}.1")
    clock.now = begin + 3 * HOUR
    (one,) = [one for one in made(desk, since=begin + HOUR).values() if not one.whole]

    assert ["0DQ3N7V5K2F83.1", "0DQ3N7V5K2F82.1"] == [row.kept.id for row in one.refused]
    assert (begin + HOUR, begin + 3 * HOUR, 2) == (one.since, one.until, one.number)


def test_what_did_not_arrive_is_told_again(desk: Desk, clock: Clock) -> None:
    """A reader who is owed something reads from further back; the others do not."""
    keep(desk, "ann@example.org")
    keep(desk, "bob@example.org")
    clock.now += HOUR
    keep(desk, "ann@example.org")
    since = clock.now - HOUR / 2
    found = made(desk, "example.org", since=since, owed={"ann@example.org": since - HOUR})

    assert (2, 1) == (found["ann@example.org"].number, found["postmaster@example.org"].number)
    assert "bob@example.org" not in found


def test_rows_are_bounded(desk: Desk) -> None:
    """The newest are shown, the held ones first; of the others it is said how many there are."""
    for n in range(digest.ROWS + 5):
        keep(desk, subject=f"refused {n}")
    held = [keep(desk, held=True, outcome="quarantined", subject=f"held {n}") for n in range(3)]
    one = made(desk)["ann@example.org"]

    assert [kept.subject for kept in reversed(held)] == [row.kept.subject for row in one.held]
    assert digest.ROWS == len(one.held) + len(one.refused)
    assert f"refused {digest.ROWS + 4}" == one.refused[0].kept.subject
    assert (8, digest.ROWS + 8) == (one.more, one.number)


def test_who_gets_none(desk: Desk) -> None:
    """Nobody is told of nothing; names that nobody has get no mail; a mailbox may want none."""
    assert {} == made(desk)
    keep(desk, "nobody@example.org", plugin="recipients")
    keep(desk, "bob@example.org")
    domains.set_values(desk, "bob@example.org", {"digest.mailboxes": False})
    domains.set_values(desk, "other.example", {"recipients": "any"})
    keep(desk, "guess@other.example", plugin="recipients")
    keep(desk, "real@other.example")

    assert {"postmaster@example.org", "real@other.example"} == made(desk).keys()


def test_what_is_gone(desk: Desk) -> None:
    """What was deleted, or released by somebody, is not told."""
    keep(desk, id="0DQ3N7V5K2F8A.1")
    archive.delete(desk, keep(desk, id="0DQ3N7V5K2F8B.1"))
    archive.release(desk, keep(desk, id="0DQ3N7V5K2F8C.1"))
    deliver(desk)

    assert ["0DQ3N7V5K2F8A.1"] == [row.kept.id for row in made(desk)["ann@example.org"].refused]


def test_links(desk: Desk) -> None:
    """Each mail has a link for its reader; malware and poison have none; without a public address all."""
    keep(desk, plugin="clamav")
    keep(desk, plugin="poison")
    keep(desk)
    found = made(desk)
    assert [True, False, False] == [bool(row.token) for row in found["ann@example.org"].refused]
    tokens = {one.refused[0].token for one in found.values()}
    assert 2 == len(tokens), "another reader, another token"
    desk.public_url = ""
    assert [""] * 3 == [row.token for row in made(desk)["ann@example.org"].refused]


def test_now(desk: Desk, clock: Clock) -> None:
    """What somebody asks for: a mailbox's or the domain's, even if nothing was kept; links open nothing."""
    assert 0 == digest.now(desk, "example.org", "ann").number
    keep(desk, "Ann@example.org")
    keep(desk, "bob@example.org")
    clock.now += HOUR
    own, whole = (digest.now(desk, "example.org", who, example=True) for who in ("ann@EXAMPLE.ORG", None))
    assert (1, False, "ann@example.org") == (own.number, own.whole, own.reader)
    assert (2, True, "example") == (whole.number, whole.whole, whole.refused[0].token)
    assert digest.now(desk, "example.org", "postmaster").whole
    domains.set_values(desk, "example.org", {"digest.to": ["office"]})
    assert digest.now(desk, "example.org", "office").whole, "who is named by the owner needs no listing"
    with pytest.raises(NotFound, match="does not exist here"):
        digest.now(desk, "example.org", "stranger")
    with pytest.raises(DeskError, match=r"not a mailbox of example\.org"):
        digest.now(desk, "example.org", "ann@other.example")
    with pytest.raises(DeskError, match="not a mailbox"):
        digest.now(desk, "example.org", "a b")


def test_switch(desk: Desk) -> None:
    """One mailbox is set apart from its domain, and back."""
    assert [False, True, True] == [
        digest.switch(desk, "example.org", "Ann", on) for on in (False, True, None)
    ]
    assert {} == domains.own_values(desk, "ann@example.org")
    assert digest.switch(desk, "example.org", "ann", None)
    with pytest.raises(DeskError, match=r"not a mailbox of example\.org"):
        digest.switch(desk, "example.org", "ann@other.example", True)


def test_a_mailbox_that_has_to_be_quoted() -> None:
    """Its address is one again."""
    assert '"a b"@example.org' == digest.address_of("a b", "example.org")
    assert '"a\\"b"@example.org' == digest.address_of('a"b', "example.org")
