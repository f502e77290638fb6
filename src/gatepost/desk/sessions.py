"""Signing in: a password, a one-time code where it is set up, limits, and sessions that can be ended.

Tries are limited by account and by the client's network, and written down. A name that is not there
takes as long as a wrong password. When the store does not answer, nobody gets in (T9.1).
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from dataclasses import dataclass

from gatepost.desk import passwords
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.desk.users import NAME, User, user_of
from gatepost.store.accounts_db import LoginRow, PersonRow, SessionRow
from gatepost.store.base import StoreError

WINDOW = 900.0
"""Seconds in which failures are counted."""
PER_ACCOUNT, PER_NETWORK = 10, 50
"""Failures in the window from which the next try has to wait."""
IDLE, LONGEST = 24 * 3600.0, 30 * 86_400.0
"""Seconds after which a session ends: without use, and in any case."""
TOUCH = 60.0
STEP = 30
"""Seconds of one step of a one-time code (RFC 6238)."""


class SignInError(DeskError):
    """They do not get in; the text is for them."""

    def __init__(self, code: str, text: str, retry_after: float = 0.0) -> None:
        super().__init__(text)
        self.code = code
        """`wrong`, `code_needed`, `limited`, `unavailable`."""
        self.retry_after = retry_after
        """Seconds."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in."""

    id: str
    user: User
    since: float
    seen: float
    client: str
    agent: str = ""


def sign_in(desk: Desk, name: str, password: str, code: str, client: str, agent: str = "") -> str:
    """Begin a session; returns the token for the browser. SignInError says why not."""
    name = name.strip().lower()
    try:
        return _sign_in(desk, name if NAME.fullmatch(name) else "", password, code, client, agent)
    except passwords.Busy as error:
        raise SignInError("limited", str(error), passwords.WAIT) from error
    except StoreError as error:
        raise SignInError("unavailable", "signing in does not work now; try again in a moment") from error


def prove(desk: Desk, name: str, password: str, client: str) -> None:
    """Ask somebody who is signed in for the password again; counted and limited like signing in."""
    account, network = _keys(name, client)
    _limited(desk, name, client)
    person = desk.accounts.person(name)
    if person is None or not passwords.matches(person.password, password):
        desk.accounts.failed([account, network], desk.clock(), desk.clock() - WINDOW)
        _note(desk, name, client, "wrong")
        raise SignInError("wrong", "the password is wrong")


def who(desk: Desk, token: str) -> Session | None:
    """Return whose session a token names; None for one that is unknown, ended or too old."""
    row = desk.accounts.session(digest(token))
    if row is None:
        return None
    now = desk.clock()
    person = desk.accounts.person(row.name)
    if person is None or person.disabled or now - row.seen > IDLE or now - row.since > LONGEST:
        desk.accounts.end(row.id)
        return None
    if now - row.seen > TOUCH:
        desk.accounts.seen(row.id, now)
    return _session(row, person)


def sign_out(desk: Desk, token: str) -> None:
    """End the session of a token."""
    desk.accounts.end(digest(token))


def sessions_of(desk: Desk, name: str) -> list[Session]:
    """Return somebody's sessions, the last used first."""
    person = desk.accounts.person(name)
    return [] if person is None else [_session(row, person) for row in desk.accounts.sessions(name)]


def end(desk: Desk, name: str, session_id: str) -> None:
    """End one of somebody's sessions; NotFound where it is none of theirs."""
    if session_id not in {one.id for one in desk.accounts.sessions(name)}:
        raise NotFound("there is no such session")
    desk.accounts.end(session_id)


def end_all(desk: Desk, name: str, but: str = "") -> int:
    """End all of somebody's sessions but one; returns how many ended."""
    return desk.accounts.end_all(name, but)


def digest(text: str) -> str:
    """Return what is kept of a token or a recovery code."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def network_of(client: str) -> str:
    """Return the block of addresses that is counted together: an IPv4 address, an IPv6 /64."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return "unknown"
    address = getattr(address, "ipv4_mapped", None) or address
    return str(address) if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))


def code_matches(desk: Desk, person: PersonRow, code: str) -> bool:
    """Return whether it is the code of now, of a step beside it, or a recovery code; each is good once."""
    import pyotp

    code = code.replace(" ", "").replace("-", "").lower()
    if not code:
        return False
    step = int(desk.clock()) // STEP
    for at in (step, step - 1, step + 1):
        if secrets.compare_digest(pyotp.TOTP(person.totp).at(at * STEP), code):
            return desk.accounts.use_step(person.name, at)
    return desk.accounts.use_recovery(person.name, digest(code))


def _sign_in(desk: Desk, name: str, password: str, code: str, client: str, agent: str) -> str:
    now = desk.clock()
    account, network = _keys(name, client)
    _limited(desk, name, client)
    person = desk.accounts.person(name) if name else None
    good = passwords.matches(person.password if person is not None else passwords.nobodys(), password)
    if person is None or not good or person.disabled:
        desk.accounts.failed([account, network], now, now - WINDOW)
        _note(desk, name, client, "wrong")
        raise SignInError("wrong", "the name or the password is wrong")
    if person.totp:
        if not code.strip():
            raise SignInError("code_needed", "the code of your authenticator is needed too")
        if not code_matches(desk, person, code):
            desk.accounts.failed([account, network], now, now - WINDOW)
            _note(desk, name, client, "code")
            raise SignInError("code_needed", "that code is wrong, or was used already")
    desk.accounts.forgive(account)
    return begin_session(desk, name, client, agent)


def begin_session(desk: Desk, name: str, client: str, agent: str) -> str:
    """Begin a session of somebody who has shown who he is; returns the token for the browser."""
    _note(desk, name, client, "in")
    now = desk.clock()
    token = secrets.token_urlsafe(32)
    desk.accounts.begin(SessionRow(digest(token), name, now, now, client, agent[:200]))
    return token


def _keys(name: str, client: str) -> tuple[str, str]:
    return f"account {name}", f"network {network_of(client)}"


def _limited(desk: Desk, name: str, client: str) -> None:
    now = desk.clock()
    for key, most in zip(_keys(name, client), (PER_ACCOUNT, PER_NETWORK), strict=True):
        number, first = desk.accounts.failures(key, now - WINDOW)
        if number >= most:
            _note(desk, name, client, "limited")
            raise SignInError("limited", "too many tries; wait some minutes", first + WINDOW - now)


def _note(desk: Desk, name: str, client: str, outcome: str) -> None:
    desk.accounts.write_down(LoginRow(desk.clock(), name, client, outcome))


def _session(row: SessionRow, person: PersonRow) -> Session:
    return Session(row.id, user_of(person), row.since, row.seen, row.client, row.agent)
