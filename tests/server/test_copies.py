"""One reply for all copies: 250 when all are safe, 4xx while one is not, 5xx when all are refused."""

from __future__ import annotations

import pytest

from gatepost.mail.address import parse_address
from gatepost.mail.reply import Reply
from gatepost.mail.transaction import Recipient
from gatepost.mail.verdict import Score
from gatepost.plugin.bench import Bench
from gatepost.policy.decide import ACCEPTED, Fate, Finding, Outcome
from gatepost.policy.policy import Action, Mode
from gatepost.relay.results import Result
from gatepost.server.copies import Copy, added_subject, counts, fate_of, headers_of, replies_for, reply_for

ID = "0DQ3N7V5K2F8T.1"
DELIVERED = Result("delivered", 250, "2.0.0", "Ok", "back end", True)
LATER = Result("deferred", 451, "4.3.0", "full", "back end", True)
NO = Result("refused", 550, "5.1.1", "nobody", "back end", True)
REJECT = Outcome(Fate.REJECT, "dnsbl", "listed", "You are listed", 550, "5.7.1")
DEFER = Outcome(Fate.DEFER, "greylist", "new", "Come again", 451, "4.7.1")
HOLD = Outcome(Fate.QUARANTINE, "classifier", "spam")
OK = Reply(250, "2.6.0", "Ok")


def copy(
    outcome: Outcome = ACCEPTED, result: Result | None = None, kept: str = "", spooled: str = ""
) -> Copy:
    """Return ann's copy."""
    ann = parse_address("ann@example.org")
    return Copy(Recipient(ann, ann), outcome, kept, result, spooled)


MIXES = {
    "one delivered": ([copy(result=DELIVERED)], 250),
    "one refused by us": ([copy(REJECT)], 550),
    "one deferred by us": ([copy(DEFER)], 451),
    "one refused by its server": ([copy(result=NO)], 550),
    "one put off by its server": ([copy(result=LATER)], 451),
    "one held": ([copy(HOLD, kept="a")], 250),
    "one spooled": ([copy(result=LATER, spooled="id")], 250),
    "all refused": ([copy(REJECT), copy(result=NO)], 550),
    "refused and put off": ([copy(REJECT), copy(result=LATER)], 451),
    "delivered, the other kept": ([copy(result=DELIVERED), copy(REJECT, kept="a")], 250),
    "delivered, the other spooled": ([copy(result=DELIVERED), copy(result=LATER, spooled="id")], 250),
    "delivered, the other lost": ([copy(result=DELIVERED), copy(REJECT)], 451),
    "held, the other lost": ([copy(HOLD, kept="a"), copy(result=LATER)], 451),
}


@pytest.mark.parametrize(("copies", "code"), MIXES.values(), ids=MIXES.keys())
def test_one_reply(copies: list[Copy], code: int) -> None:
    """250 means that every copy is safe; the session's id stands in each reply."""
    (reply,) = replies_for(copies, ID, prdr=False)
    assert code == reply.code
    assert ID in reply.text


def test_prdr() -> None:
    """353, one reply for each in the order of RCPT, and a final one that is positive when any is."""
    copies = [copy(REJECT), copy(result=DELIVERED), copy(result=LATER)]
    assert [353, 550, 250, 451, 250] == [one.code for one in replies_for(copies, ID, prdr=True)]
    assert [353, 550, 451, 451] == [one.code for one in replies_for([copies[0], copies[2]], ID, prdr=True)]
    assert [353, 550, 550, 550] == [
        one.code for one in replies_for([copy(REJECT), copy(result=NO)], ID, prdr=True)
    ]
    assert [250] == [one.code for one in replies_for(copies[1:2], ID, prdr=True)]


def test_the_sender_hears_the_general_words() -> None:
    """Not which check decided, nor why."""
    assert f"You are listed ({ID})" == reply_for(copy(REJECT), ID).text
    assert (
        f"Not accepted here ({ID})" == reply_for(copy(Outcome(Fate.REJECT, "x", "secret", code=550)), ID).text
    )


