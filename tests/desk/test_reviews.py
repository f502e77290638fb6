"""A refused sender asks once; what the owner decides is done by what there is already, and written down."""

from __future__ import annotations

import pytest

from gatepost.desk import changes, domains, lists, reviews
from gatepost.desk.desk import Desk
from gatepost.desk.errors import Conflict, DeskError, NotFound
from gatepost.desk.reviews import MAX_CONTACT, MAX_LINES, MAX_TEXT, BadContact, Enough, plain
from gatepost.spool.index import Kept
from gatepost.store.reviews_db import ReviewRow
from tests.cost import assert_cheap
from tests.desk.conftest import Clock
from tests.desk.refused import SESSION, refuse

HERE = "192.0.2.77"


@pytest.fixture(autouse=True)
def shown(desk: Desk) -> None:
    """The domain shows such pages."""
    domains.set_values(desk, "example.org", {"why.page": True})


def keep(desk: Desk, recipient: str = "ann@example.org", plugin: str = "dnsbl") -> str:
    """Keep a copy of the refused mail."""
    domain = recipient.rpartition("@")[2]
    copy = Kept(
        f"{SESSION}.1", desk.clock(), "mia@partner.example", recipient, domain, "192.0.2.9", "", "", "r",
        plugin, "rejected", False, 0.0, "s", "<1@x>", 5,
    )  # fmt: skip
    return desk.archive.keep(copy, [b"x: y\r\n\r\nhi\r\n"])


def asked(desk: Desk, to: str = "ann@example.org", **more: str) -> ReviewRow:
    """Ask for a review of a refusal; returns the request."""
    reviews.ask(desk, refuse(desk, to, **more), HERE, "mia@partner.example", "It was the offer")
    (request, *_) = reviews.listing(desk, None)
    return request


def queued(desk: Desk) -> set[str]:
    """Return to whom something waits in the queue."""
    return {one.recipients[0].address for one in desk.queue.list()}


# -- asking -----------------------------------------------------------------------------------


def test_asked_once(desk: Desk) -> None:
    """What was written is kept with its refusal; a second request is none, whatever it says."""
    token = refuse(desk)
    reviews.ask(desk, token, "2001:db8::7", " Mia@Partner.Example ", "It was\r\n\r\n the offer ")
    (one,) = reviews.listing(desk, ["example.org"])
    assert ("example.org", f"{SESSION}.1", "ann@example.org") == (one.domain, one.mail, one.recipient)
    assert ("mia@partner.example", "dnsbl", "2001:db8::/64") == (one.sender, one.plugin, one.network)
    assert ("Mia@Partner.Example", "It was\nthe offer") == (one.contact, one.text)
    with pytest.raises(Conflict):
        reviews.ask(desk, token.lower(), "192.0.2.5", "", "")
    assert 1 == reviews.waiting(desk, ["example.org"]) == reviews.waiting(desk, None)
    assert 0 == reviews.waiting(desk, ["other.example"])


def test_no_token_no_request(desk: Desk) -> None:
    """Made up, or of a domain that shows no page (any more)."""
    token = refuse(desk)
    with pytest.raises(NotFound):
        reviews.ask(desk, token[:-1], HERE, "", "")
    domains.set_values(desk, "example.org", {"why.page": False})
    with pytest.raises(NotFound):
        reviews.ask(desk, token, HERE, "", "")
    assert [] == reviews.listing(desk, None)


