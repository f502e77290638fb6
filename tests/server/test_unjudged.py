"""What waits in an envelope is enough to ask the checks again; what is not says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gatepost.mail.address import parse_address
from gatepost.mail.session import Session
from gatepost.mail.transaction import Recipient, Transaction
from gatepost.mail.verdict import Score
from gatepost.policy.decide import Finding
from gatepost.policy.policy import Action, Mode
from gatepost.server.unjudged import again, ours_of, unjudged
from gatepost.spool.envelope import Envelope, Rcpt, read_envelope

ANN = parse_address("ann@example.org")
FINDING = Finding("x", "rcpt", Score(2, "odd"), Mode.ON, Action.REJECT)


def envelope(*, known: bool = True) -> Envelope:
    """Return an envelope as it comes back from the disk."""
    session = Session("0DQ", "192.0.2.7", helo="c.example", started=5.0, esmtp=True, tls="TLS", early=True)
    if known:
        session.know_host((("c.example", True), ("d.example", False)))
    transaction = Transaction("0DQ.1", None, 5.0)
    dead = Finding("clamav", "message", None, Mode.ON, Action.DEFER, failure="dead")
    recipient = Recipient(parse_address("ann+x@example.org"), ANN, findings=[FINDING, dead], exempt=True)
    said = unjudged(session, transaction, recipient, 7)
    rcpt = (Rcpt("ann@example.org"),)
    whole = Envelope("e", "s@x.example", rcpt, 9.0, 9.0, client="192.0.2.7", helo="c.example",
                     session="0DQ.1", unjudged=said)  # fmt: skip
    return read_envelope(whole.as_json())


def test_as_it_was() -> None:
    """Client, names, sender, recipient as named and as meant, and what was said before."""
    copy = again(envelope())
    session = copy.session
    assert ("0DQ", "192.0.2.7", "c.example", True, "TLS", True, 5.0) == (
        session.id, session.client, session.helo, session.esmtp, session.tls, session.early, session.started,
    )  # fmt: skip
    assert (("c.example", True), ("d.example", False)) == session.host_names
    assert copy.transaction.sender is not None
    assert ("0DQ.1", "s@x.example") == (copy.transaction.id, copy.transaction.sender.text)
    recipient = copy.recipient
    assert ("ann+x@example.org", ANN, True) == (recipient.address.text, recipient.final, recipient.exempt)
    assert ([FINDING], ["clamav"], 7) == (copy.before, copy.unanswered, copy.ours)


def test_an_unknown_host() -> None:
    """Nobody had asked for its name: it is asked for then."""
    assert not again(envelope(known=False)).session.host_known


@pytest.mark.parametrize(
    "change",
    [
        {"to": 5}, {"to": "@"}, {"started": "x"}, {"hosts": 5}, {"findings": [{}]}, {"findings": 5},
        {"unanswered": 5}, {"ours": []},
    ],
)  # fmt: skip
def test_what_is_none(change: dict[str, Any]) -> None:
    """Only ValueError comes out."""
    one = envelope()
    with pytest.raises(ValueError, match=r"."):
        again(replace(one, unjudged={**(one.unjudged or {}), **change}))
    with pytest.raises(ValueError, match=r"."):
        again(replace(one, unjudged={}))


@pytest.mark.parametrize(
    ("said", "ours"), [({"ours": 7}, 7), ({}, 0), (None, 0), ({"ours": -1}, 0), ({"ours": "7"}, 0)]
)
def test_our_own_bytes(said: dict[str, Any] | None, ours: int) -> None:
    """What the envelope does not say cuts nothing off."""
    assert ours == ours_of(Envelope("e", None, (), 0.0, 0.0, unjudged=said))
