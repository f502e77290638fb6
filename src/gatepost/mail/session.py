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
    host_known: bool = False
    """The look-up was made (and did not fail for a moment)."""
    transactions: int = 0
    errors: int = 0
    facts: dict[type, Any] = field(default_factory=dict)
    """Typed facts that plugins told each other and that hold for the session."""
    answers: dict[Any, Any] = field(default_factory=dict)
    """Memory of plugin answers of the scopes that live with the session (gatepost.plugin.pipeline)."""
