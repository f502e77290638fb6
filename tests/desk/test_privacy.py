"""One person is found everywhere in a domain, and afterwards nowhere; nobody else is touched."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.desk import (
    aliases,
    archive,
    changes,
    domains,
    lists,
    privacy,
    queue,
    recipients,
    tokens,
    training,
    users,
)
from gatepost.desk.archive import WAITING
from gatepost.desk.deeds import at_once, deeds_of, write_down
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.desk.training import Lesson
from gatepost.spool.envelope import Envelope, Rcpt
from gatepost.store.journal_lines import outcome_line
from gatepost.store.journal_writer import JournalWriter
from gatepost.store.reviews_db import ReviewRow
from tests.desk.test_archive import keep

ANN, BOB = "ann@example.org", "bob@example.net"
LESSON = b"From: x@y.example\r\nSubject: casino\r\nMessage-ID: <1@y>\r\n\r\nwin money now\r\n"


def journal(desk: Desk, *rows: tuple[str, str, str, str]) -> None:
    """Write outcomes: id, domain, recipient, sender."""
    writer = JournalWriter(desk.data_dir, "w0", clock=desk.clock)
    for number, name, recipient, sender in rows:
        writer.add(
            outcome_line(number, name, recipient, sender, "192.0.2.1", "rejected", "deny_list",
                         f"{sender} is on the list", 550, subject=f"dear {recipient}",
                         trace=json.dumps([["check", "deny_list", "no", 0.1, f"{sender} to {recipient}"]]))
        )  # fmt: skip
    writer.flush()
    writer.close()


@pytest.fixture
def full(desk: Desk) -> Desk:
    """Return a desk where ann stands everywhere, in two domains."""
    domains.add(desk, "example.com", ["maildir:///nowhere"])
    recipients.add(desk, "example.org", ["ann", "carl"])
    journal(
        desk,
        ("0DQ3N7V5K2F8T.1", "example.org", ANN, BOB),
        ("0DQ3N7V5K2F8V.1", "example.org", "carl@example.org", "joann@example.org"),
        ("0DQ3N7V5K2F8W.1", "example.com", "carl@example.com", ANN),
    )
    kept = keep(desk)
    keep(desk, "carl@example.org", "0DQ3N7V5K2F8X.1")
    write_down(desk, "opened", "example.org", kept.ref, kept.id, ANN)
    training.train(desk, "example.org", [Lesson(LESSON, "0DQ3N7V5K2F8T.1")], spam=True, by=ANN)
    lists.add(desk, "example.org", "allow", ANN)
    at_once(desk.records.put("example.org", "digest", f"reader\x1f{ANN}", {"entry": "x"}))
    at_once(desk.records.put("example.org", aliases.PLUGIN, "address ann shop", {"limit": 5}))
    at_once(desk.records.put("example.com", "notes", "x", {"who": ANN}))
    for asked, contact in ((ANN, ""), ("carl@example.org", "joann@example.org")):
        row = ReviewRow(
            0, "example.org", "0DQ3N7V5K2F8T.1", asked, BOB, "dnsbl", desk.clock(), "", contact, "please"
        )
        desk.reviews.add(row, of_network=9, of_domain=9)
    users.add(desk, ANN, "correct horse battery", "owner", ["example.org"])
    desk.journal.collect(desk.data_dir)
    return desk


def everything(desk: Desk) -> str:
    """Return all that the stores say of example.org, as text."""
    said = [line + trace for _, _, line, trace in desk.journal.naming("example.org", "@")]
    said += [f"{one.key} {one.value}" for one in desk.records.of_domain("example.org")]
    said += [repr(one) for one in desk.policy.changes_of("example.org")]
    said += [repr(one) for one in desk.models.trainings("example.org").look()]
    said += [repr(one) for one in archive.listing(desk, "example.org")]
    said += [repr(one) for one in desk.reviews.listing(["example.org"], waiting=True)]
    return "\n".join(said)


def test_look(full: Desk) -> None:
    """Each kind is counted; whom nobody knows has nothing; nothing is changed by it."""
    before = everything(full)
    counts = privacy.look(full, "example.org", privacy.person(" <Ann@example.org> ")).counts
    assert (1, 1, 0, 1, 1, 1, 1) == tuple(
        counts[kind] for kind in ("journal", "kept", "queue", "trainings", "lists", "recipients", "accounts")
    )
    assert counts["records"] >= 3
    assert counts["changes"] >= 3
    assert before == everything(full)
    assert not sum(privacy.look(full, "example.org", privacy.person("zoe@example.org")).counts.values())
    assert 1 == privacy.look(full, "example.org", privacy.person(BOB)).counts["journal"]


def test_erase(full: Desk) -> None:
    """Afterwards nothing names the person; rows, counts and the model are still there."""
    model = full.models.of("example.org")
    assert model is not None
    taught = (model.spam, model.ham)
    who = privacy.person(ANN)
    done = privacy.erase(full, "example.org", who)
    assert {"journal": 1, "kept": 1, "trainings": 1, "reviews": 1} == {
        kind: done.done[kind] for kind in ("journal", "kept", "trainings", "reviews")
    }
    assert {"lists": 1, "recipients": 1, "accounts": 1, "records": 1} == done.left
    said = everything(full)
    # What is left is the setting that was told: the entry of the list, as the settings of today.
    assert not privacy.person(ANN).named_in(said)
    assert who.pseudonym in said
    assert "joann@example.org" in said
    assert "carl@example.org" in said
    (row,) = full.journal.explain("0DQ3N7V5K2F8T.1").outcomes  # type: ignore[union-attr]
    assert ("rejected", BOB, "", who.pseudonym) == (row.fate, row.sender, row.subject, row.recipient)
    assert who.pseudonym in str(row.trace)
    again = full.models.of("example.org")
    assert again is not None
    assert taught == (again.spam, again.ham)
    training.undo(full, "example.org", [1])
    assert not sum(
        number
        for kind, number in privacy.look(full, "example.org", privacy.person(ANN)).counts.items()
        if kind not in ("lists", "recipients", "accounts", "records")
    )


def test_other_domains(full: Desk) -> None:
    """Their data about the same address are theirs."""
    theirs = list(full.journal.naming("example.com", "@")), list(full.records.of_domain("example.com"))
    privacy.erase(full, "example.org", privacy.person(ANN))
    assert theirs == (
        list(full.journal.naming("example.com", "@")),
        list(full.records.of_domain("example.com")),
    )
    assert 1 == privacy.look(full, "example.com", privacy.person(ANN)).counts["journal"]
    with pytest.raises(NotFound):
        privacy.look(full, "other.example", privacy.person(ANN))


def test_what_waits_is_left(full: Desk) -> None:
    """A mail that is being released, or waits in the queue, is not touched; a failed one goes."""
    (kept,) = [one for one in archive.listing(full, "example.org") if one.recipient == ANN]
    archive.release(full, kept)
    now = full.clock()
    for name, failed in (("aaaa1111", False), ("bbbb2222", True)):
        entry = Envelope(
            name, BOB, (Rcpt(ANN, failed=failed),), now, now, domain="example.org", session="0DQ3N7V5K2F8T.1"
        )
        full.queue.put(entry, [b"Subject: x\r\n\r\n"])
    done = privacy.erase(full, "example.org", privacy.person(ANN))
    assert (2, 1) == (done.left["queue"], done.left["kept"])
    assert WAITING == archive.state(full, kept).state
    assert {"aaaa1111", archive.queue_name(kept)} == {one.id for one in queue.listing(full)}
    assert b"casino" in full.archive.read(kept.ref)
    (row,) = full.journal.explain("0DQ3N7V5K2F8T.1").outcomes  # type: ignore[union-attr]
    assert ANN == row.recipient


def test_counted_addresses(full: Desk) -> None:
    """Of a mailbox that exists they stay (an exhausted one must not revive); of one that is gone they go."""
    privacy.erase(full, "example.org", privacy.person(ANN))
    assert at_once(full.records.get("example.org", aliases.PLUGIN, "address ann shop")) is not None
    recipients.remove(full, "example.org", ["ann"])
    privacy.erase(full, "example.org", privacy.person(ANN))
    assert at_once(full.records.get("example.org", aliases.PLUGIN, "address ann shop")) is None


def test_deeds_and_changes(full: Desk) -> None:
    """Who did what stays, without whose mail it was; a change that was rewritten cannot be rolled back."""
    privacy.erase(full, "example.org", privacy.person(ANN))
    (deed,) = [one for one in deeds_of(full, "example.org") if one.what == "opened"]
    assert deed.recipient.endswith("@erased.invalid")
    listed = changes.listing(full, "example.org")
    assert "erased one person's data: " in changes.in_words(listed[0])
    assert "1 kept" in changes.in_words(listed[0])
    assert not any(ANN in changes.in_words(one) for one in listed)
    (added,) = [one for one in listed if one.what == "recipients"]
    assert {"carl", "erased"} == set(changes.in_words(added).removeprefix("added ").split(", "))
    assert not changes.can_be_undone(added)


def test_nothing_is_left_on_the_disk(full: Desk) -> None:
    """The old text is overwritten in the files, and in the last good copy of the policy."""
    privacy.erase(full, "example.org", privacy.person(BOB))
    for name in ("journal.db", "policy.last-good.db"):
        path: Path = full.data_dir / name
        if name == "journal.db":
            db = sqlite3.connect(path)
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            db.close()
        assert BOB.encode() not in path.read_bytes()


@pytest.mark.parametrize("address", ["", "ann", "postmaster", "a b@example.org", "ann@", "<>"])
def test_no_address(desk: Desk, address: str) -> None:
    """Is said in words."""
    with pytest.raises(DeskError):
        privacy.person(address)


def test_a_line_without_its_mail(full: Desk) -> None:
    """Mail that was thrown out to make room has left its line in the index: that goes too."""
    (kept,) = privacy.look(full, "example.org", privacy.person(ANN)).kept
    full.archive.remove(kept.ref)
    assert 1 == privacy.erase(full, "example.org", privacy.person(ANN)).done["kept"]
    assert full.archive.get(kept.ref) is None
    assert [] == privacy.look(full, "example.org", privacy.person(ANN)).kept


def test_more_than_one_go(full: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many rows there are, none is left."""
    journal(full, *[(f"0DQ3N7V5K3{n:03}.1", "example.org", ANN, BOB) for n in range(7)])
    monkeypatch.setattr(privacy, "MOST", 3)
    assert 8 == privacy.erase(full, "example.org", privacy.person(ANN)).done["journal"]
    monkeypatch.setattr(privacy, "MOST", 100)
    assert [] == privacy.look(full, "example.org", privacy.person(ANN)).journal


