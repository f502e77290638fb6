"""Passkeys: a challenge is ours, for one purpose, young, and good once; nonsense is never our fault."""

import base64
import json
from pathlib import Path

import pytest

from gatepost.desk import passkeys, users
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.desk.passkeys import Party
from gatepost.desk.sessions import SignInError
from gatepost.store.passkeys_db import PasskeyRow
from tests.desk.conftest import Clock

PARTY = Party("console.example", "https://console.example")


@pytest.fixture
def desk(tmp_path: Path, clock: Clock) -> Desk:
    """Return a desk with ann."""
    made = Desk(tmp_path, "ann", clock=clock)
    users.add(made, "ann", "correct horse", "owner")
    return made


def answer(challenge: bytes, id: str = "AAAA") -> str:  # noqa: A002 - the field's name
    """Return what a device would send, without a signature that holds."""
    said = json.dumps(
        {"type": "webauthn.get", "challenge": _text(challenge), "origin": "https://console.example"}
    )
    part = {"clientDataJSON": _text(said.encode()), "authenticatorData": "AA", "signature": "AA"}
    return json.dumps({"id": id, "rawId": id, "type": "public-key", "response": part})


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_a_challenge_is_good_once(desk: Desk) -> None:
    """The second time it is refused, whatever it signs."""
    sent = passkeys.challenge(desk, "sign in")
    assert sent == passkeys._answered(desk, "sign in", answer(sent))
    with pytest.raises(DeskError, match="used already"):
        passkeys._answered(desk, "sign in", answer(sent))


def test_for_one_purpose_and_young(desk: Desk, clock: Clock) -> None:
    """One for adding ann's does not sign in, nor add eve's; after five minutes it is nobody's."""
    sent = passkeys.challenge(desk, "add ann")
    for purpose in ("sign in", "add eve"):
        with pytest.raises(DeskError, match="took too long"):
            passkeys._answered(desk, purpose, answer(sent))
    clock.now += 301
    with pytest.raises(DeskError, match="took too long"):
        passkeys._answered(desk, "add ann", answer(sent))


@pytest.mark.parametrize(
    "credential", ["", "{}", "[]", "null", '{"id": 7}', '{"response": {"clientDataJSON": "?"}}', answer(b"x")]
)
def test_nonsense(desk: Desk, credential: str) -> None:
    """Is refused in the same words, for adding and for signing in."""
    with pytest.raises(SignInError, match="opens nothing here"):
        passkeys.sign_in(desk, credential, PARTY, "127.0.0.1")
    with pytest.raises(DeskError):
        passkeys.add(desk, "ann", "phone", credential, PARTY)


def test_a_signature_that_does_not_hold(desk: Desk) -> None:
    """Opens nothing, for a passkey that is kept and for one that is not."""
    desk.passkeys.add(PasskeyRow("AAAA", "ann", "phone", b"\1", 0, 1.0))
    for name in ("AAAA", "BBBB"):
        credential = answer(passkeys.challenge(desk, "sign in"), name)
        with pytest.raises(SignInError, match="opens nothing here"):
            passkeys.sign_in(desk, credential, PARTY, "127.0.0.1")
    with pytest.raises(DeskError, match="not what was asked for"):
        passkeys.add(desk, "ann", "x", answer(passkeys.challenge(desk, "add ann")), PARTY)


def test_remove(desk: Desk) -> None:
    """Only one's own."""
    desk.passkeys.add(PasskeyRow("AAAA", "ann", "phone", b"\1", 0, 1.0))
    with pytest.raises(NotFound):
        passkeys.remove(desk, "eve", "AAAA")
    passkeys.remove(desk, "ann", "AAAA")
    assert [] == passkeys.listing(desk, "ann")


def test_options(desk: Desk) -> None:
    """They name us, ask for user verification, and tell a stranger nothing of who is here."""
    desk.passkeys.add(PasskeyRow("AAAA", "ann", "phone", b"\1", 0, 1.0))
    asked = json.loads(passkeys.sign_in_options(desk, PARTY))
    assert ("console.example", "required", []) == (
        asked["rpId"], asked["userVerification"], asked.get("allowCredentials", []),
    )  # fmt: skip
    made = json.loads(passkeys.add_options(desk, "ann", PARTY))
    assert ["AAAA"] == [one["id"] for one in made["excludeCredentials"]]