@pytest.mark.parametrize(
    ("of", "final", "prdr", "fate"),
    [
        (copy(result=DELIVERED), OK, False, "accepted"),
        (copy(result=DELIVERED), Reply(451, "4.3.0", ""), False, "accepted"),
        (copy(REJECT), Reply(550, "5.7.1", ""), False, "rejected"),
        (copy(REJECT, kept="a"), OK, False, "quarantined"),
        (copy(REJECT, kept="a"), OK, True, "rejected"),
        (copy(REJECT), Reply(451, "4.3.0", ""), False, "deferred"),
        (copy(HOLD), OK, False, "quarantined"),
        (copy(Outcome(Fate.TAKE)), OK, False, "taken"),
        (copy(DEFER), Reply(451, "4.7.1", ""), True, "deferred"),
        (copy(result=NO, kept="a"), OK, False, "quarantined"),
        (copy(result=NO), Reply(550, "5.1.1", ""), False, "rejected"),
        (copy(result=LATER), OK, True, "deferred"),
        (copy(result=LATER, spooled="id"), OK, False, "queued"),
        (copy(result=LATER, spooled="id"), Reply(451, "4.3.0", "Later"), False, "deferred"),
        (copy(result=LATER, spooled="id"), Reply(451, "4.3.0", "Later"), True, "queued"),
        (copy(), OK, False, "accepted"),
    ],
)
def test_fate(of: Copy, final: Reply, prdr: bool, fate: str) -> None:
    """The journal says what became of the copy, which may be other than what the client heard."""
    assert fate == fate_of(of, final, prdr=prdr)


def test_what_uses_up_a_count() -> None:
    """What got in or can be released does; what was refused, or held for another's sake, does not."""
    assert [True, True, True] == [counts(copy(), fate) for fate in ("accepted", "queued", "taken")]
    assert (True, False) == (counts(copy(HOLD), "quarantined"), counts(copy(REJECT, kept="a"), "quarantined"))
    assert [False, False] == [counts(copy(), fate) for fate in ("rejected", "deferred")]


def test_headers() -> None:
    """A tagged copy says so; what checks add stands there too."""
    assert () == headers_of(ACCEPTED)
    tagged = Outcome(Fate.ACCEPT, tags=("dnsbl", "score"), headers=(("X-A", "b"),))
    assert (("X-A", "b"), ("X-Spam-Flag", "YES"), ("X-Gatepost-Tags", "dnsbl, score")) == headers_of(tagged)


def test_headers_of_points() -> None:
    """Score, threshold and the checks that gave points, as rules in mailboxes know them; folded."""
    plain = recipient_with(Score(4.5, "x"), Score(0, "nothing"))
    outcome = Outcome(Fate.ACCEPT, score=4.5)
    status = "No, score=4.5 required=5.0\r\n\ttests=CHECK0"
    assert (("X-Spam-Level", "****"), ("X-Spam-Status", status)) == headers_of(outcome, plain)
    marked = Outcome(Fate.ACCEPT, score=99.0, tags=("score",))
    found = dict(headers_of(marked, recipient_with(*[Score(9.0, "x")] * 11)))
    assert "YES" == found["X-Spam-Flag"]
    assert 50 == len(found["X-Spam-Level"])
    assert found["X-Spam-Status"].startswith("Yes, score=99.0 required=5.0\r\n\ttests=CHECK0,CHECK1,")
    assert all(len(line) <= 78 for line in found["X-Spam-Status"].split("\r\n"))
    assert () == headers_of(ACCEPTED, recipient_with(Score(0, "nothing"), None))


def recipient_with(*verdicts: Score | None) -> Recipient:
    """Return a recipient of whom as many checks said something."""
    address = parse_address("ann@example.org")
    policy = Bench([]).policy("example.org", {})
    said = [Finding(f"check{n}", "message", one, Mode.ON, Action.REJECT) for n, one in enumerate(verdicts)]
    return Recipient(address, address, policy=policy, findings=said)


def test_words_for_the_subject() -> None:
    """What checks add as Subject goes behind the one that is there, in their order."""
    assert "" == added_subject((("X-A", "b"),))
    assert "(a) (b)" == added_subject((("Subject", "(a)"), ("X-A", "b"), ("subject", "(b)")))