@pytest.fixture
def owner(full: Desk) -> Iterator[Desk]:
    """The desk of ann, who owns the domain, after a colleague and she herself did things."""
    with Desk(full.data_dir, "carl@example.org", admin=False, clock=full.clock) as carl:
        domains.set_values(carl, "example.org", {"keep_days": 9})
        lists.add(carl, "example.org", "deny", "carl@example.org")
        (kept,) = [one for one in archive.listing(carl, "example.org") if one.recipient == ANN]
        write_down(carl, "opened", "example.org", kept.ref, kept.id, ANN)
        training.train(carl, "example.org", [Lesson(LESSON + b"x", "1.1")], spam=True, how="console")
    with Desk(full.data_dir, ANN, admin=False, clock=full.clock) as made:
        domains.set_values(made, "example.org", {"keep_days": 8})
        yield made


def did(desk: Desk) -> dict[str, int]:
    """Return how many deeds stand under each name."""
    names = [one.by for one in desk.policy.changes_of("example.org") if one.what != "erased"]
    listed = desk.policy.changes_of("example.org")
    names += [one.after["created_by"] for one in listed if one.what == "entry"]
    names += [one.by for one in deeds_of(desk, "example.org")]
    names += [one.by for one in desk.models.trainings("example.org").look() if one.how == "console"]
    return dict(Counter(names))


