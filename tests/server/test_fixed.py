"""Replies that are the same for everybody, and what a check of the whole machine says."""

from __future__ import annotations

import pytest

from gatepost.mail.reply import Reply
from gatepost.mail.verdict import Defer, Reject
from gatepost.policy.decide import Fate, Outcome
from gatepost.server import fixed

EVERY = [value for value in vars(fixed).values() if isinstance(value, Reply | Outcome)]


@pytest.mark.parametrize("said", EVERY, ids=lambda one: f"{one.code} {one.enhanced}")
def test_codes_agree(said: Reply | Outcome) -> None:
    """The enhanced code begins with the class of the code (RFC 2034); 354 has none."""
    assert said.enhanced[:1] == ("" if said.code == 354 else str(said.code)[0])


def test_machine_refusals() -> None:
    """A check that acts for the whole machine keeps its code; who reads it gets a sentence in any case."""
    put_off = fixed.refusal(Defer("too many", "Slow down", 450, "4.7.1"))
    assert (Fate.DEFER, "client_rate", "Slow down", 450) == (
        put_off.fate,
        put_off.plugin,
        put_off.public,
        put_off.code,
    )
    refused = fixed.refusal(Reject("never", "", 554, "5.7.1"))
    assert (Fate.REJECT, "Try again later", 554) == (refused.fate, refused.public, refused.code)
