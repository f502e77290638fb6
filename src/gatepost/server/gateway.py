"""What all sessions of one process share: policy in force, checks, journal, relay, archive, limits.

Built by `app` out of values; a session asks it for services and tells it what became of a mail.
Everything that is written down about a mail passes here, so that the count of sessions equals
the count of outcomes.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatepost.mail.address import Address
from gatepost.mail.headers import strip_headers
from gatepost.mail.ids import SessionIds
from gatepost.mail.message import Message
from gatepost.mail.reply import Reply
from gatepost.mail.session import Session
from gatepost.mail.transaction import Recipient, Transaction
from gatepost.plugin.pipeline import Pipeline
from gatepost.policy.decide import Outcome
from gatepost.policy.snapshot import Snapshot
from gatepost.relay.handoff import Relay, Result
from gatepost.relay.routes import Route, parse_route
from gatepost.server.body import Memory
from gatepost.smtp.server import Extensions, Limits, ServerProtocol
from gatepost.telemetry import metrics
from gatepost.telemetry.log import Log

if TYPE_CHECKING:
    from gatepost.config import Config
    from gatepost.server.board import Board
    from gatepost.server.intake import Intake
    from gatepost.spool.archive import Archive
    from gatepost.spool.queue import Queue
    from gatepost.store.journal_db import JournalWriter


@dataclass(slots=True)
class Live:
    """The snapshot in force: one assignment changes it for every later MAIL."""

    snapshot: Snapshot


class Gateway:
    """The services of one worker process."""

    def __init__(
        self,
        *,
        config: Config,
        loop: asyncio.AbstractEventLoop,
        column: Column,
        live: Live,
        pipeline: Pipeline,
        journal: JournalWriter,
        relay: Relay,
        archive: Archive,
        queue: Queue,
        log: Log,
        worker: int,
    ) -> None:
        # For the life of the process.
        self.config = config
        self.hostname = config.hostname
        self.loop = loop
        self.column = column
        self.live = live
        self.pipeline = pipeline
        self.relay = relay
        self._journal = journal
        self._archive = archive
        self._queue = queue
        self._log = log
        self.ids = SessionIds(worker, secrets.randbits(18))
        self.memory = Memory()
        self.scratch: Path = config.data_dir / "scratch"
        self.max_size: int = config.smtp.max_message_size
        self.final_reply = float(config.smtp.final_reply)
        self.own_mark = f"by {config.hostname} (Gatepost)".encode()
        self.limits = Limits(
            message=config.smtp.max_message_size,
            recipients=config.smtp.max_recipients,
            message_line=config.smtp.max_message_line,
        )
        self.shutting_down = Reply(421, "4.3.2", "Service is shutting down, try again later", close=True)
        self.trouble = Reply(421, "4.3.0", "Internal trouble, try again later", close=True)
        self._routes: dict[tuple[str, ...], list[Route]] = {}
        # As the process runs.
        self.tls: ssl.SSLContext | None = None
        self.extensions = Extensions(size=self.max_size, dsn=config.smtp.dsn)
        self.extensions_trusted = replace(self.extensions, xclient=True)
        self.overloaded = ""
        self.draining = False

    def offer_tls(self, context: ssl.SSLContext) -> None:
        """Offer STARTTLS with this certificate from the next session on."""
        self.tls = context
        self.extensions = replace(self.extensions, starttls=True)
        self.extensions_trusted = replace(self.extensions, xclient=True)

    def routes(self, urls: tuple[str, ...]) -> list[Route]:
        """Return the parsed routes of a policy (they were checked when they were set)."""
        routes = self._routes.get(urls)
        if routes is None:
            if len(self._routes) > 10_000:
                self._routes.clear()
            routes = self._routes[urls] = [parse_route(url) for url in urls]
        return routes

    def bare_postmaster(self, snapshot: Snapshot) -> Address | None:
        """Return whose postmaster a bare `postmaster` is: that of the hosted domain we are named after."""
        name = self.hostname
        while name:
            if snapshot.policy_for(name) is not None:
                return Address("postmaster", name, f"postmaster@{name}")
            name = name.partition(".")[2]
        first = snapshot.first_domain()
        return Address("postmaster", first, f"postmaster@{first}") if first else None

    def xclient(self, session: Session, attributes: dict[str, str]) -> Reply:
        """Take the true client from a peer in `xclient_from` (Postfix XCLIENT_README)."""
        session.proxied = session.proxied or session.client
        address = attributes.get("ADDR", "")
        if address:
            session.client = address
        name = attributes.get("NAME")
        if name is not None:
            session.host = name or None
            session.host_known = session.host_confirmed = bool(name)
        elif address:
            session.host = None
            session.host_known = session.host_confirmed = False
        session.helo = attributes.get("HELO", session.helo)
        session.answers.clear()
        session.facts.clear()
        return Reply(220, "", f"{self.hostname} ESMTP Gatepost")