@pytest.mark.parametrize("asked", ["carl@example.org", ANN])
def test_an_owner_leaves_who_did_what(owner: Desk, asked: str) -> None:
    """Neither a colleague's traces nor the own ones can be wiped; else the person is gone as always."""
    before = did(owner)
    assert {"carl@example.org", ANN} <= before.keys()
    done = privacy.erase(owner, "example.org", privacy.person(asked))
    assert before == did(owner)
    assert done.left["changes"] >= 1
    assert [] == privacy.look(owner, "example.org", privacy.person(asked)).journal
    (deed,) = [one for one in changes.listing(owner, "example.org") if one.what == "erased"]
    assert ANN == deed.by
    found = [one for one in owner.policy.changes_of("example.org") if one.what in ("recipients", "entry")]
    named = [
        {key: value for key, value in one.after.items() if key != "created_by"}
        if isinstance(one.after, dict)
        else one.after
        for one in found
    ]
    assert asked.partition("@")[0] not in [row[0] for rows in named if isinstance(rows, list) for row in rows]
    assert not any(privacy.person(asked).named_in(one) for one in named)


@pytest.mark.parametrize("asked", ["carl@example.org", ANN])
def test_only_who_was_asked_for_vanishes(owner: Desk, full: Desk, asked: str) -> None:
    """An administrator takes that one out of all deeds; everybody else's stay, and so does each deed."""
    before, number = did(owner), len(list(owner.policy.changes_of("example.org")))
    privacy.erase(full, "example.org", privacy.person(asked))
    after = did(full)
    assert asked not in after
    assert {name: n for name, n in before.items() if name != asked}.items() <= after.items()
    assert sum(before.values()) == sum(after.values())
    assert number + 1 == len(list(full.policy.changes_of("example.org")))


def test_accounts_and_tokens(owner: Desk, full: Desk) -> None:
    """That an account and its tokens came and went names the person too: an administrator erases that."""
    token, _ = tokens.add(full, ANN, "script", rights="change")
    tokens.revoke(full, token.id)
    with Desk(full.data_dir, ANN, clock=full.clock) as once_admin:
        domains.set_values(once_admin, None, {"keep_days": 9})
    users.remove(full, ANN)
    who = privacy.person(ANN)
    machines = [one for one in changes.listing(full, "all") if who.named_in([one.by, one.before, one.after])]
    assert ["settings", "token", "token", "user", "user"] == sorted(one.what for one in machines)
    privacy.erase(owner, "example.org", who)
    assert machines == [
        one for one in changes.listing(full, "all") if who.named_in([one.by, one.before, one.after])
    ]
    privacy.erase(full, "example.org", who)
    left = [repr(one) for one in changes.listing(full, "all")]
    assert not who.named_in(left)
    assert 5 == sum("@erased.invalid" in one for one in left)
