"""Signing in: codes once, limits by account and network, sessions that end; a broken store denies."""

from pathlib import Path

import pyotp
import pytest

from gatepost.desk import passwords, sessions, users
from gatepost.desk.desk import Desk
from gatepost.desk.errors import NotFound
from gatepost.desk.sessions import SignInError

SECRET = "correct horse"


class Clock:
    """A clock that is turned by hand."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return a clock."""
    return Clock()


@pytest.fixture
def desk(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Return a desk with two people; hashing costs nothing here."""
    monkeypatch.setattr(passwords, "hashed", lambda password: f"hash of {password}")
    monkeypatch.setattr(passwords, "matches", lambda kept, password: kept == f"hash of {password}")
    made = Desk(tmp_path, "root", clock=clock)
    users.add(made, "ann", SECRET, "admin")
    users.add(made, "bob", SECRET, "admin")
    return made


def refusal(
    desk: Desk, name: str = "ann", password: str = "no", code: str = "", client: str = "192.0.2.1"
) -> SignInError:
    """Return why signing in fails."""
    with pytest.raises(SignInError) as caught:
        sessions.sign_in(desk, name, password, code, client)
    return caught.value


def test_sign_in(desk: Desk, clock: Clock) -> None:
    """The token names the session; it is not what is kept."""
    token = sessions.sign_in(desk, " Ann ", SECRET, "", "192.0.2.1", "Firefox")
    session = sessions.who(desk, token)

    assert session is not None
    assert ("ann", "192.0.2.1", "Firefox", clock.now) == (
        session.user.name,
        session.client,
        session.agent,
        session.since,
    )
    assert token not in repr(desk.accounts.sessions("ann"))
    assert sessions.who(desk, session.id) is None
    sessions.sign_out(desk, token)
    assert sessions.who(desk, token) is None
    assert ["in"] == [one.outcome for one in users.logins(desk, "ann")]


def test_wrong(desk: Desk) -> None:
    """The same words and the same work for a wrong name as for a wrong password."""
    said = {str(refusal(desk, name)) for name in ("ann", "zoe", "no name at all", "' OR 1=1")}

    assert {"the name or the password is wrong"} == said
    assert "wrong" == refusal(desk).code


def test_limit_of_an_account(desk: Desk, clock: Clock) -> None:
    """After ten wrong tries, from wherever, the right password waits too; another account does not."""
    for n in range(sessions.PER_ACCOUNT):
        refusal(desk, client=f"192.0.2.{n}")
    limited = refusal(desk, password=SECRET, client="198.51.100.1")

    assert ("limited", True) == (limited.code, 0 < limited.retry_after <= sessions.WINDOW)
    assert sessions.sign_in(desk, "bob", SECRET, "", "192.0.2.1")
    clock.now += sessions.WINDOW + 1
    assert sessions.sign_in(desk, "ann", SECRET, "", "192.0.2.1")
    assert "limited" in {one.outcome for one in users.logins(desk, "ann")}


def test_limit_of_a_network(desk: Desk) -> None:
    """Many names from one place wait; an IPv6 /64 is one place."""
    for n in range(sessions.PER_NETWORK):
        refusal(desk, f"name{n}", client=f"2001:db8::{n:x}")

    assert "limited" == refusal(desk, "bob", SECRET, client="2001:db8::ffff").code
    assert sessions.sign_in(desk, "bob", SECRET, "", "2001:db8:0:1::1")
    assert "192.0.2.1" == sessions.network_of("::ffff:192.0.2.1")
    assert "unknown" == sessions.network_of("testclient")


def test_success_forgives(desk: Desk) -> None:
    """Who gets in begins to count anew."""
    for _ in range(3):
        for _ in range(sessions.PER_ACCOUNT - 1):
            refusal(desk)
        assert sessions.sign_in(desk, "ann", SECRET, "", f"192.0.2.{desk.accounts.failures('x', 0)[0] + 9}")


def test_one_time_codes(desk: Desk, clock: Clock) -> None:
    """With a code only, each once, a step early or late; recovery codes once."""
    totp = pyotp.random_base32()
    desk.accounts.change("ann", {"totp": totp, "recovery": (sessions.digest("abcd1234"),)})
    code = pyotp.TOTP(totp)
    assert "code_needed" == refusal(desk, password=SECRET).code
    assert "code_needed" == refusal(desk, password=SECRET, code="000000").code
    assert "wrong" == refusal(desk, code=code.at(clock.now)).code
    assert sessions.sign_in(desk, "ann", SECRET, code.at(clock.now), "192.0.2.1")
    assert "code_needed" == refusal(desk, password=SECRET, code=code.at(clock.now)).code
    clock.now += 60
    assert sessions.sign_in(desk, "ann", SECRET, code.at(clock.now - 30), "192.0.2.1")
    assert "code_needed" == refusal(desk, password=SECRET, code=code.at(clock.now - 90)).code
    assert sessions.sign_in(desk, "ann", SECRET, "ABCD-1234", "192.0.2.1")
    assert "code_needed" == refusal(desk, password=SECRET, code="abcd1234").code


def test_sessions_end(desk: Desk, clock: Clock) -> None:
    """After a day without use, after thirty days in any case, and when somebody says so."""
    token = sessions.sign_in(desk, "ann", SECRET, "", "192.0.2.1")
    for _ in range(30):
        clock.now += sessions.IDLE - 1
        assert sessions.who(desk, token)
    clock.now += 60
    assert sessions.who(desk, token) is None
    idle = sessions.sign_in(desk, "ann", SECRET, "", "192.0.2.1")
    clock.now += sessions.IDLE + 1
    assert sessions.who(desk, idle) is None
    first, second = (sessions.sign_in(desk, "ann", SECRET, "", "192.0.2.1") for _ in range(2))
    with pytest.raises(NotFound):
        sessions.end(desk, "bob", sessions.digest(first))
    sessions.end(desk, "ann", sessions.digest(first))
    assert [sessions.digest(second)] == [one.id for one in sessions.sessions_of(desk, "ann")]
    assert 1 == sessions.end_all(desk, "ann")
    assert [] == sessions.sessions_of(desk, "nobody")


def test_a_broken_store_denies(desk: Desk, tmp_path: Path) -> None:
    """A damaged file lets nobody in, and says that it does not work now (T9.1)."""
    desk.close()
    (tmp_path / "accounts.db").write_bytes(b"rubbish" * 1000)

    assert "unavailable" == refusal(Desk(tmp_path, "root"), password=SECRET).code
