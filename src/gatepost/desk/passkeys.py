"""Passkeys (WebAuthn): a key in somebody's device signs him in, without a password and a code.

What the device signs holds a challenge of ours: it names the purpose and the person, is good for five
minutes and once, and is ours because it is MAC'ed with the installation's secret, so nothing is kept of
one that never comes back. The device has to know its person (user verification), which makes it two
things at once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
from dataclasses import dataclass
from typing import Any

from gatepost.desk import users
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.desk.secret import installation_secret
from gatepost.desk.sessions import SignInError, begin_session
from gatepost.store.passkeys_db import PasskeyRow

VALID = 300
"""Seconds that a challenge is good for."""
MOST = 20
"""Passkeys of one person."""
LONGEST_LABEL = 100
NONCE, MAC = 16, 32

_used: dict[bytes, float] = {}
"""Challenges that came back, until they would be too old anyway. The console is one process."""
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Party:
    """Who we are for the device."""

    host: str
    """The host's name as the browser has it; never an address (WebAuthn has none)."""
    origin: str
    """`https://console.example.org`."""


def add_options(desk: Desk, name: str, party: Party) -> str:
    """Return what the browser asks the device for a new passkey (JSON)."""
    import webauthn
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    there = desk.passkeys.listing(name)
    if len(there) >= MOST:
        raise DeskError(f"{name} has {MOST} passkeys already; remove one first")
    options = webauthn.generate_registration_options(
        rp_id=party.host,
        rp_name=desk.hostname,
        user_name=name,
        user_id=hashlib.sha256(b"gatepost user " + name.encode()).digest(),
        challenge=challenge(desk, f"add {name}"),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=_bytes(one.id)) for one in there],
    )
    return webauthn.options_to_json(options)


def add(desk: Desk, name: str, label: str, credential: str, party: Party) -> PasskeyRow:
    """Keep the passkey that a device made; DeskError where it is not what was asked for."""
    import webauthn
    from webauthn.helpers.exceptions import WebAuthnException

    label = label.strip() or "passkey"
    if len(label) > LONGEST_LABEL or not label.isprintable():
        raise DeskError(f"a name has at most {LONGEST_LABEL} characters")
    users.get(desk, name)
    sent = _answered(desk, f"add {name}", credential)
    try:
        made = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=sent,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise DeskError("the device's answer is not what was asked for; try again") from error
    row = PasskeyRow(
        _text(made.credential_id), name, label, made.credential_public_key, made.sign_count, desk.clock()
    )
    if not desk.passkeys.add(row):
        raise DeskError("that passkey is kept already")
    desk.policy.note("user", {"name": name}, {"name": name, "passkey added": label}, desk.by)
    return row


def listing(desk: Desk, name: str) -> list[PasskeyRow]:
    """Return somebody's passkeys, the oldest first."""
    return desk.passkeys.listing(name)


def remove(desk: Desk, name: str, id: str) -> None:  # noqa: A002 - the field's name
    """Remove one of somebody's passkeys; NotFound where it is none of theirs."""
    if not desk.passkeys.remove(name, id):
        raise NotFound("there is no such passkey")
    desk.policy.note("user", {"name": name}, {"name": name, "passkey removed": id[:12]}, desk.by)


def sign_in_options(desk: Desk, party: Party) -> str:
    """Return what the browser asks any device for (JSON); it says nothing of who is known here."""
    import webauthn
    from webauthn.helpers.structs import UserVerificationRequirement

    options = webauthn.generate_authentication_options(
        rp_id=party.host,
        challenge=challenge(desk, "sign in"),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def sign_in(desk: Desk, credential: str, party: Party, client: str, agent: str = "") -> str:
    """Begin a session for whose passkey signed; returns the token for the browser."""
    import webauthn
    from webauthn.helpers.exceptions import WebAuthnException

    refused = SignInError("wrong", "that passkey opens nothing here")
    try:
        sent = _answered(desk, "sign in", credential)
        row = desk.passkeys.get(str(json.loads(credential)["id"]))
        if row is None:
            raise refused
        done = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=sent,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            credential_public_key=row.public_key,
            credential_current_sign_count=row.sign_count,
            require_user_verification=True,
        )
    except SignInError:
        raise
    except (WebAuthnException, DeskError, ValueError, KeyError, TypeError) as error:
        raise refused from error
    person = desk.accounts.person(row.name)
    if person is None or person.disabled:
        raise refused
    desk.passkeys.used(row.id, done.new_sign_count, desk.clock())
    return begin_session(desk, row.name, client, agent)


def challenge(desk: Desk, purpose: str) -> bytes:
    """Return a new challenge for one purpose."""
    head = secrets.token_bytes(NONCE) + int(desk.clock()).to_bytes(8, "big")
    return head + _mac(desk, purpose, head)


def _answered(desk: Desk, purpose: str, credential: str) -> bytes:
    """Return the challenge that a device signed, if it is ours, young, for this, and not used before."""
    try:
        whole: Any = json.loads(credential)
        said = json.loads(_bytes(whole["response"]["clientDataJSON"]))
        sent = _bytes(said["challenge"])
    except (ValueError, KeyError, TypeError) as error:
        raise DeskError("that is no answer of a device") from error
    head, mac = sent[: NONCE + 8], sent[NONCE + 8 :]
    now = desk.clock()
    age = now - int.from_bytes(head[NONCE:], "big")
    if not hmac.compare_digest(mac, _mac(desk, purpose, head)) or not -1 <= age <= VALID:
        raise DeskError("that took too long; try again")
    with _lock:
        for old in [one for one, at in _used.items() if at < now - VALID]:
            del _used[old]
        if sent in _used:
            raise DeskError("that was used already; try again")
        _used[sent] = now
    return sent


def _mac(desk: Desk, purpose: str, head: bytes) -> bytes:
    text = b"gatepost passkey\0" + purpose.encode() + b"\0" + head
    return hmac.digest(installation_secret(desk.data_dir), text, "sha256")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
