"""A token finds its own refusal as long as its domain shows it; everything else is the same nothing."""

from __future__ import annotations

import pytest

from gatepost.desk import domains, why
from gatepost.desk.desk import Desk
from gatepost.desk.errors import NotFound
from gatepost.desk.secret import installation_secret
from gatepost.mail.why import make
from tests.desk.conftest import Clock
from tests.desk.refused import SENTENCE, SESSION, refuse


@pytest.fixture(autouse=True)
def shown(desk: Desk) -> None:
    """The domain shows such pages; another one does not."""
    domains.set_values(desk, "example.org", {"why.page": True})
    domains.add(desk, "off.example", ["smtp://192.0.2.1"])


def nothing(desk: Desk, token: str) -> bool:
    """Say whether a token finds nothing, in the words that all others get."""
    with pytest.raises(NotFound) as told:
        why.find(desk, token)
    return str(told.value) == "there is no such refusal"


def test_its_own_refusal(desk: Desk) -> None:
    """What the reply said, for the recipient whose reply it was; in small letters too."""
    ann = refuse(desk)
    bob = refuse(desk, "bob@example.org", plugin="recipients")
    for token in (ann, ann.lower()):
        one = why.find(desk, token)
        assert (SESSION, "dnsbl", SENTENCE) == (one.id, one.check, one.sentence)
        assert "ann@example.org" == one.row.recipient
    assert "bob@example.org" == why.find(desk, bob).row.recipient


def test_the_sentence_may_be_gone(desk: Desk) -> None:
    """A row whose trace is not there has its check all the same."""
    one = why.find(desk, refuse(desk, trace=""))
    assert ("dnsbl", "") == (one.check, one.sentence)


def test_what_is_nothing(desk: Desk, clock: Clock) -> None:
    """Made up, another domain's, a mail that came in, forgotten, switched off, hosted no longer."""
    token = refuse(desk)
    secret = installation_secret(desk.data_dir)
    assert nothing(desk, token[:-1] + ("0" if token[-1] != "0" else "1"))
    assert nothing(desk, SESSION)
    assert nothing(desk, make(secret, "3479ACDEFH340.1", "example.org", "ann@example.org"))
    assert nothing(desk, make(secret, f"{SESSION}.2", "example.org", "ann@example.org"))
    assert nothing(desk, make(secret, SESSION, "example.org", "ann@example.org"))
    assert nothing(desk, make(secret, f"{SESSION}.1", "example.org", "eve@example.org"))
    assert nothing(desk, refuse(desk, "you@off.example"))
    assert nothing(desk, refuse(desk, session="3479ACDEFH341", fate="accepted"))
    assert nothing(desk, refuse(desk, session="3479ACDEFH343", fate="deferred"))
    assert why.find(desk, token)
    clock.now += 31 * 86_400
    assert nothing(desk, token)
    clock.now -= 31 * 86_400
    domains.set_values(desk, "example.org", {"why.page": False})
    assert nothing(desk, token)
    domains.set_values(desk, "example.org", {"why.page": True})
    assert why.find(desk, token)
    domains.remove(desk, "example.org")
    assert nothing(desk, token)


def test_made_up_tokens_never_reach_the_journal(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """So nobody learns from the time that it takes whether there is such an id."""
    refuse(desk)
    looked: list[str] = []
    monkeypatch.setattr(why, "explain", lambda _desk, typed: looked.append(typed))
    assert nothing(desk, f"{SESSION}.1-" + "0" * 24)
    assert [] == looked
