"""One-time codes: kept when a code was shown, good once, switched off by oneself or an administrator."""

from pathlib import Path

import pyotp
import pytest

from gatepost.desk import codes, sessions, users
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError
from gatepost.desk.sessions import SignInError

SECRET = "correct horse"
NOW = 1_800_000_000.0


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return ann's desk; she is an owner."""
    made = Desk(tmp_path, "root", clock=lambda: NOW)
    users.add(made, "ann", SECRET, "owner")
    return Desk(tmp_path, "ann", admin=False, clock=lambda: NOW)


def sign_in(desk: Desk, code: str) -> str:
    """Sign in with the right password."""
    return sessions.sign_in(desk, "ann", SECRET, code, "127.0.0.1")


def test_on_and_off(desk: Desk) -> None:
    """From then on a code is asked for; the one that was shown is used up; a recovery code is good once."""
    secret = codes.begin()
    with pytest.raises(DeskError, match="wrong"):
        codes.confirm(desk, "ann", secret, "000000")
    assert not users.get(desk, "ann").has_totp
    shown = pyotp.TOTP(secret).at(int(NOW))
    recovery = codes.confirm(desk, "ann", secret, shown)
    assert users.get(desk, "ann").has_totp
    assert 10 == len(set(recovery))
    for wrong in ("", shown):
        with pytest.raises(SignInError):
            sign_in(desk, wrong)
    assert sign_in(desk, pyotp.TOTP(secret).at(int(NOW) + 30))
    assert sign_in(desk, recovery[3])
    with pytest.raises(SignInError):
        sign_in(desk, recovery[3])
    codes.switch_off(desk, "ann")
    assert sign_in(desk, "")


def test_others(desk: Desk) -> None:
    """Only an administrator switches off another's; no secret of ours is no fault of ours."""
    with pytest.raises(DeskError):
        codes.switch_off(Desk(desk.data_dir, "eve", admin=False), "ann")
    codes.switch_off(Desk(desk.data_dir, "root"), "ann")
    with pytest.raises(DeskError):
        codes.confirm(desk, "ann", "not base 32!", "123456")


def test_uri() -> None:
    """What an authenticator reads."""
    assert f"otpauth://totp/mx.example.org:ann?secret={'A' * 32}&issuer=mx.example.org" == (
        codes.uri("ann", "A" * 32, "mx.example.org")
    )
