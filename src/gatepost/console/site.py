"""What a console is made of: values that the app hands in, since a room cannot see the configuration."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gatepost.desk.desk import Desk


class Person(Protocol):
    """Whoever is signed in; `gatepost.desk.users.User` is one."""

    @property
    def name(self) -> str:
        """The name to sign in with."""

    @property
    def role(self) -> Any:
        """`admin`, `owner` or `reader`."""

    @property
    def domains(self) -> Sequence[str]:
        """The domains that were given to an owner or reader."""

    @property
    def language(self) -> str:
        """`en`, `de`; "" is the browser's."""

    @property
    def zone(self) -> str:
        """`Europe/Berlin`; "" is the browser's."""


class Visit(Protocol):
    """One session of a person; `gatepost.desk.sessions.Session` is one."""

    @property
    def id(self) -> str:
        """Names the session; not the token."""

    @property
    def user(self) -> Person:
        """Who it is."""


class Accounts(Protocol):
    """How people sign in; the module `gatepost.desk.sessions` keeps this promise."""

    def sign_in(self, desk: Desk, name: str, password: str, code: str, client: str, agent: str = "") -> str:
        """Return the token for the cookie; raises a DeskError that has `code` and `retry_after`."""

    def who(self, desk: Desk, token: str) -> Visit | None:
        """Return the session, None for one that is unknown, ended or too old."""

    def sign_out(self, desk: Desk, token: str) -> None:
        """End the session."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process of this machine."""

    name: str
    """`w0`, `keeper`, ..."""
    pid: int
    version: int
    """The policy that it uses now."""


def no_bearer(_desk: Desk, _token: str) -> Visit | None:
    """Know no token."""
    return None


@dataclass(frozen=True, slots=True)
class Site:
    """One console."""

    desk_for: Callable[[str, bool], Desk]
    """(who asks, is he an administrator) -> a desk of his own; whoever takes it closes it."""
    accounts: Accounts
    hostname: str
    public_url: str = ""
    """As people reach us from outside; https there makes cookies secure."""
    bearer: Callable[[Desk, str], Visit | None] = no_bearer
    """(desk, token) -> whose token it is, with the rights that it has; None for one that is not known."""
    processes: Callable[[], list[Process]] = list
    first_step: Callable[[], str] = str
    """What to type on the machine as long as there is no administrator; "" when there is one."""
    clock: Callable[[], float] = time.time

    @property
    def secure(self) -> bool:
        """True where browsers come over TLS only."""
        return self.public_url.startswith("https://")
