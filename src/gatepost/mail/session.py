"""Facts about one connection: who is there, what it said, how it came.

Facts are recorded by the server as they become known; checks only read them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Session:
    """One SMTP session, from accept to close."""

    id: str
    client: str
    """Address of the client, IPv4-mapped IPv6 written as IPv4; after PROXY or XCLIENT the true client."""
    port: int = 0
    started: float = 0.0
    """Seconds since 1970."""
    listener: str = "smtp"
    local: str = ""
    """Our own address and port as text, `127.0.0.1:2525`."""
    helo: str = ""
    esmtp: bool = False
    early: bool = False
    """The client talked before the greeting."""
    tls: str = ""
    """Protocol and cipher, "" in clear text."""
    proxied: str = ""
    """The peer that handed the session over by PROXY or XCLIENT, "" if none."""
    host: str | None = None
    """rDNS name (PTR), None while nobody asked or there is none."""
    host_confirmed: bool = False
    """The PTR name resolves back to the client."""
    host_others: tuple[tuple[str, bool], ...] = ()
    """Further PTR names, each with whether it resolves back to the client."""
    host_near: bool = False
    """A PTR name resolves to a neighbour of the client: the same IPv4 /24 or IPv6 /64."""
    host_unsure: bool = False
    """A name could not be resolved for a moment, so "not confirmed" is not certain."""
    host_known: bool = False
    """The look-up was made (and did not fail for a moment)."""
    transactions: int = 0
    errors: int = 0
    refused: str = ""
    """Why the machine's own checks last refused a MAIL of it: nobody was named, so no outcome says it."""
    refusals: int = 0
    """How often they did."""
    facts: dict[type, Any] = field(default_factory=dict)
    """Typed facts that plugins told each other and that hold for the session."""
    answers: dict[Any, Any] = field(default_factory=dict)
    """Memory of plugin answers of the scopes that live with the session (gatepost.plugin.pipeline)."""

    @property
    def host_names(self) -> tuple[tuple[str, bool], ...]:
        """All PTR names, the best first, each with whether it resolves back to the client."""
        return ((self.host, self.host_confirmed), *self.host_others) if self.host else ()

    def know_host(
        self, names: tuple[tuple[str, bool], ...], near: bool = False, unsure: bool = False
    ) -> None:
        """Record what the look-up of the client's names gave; no names: it has none."""
        self.host, self.host_confirmed = names[0] if names else (None, False)
        self.host_others = names[1:]
        self.host_near = near
        self.host_unsure = unsure
        self.host_known = True

    def refuse(self, why: str) -> None:
        """Record that a MAIL was refused."""
        self.refused = why
        self.refusals += 1

    def forget_host(self) -> None:
        """The client is another one: nobody has looked it up."""
        self.know_host(())
        self.host_known = False
