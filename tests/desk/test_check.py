"""`check` says what port 25 would do, by the same snapshot and checks, and leaves no trace."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.desk import domains, lists, recipients, train_addresses
from gatepost.desk.check import check
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError
from gatepost.desk.trial import Answer, Mail

RAW = b"From: bob@example.net\nSubject: x\n\nhello\n"


@pytest.fixture(autouse=True)
def ann(desk: Desk) -> None:
    """Ann exists; nobody else is listed."""
    recipients.add(desk, "example.org", ["ann"])


def ask(desk: Desk, *to: str, client: str = "192.0.2.1", helo: str = "mail.example.net") -> list[Answer]:
    """Ask about a mail to these recipients."""
    return check(desk, Mail(RAW, "bob@example.net", to or ("ann@example.org",), client, helo))


def test_accepted(desk: Desk) -> None:
    """A good mail goes to the domain's route, and each check that was asked is told."""
    (answer,) = ask(desk)
    assert answer.fate == "accepted"
    assert answer.routes == tuple(domains.own_values(desk, "example.org")["route"])
    assert ("recipients", "rcpt") in {(s.check, s.hook) for s in answer.steps}


def test_unknown_recipient(desk: Desk) -> None:
    """No such user is said at RCPT."""
    (answer,) = ask(desk, "nosuch@example.org")
    assert (answer.fate, answer.at, answer.reply, answer.plugin) == (
        "rejected",
        "RCPT",
        "550 5.1.1",
        "recipients",
    )
    assert not answer.kept


def test_not_hosted(desk: Desk) -> None:
    """Another domain is not relayed."""
    (answer,) = ask(desk, "ann@example.com")
    assert (answer.fate, answer.at, answer.reply) == ("rejected", "RCPT", "550 5.7.1")


def test_denied(desk: Desk) -> None:
    """A deny entry refuses; where it is said depends on refuse_at, and so does the kept copy."""
    lists.add(desk, "example.org", "deny", "192.0.2.7")
    (answer,) = ask(desk, client="192.0.2.7")
    assert (answer.fate, answer.plugin, answer.at, answer.kept) == (
        "rejected",
        "deny_list",
        "the end of the data",
        True,
    )
    domains.set_values(desk, "example.org", {"refuse_at": "rcpt"})
    (answer,) = ask(desk, client="192.0.2.7")
    assert (answer.at, answer.kept) == ("RCPT", False)


def test_actions_and_watch(desk: Desk) -> None:
    """What a refusal becomes is the domain's word; a check on watch is named and does not act."""
    domains.set_values(desk, "example.org", {"helo_name.mode": "on", "helo_name.action": "quarantine"})
    (answer,) = ask(desk, helo="friend")
    assert (answer.fate, answer.kept) == ("quarantined", True)
    domains.set_values(desk, "example.org", {"helo_name.mode": "watch"})
    (answer,) = ask(desk, helo="friend")
    assert (answer.fate, answer.watched) == ("accepted", ("helo_name",))
    assert "would refuse it (watch)" in {s.said for s in answer.steps}


def test_allowed(desk: Desk) -> None:
    """An allow entry leads past the checks and is named."""
    domains.set_values(desk, "example.org", {"helo_name.mode": "on"})
    lists.add(desk, "example.org", "allow", "192.0.2.1")
    (answer,) = ask(desk, helo="friend")
    assert answer.fate == "accepted"
    assert "192.0.2.1" in answer.allowed_by


def test_bypass(desk: Desk) -> None:
    """With the filter out everything valid is accepted and tagged; nobody else becomes valid."""
    domains.set_values(desk, "example.org", {"helo_name.mode": "on", "bypass": True})
    good, bad = ask(desk, "ann@example.org", "nosuch@example.org", helo="friend")
    assert (good.fate, good.tags) == ("accepted", ("bypass",))
    assert bad.fate == "rejected"


def test_each_by_its_own_policy(desk: Desk) -> None:
    """What one domain switched on does not touch the other's mail."""
    domains.add(desk, "b.example", ["smtp://192.0.2.5"], {"recipients": "any"})
    domains.set_values(desk, "example.org", {"helo_name.mode": "on"})
    domains.set_values(desk, "b.example", {"helo_name.mode": "off"})
    first, second = ask(desk, "ann@example.org", "carl@b.example", helo="friend")
    assert (first.fate, second.fate) == ("rejected", "accepted")


