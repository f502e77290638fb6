"""One-time codes (RFC 6238) as a second thing that somebody needs to sign in: set up, switched off.

The secret is kept once a code of it was shown, so that nobody locks himself out; recovery codes, each
good once, are shown then and kept as digests.
"""

from __future__ import annotations

import re
import secrets

from gatepost.desk import users
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError
from gatepost.desk.passwords import LETTERS
from gatepost.desk.sessions import STEP, digest

SECRET = re.compile(r"[A-Z2-7]{32}")
"""What `begin` makes."""
RECOVERY = 10
"""Recovery codes of one person."""
RECOVERY_LENGTH = 12


def begin() -> str:
    """Return a new secret, base 32; nothing is kept yet."""
    import pyotp

    return pyotp.random_base32()


def uri(name: str, secret: str, issuer: str) -> str:
    """Return what an authenticator reads from a QR code."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)


def confirm(desk: Desk, name: str, secret: str, code: str) -> list[str]:
    """Keep a secret that an authenticator has (it shows the right code); returns the recovery codes."""
    import pyotp

    typed = code.replace(" ", "")
    step = int(desk.clock()) // STEP
    if not SECRET.fullmatch(secret):
        raise DeskError("that is no secret of ours; begin again")
    good = [
        at
        for at in (step - 1, step, step + 1)
        if secrets.compare_digest(pyotp.TOTP(secret).at(at * STEP).encode(), typed.encode())
    ]
    if not good:
        raise DeskError("that code is wrong: is the clock of the authenticator right?")
    made = ["".join(secrets.choice(LETTERS) for _ in range(RECOVERY_LENGTH)) for _ in range(RECOVERY)]
    users.get(desk, name)
    desk.accounts.change(
        name, {"totp": secret, "totp_step": good[0], "recovery": [digest(one) for one in made]}
    )
    desk.policy.note("user", {"name": name}, {"name": name, "one-time codes": "on"}, desk.by)
    return made


def switch_off(desk: Desk, name: str) -> None:
    """Let somebody in without a code again: for himself, or by an administrator."""
    if desk.by != name and not desk.admin:
        raise DeskError("only administrators do that for others")
    users.get(desk, name)
    desk.accounts.change(name, {"totp": "", "totp_step": 0, "recovery": []})
    desk.policy.note("user", {"name": name}, {"name": name, "one-time codes": "off"}, desk.by)