def test_so_many_a_day(desk: Desk, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """One network asks a few times, a domain is asked some more; the next day there is room again."""
    monkeypatch.setattr(reviews, "PER_DOMAIN", 7)
    tokens = [refuse(desk, session=f"3479ACDEFH3{letter}3") for letter in "ACDEFHJKM"]
    for token in tokens[: reviews.PER_NETWORK]:
        reviews.ask(desk, token, HERE, "", "")
    with pytest.raises(Enough):
        reviews.ask(desk, tokens[5], HERE, "", "")
    reviews.ask(desk, tokens[5], "192.0.2.78", "", "")
    reviews.ask(desk, tokens[6], "192.0.2.79", "", "")
    with pytest.raises(Enough):
        reviews.ask(desk, tokens[7], "192.0.2.80", "", "")
    clock.now += 86_401
    reviews.ask(desk, tokens[7], HERE, "", "")


@pytest.mark.parametrize(
    "contact",
    ["x", "a@b@c", "ann@example.org\r\nBcc: x@y", '"a b"@x.example', "<script>@x.example", "\x00@x.example",
     "a" * 300 + "@x.example", "a@" + "b." * 200 + "example"],
)  # fmt: skip
def test_a_bad_contact(desk: Desk, contact: str) -> None:
    """What is no usual address is said, and nothing is kept."""
    with pytest.raises(BadContact):
        reviews.ask(desk, refuse(desk), HERE, contact, "")
    assert [] == reviews.listing(desk, None)


def test_plain() -> None:
    """Lines of what can be seen; bounded in each direction, in linear time."""
    assert "a b\nc" == plain("a\x00 \x1b b\r\n \r\n\u202ec\u2066\r")
    assert "" == plain(" \n\t\r\n")
    assert MAX_LINES == len(plain("x\n" * 500).split("\n"))
    assert MAX_TEXT == len(plain("x" * 1_000_000))
    for hostile in ("\n" * 2_000_000, "\u202e" * 2_000_000, " x" * 1_000_000):
        assert_cheap(0.2, plain, hostile)
    assert MAX_CONTACT < MAX_TEXT


# -- what is known ----------------------------------------------------------------------------


def test_about(desk: Desk, clock: Clock) -> None:
    """The refusal, what is kept of the mail for this domain and check, and the entry that would help."""
    request = asked(desk)
    one = reviews.about(desk, request)
    assert one.row is not None
    assert ("dnsbl", None, 0, "mia@partner.example") == (one.row.plugin, one.kept, one.others, one.entry)
    keep(desk)
    keep(desk, "bob@example.org")
    keep(desk, "eve@example.org", plugin="classifier")
    keep(desk, "you@other.example")
    one = reviews.about(desk, request)
    assert one.kept is not None
    assert ("ann@example.org", 1) == (one.kept.recipient, one.others)
    clock.now += 40 * 86_400
    desk.journal.prune(clock.now, lambda _domain: 30)
    gone = reviews.about(desk, request)
    assert (None, "") == (gone.row, gone.entry)


def test_a_rewritten_recipient(desk: Desk) -> None:
    """A counted address: the copy is kept for the mailbox behind it, and is that request's own."""
    ref = keep(desk, "ann@example.org")
    one = reviews.about(desk, asked(desk, "word.5.ann@example.org", archive_ref=ref))
    assert one.kept is not None
    assert (ref, 0) == (one.kept.ref, one.others)


def test_nothing_leads_past_what_is_not_there(desk: Desk) -> None:
    """An unknown recipient, a bounce: no entry for the sender helps."""
    assert "" == reviews.about(desk, asked(desk, plugin="recipients")).entry
    assert "" == reviews.about(desk, asked(desk, session="3479ACDEFH340", sender="")).entry


# -- deciding ---------------------------------------------------------------------------------


def test_release(desk: Desk) -> None:
    """Everybody of the domain whom the same check refused gets it; it stands in the changes."""
    request = asked(desk)
    keep(desk)
    keep(desk, "bob@example.org")
    keep(desk, "eve@example.org", plugin="classifier")
    keep(desk, "you@other.example")
    done = reviews.decide(desk, "example.org", request.id, "release")
    assert ("released", "ann", desk.clock()) == (done.state, done.decided_by, done.decided)
    assert {"ann@example.org", "bob@example.org"} == queued(desk)
    assert [] == lists.show(desk, "example.org")
    (change, *_) = changes.listing(desk, "example.org")
    expected = f"review of the mail {SESSION}.1 for ann@example.org: released"
    assert (expected, "ann", "domain:example.org") == (changes.in_words(change), change.by, change.scope)
    assert not changes.can_be_undone(change)


def test_nothing_kept_nothing_released(desk: Desk) -> None:
    """It says so, and the request waits on."""
    request = asked(desk)
    with pytest.raises(DeskError, match="send again"):
        reviews.decide(desk, "example.org", request.id, "release")
    assert 1 == reviews.waiting(desk, ["example.org"])


def test_allow(desk: Desk) -> None:
    """The sender is let past that check from now on, and what was kept is released."""
    request = asked(desk)
    keep(desk)
    assert "allowed" == reviews.decide(desk, "example.org", request.id, "allow").state
    entry = lists.show(desk, "example.org")[0].entry
    assert ("allow", "mia@partner.example", "dnsbl") == (entry.kind, entry.value, entry.plugin)
    assert SESSION in entry.note
    assert {"ann@example.org"} == queued(desk)


def test_allow_what_no_entry_helps(desk: Desk) -> None:
    """A recipient that is not there."""
    request = asked(desk, plugin="recipients")
    with pytest.raises(DeskError, match="no entry"):
        reviews.decide(desk, "example.org", request.id, "allow")
    assert 1 == reviews.waiting(desk, None)


def test_decline(desk: Desk) -> None:
    """Nothing else changes."""
    request = asked(desk)
    keep(desk)
    assert "declined" == reviews.decide(desk, "example.org", request.id, "decline").state
    assert set() == queued(desk)
    assert ([], 0) == (reviews.listing(desk, None), reviews.waiting(desk, None))
    (done,) = reviews.listing(desk, ["example.org"], waiting=False)
    assert request.id == done.id


def test_decided_once_and_by_whose_it_is(desk: Desk) -> None:
    """Who comes second is told who was first; another domain has no such request."""
    request = asked(desk)
    keep(desk)
    reviews.decide(desk, "example.org", request.id, "decline")
    with pytest.raises(Conflict, match="ann has decided before: declined"):
        reviews.decide(desk, "example.org", request.id, "release")
    assert set() == queued(desk)
    for domain, number in (("other.example", request.id), ("example.org", request.id + 1)):
        with pytest.raises(NotFound):
            reviews.decide(desk, domain, number, "decline")
    with pytest.raises(DeskError, match="none of release"):
        reviews.decide(desk, "example.org", request.id, "delete")


def test_asked_again_after_the_decision(desk: Desk) -> None:
    """One for each refusal, for good."""
    token = refuse(desk)
    request = asked(desk)
    reviews.decide(desk, "example.org", request.id, "decline")
    with pytest.raises(Conflict):
        reviews.ask(desk, token, HERE, "", "")