def test_postmaster(desk: Desk) -> None:
    """Reached without filtering (RFC 5321, 4.5.1)."""
    domains.set_values(desk, "example.org", {"helo_name.mode": "on"})
    (answer,) = ask(desk, "postmaster@example.org", helo="friend")
    assert answer.fate == "accepted"


def test_check_that_cannot_answer(desk: Desk) -> None:
    """DNS does not answer: on_failure is followed and told."""
    domains.set_values(
        desk,
        "example.org",
        {"dnsbl.mode": "on", "dnsbl.zones": ["bl.test"], "dnsbl.on_failure": "defer"},
    )
    (answer,) = ask(desk)
    dnsbl = next(s for s in answer.steps if s.check == "dnsbl")
    assert (answer.fate, answer.plugin) == ("deferred", "dnsbl")
    assert dnsbl.result == "failed defer"


def test_leaves_no_trace(desk: Desk, tmp_path: Path) -> None:
    """Nothing is kept, queued, delivered or written in the journal."""
    ask(desk, "ann@example.org", "nosuch@example.org")
    assert not (tmp_path / "mail").exists()
    assert list(desk.queue.list()) == []
    assert desk.archive.list() == []
    assert desk.journal.search() == []


def test_null_sender(desk: Desk) -> None:
    """A bounce may be asked about too."""
    for sender in ("", "<>"):
        (answer,) = check(desk, Mail(RAW, sender, ("ann@example.org",)))
        assert answer.fate == "accepted"


def test_bad_addresses(desk: Desk) -> None:
    """What is no address is one clear line."""
    for mail in (Mail(RAW, "bob", ("ann@example.org",)), Mail(RAW, "", ("a b",)), Mail(RAW, "", ())):
        with pytest.raises(DeskError):
            check(desk, mail)


def test_which_entry_decided(desk: Desk) -> None:
    """The entry that had the last word is named, whether it lets in or refuses; otherwise none is."""
    (answer,) = ask(desk)
    assert answer.entry is None
    denied = lists.add(desk, None, "deny", "192.0.2.0/24", note="since May")
    (answer,) = ask(desk)
    assert answer.entry is not None
    assert (denied.id, "deny 192.0.2.0/24 (all domains)") == (answer.entry.id, str(answer.entry))
    allowed = lists.add(desk, "example.org", "allow", "192.0.2.1")
    (answer,) = ask(desk)
    assert "accepted" == answer.fate
    assert answer.entry is not None
    assert allowed.id == answer.entry.id


def test_unproven_sender(desk: Desk) -> None:
    """A sender that nobody can prove is not freed by its entry, and that is known only behind the data."""
    lists.add(desk, None, "deny", "192.0.2.0/24")
    lists.add(desk, "example.org", "allow", "bob@example.net", verified=True)
    (answer,) = ask(desk)
    assert ("rejected", "deny_list") == (answer.fate, answer.plugin)
    assert "the end of the data" == answer.at


def test_dns_answers(desk: Desk) -> None:
    """The DNS answers on which SPF rests are shown; here nobody answers."""
    domains.set_values(desk, "example.org", {"spf.mode": "on"})
    (answer,) = ask(desk)
    (said, *_) = [s.detail for s in answer.steps if s.check == "dns"]
    assert said.startswith("example.net TXT: ")


def test_training_addresses(desk: Desk) -> None:
    """Who would be believed, and that it would be taken; nothing is learnt, and nobody gets it."""
    found = train_addresses.of_person(desk, "example.org", "ann")
    mine, forged, strangers = ask(
        desk, found.spam, found.spam.replace("ann=", "bob="), "spam@train.example.org"
    )
    assert ("taken", "spam, by ann@example.org: would be learnt") == (mine.fate, mine.reason)
    assert not mine.routes
    assert ["550 5.7.1"] * 2 == [forged.reply, strangers.reply]
    (nobody,) = ask(desk, "spam@train.example.com")
    assert "relaying" == nobody.plugin
    assert not (desk.data_dir / "learn").exists()
