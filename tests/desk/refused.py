"""A refusal in the journal of a desk, and the token that its sender was given."""

from __future__ import annotations

import json
from typing import Any

from gatepost.desk.desk import Desk
from gatepost.desk.secret import installation_secret
from gatepost.mail.why import make
from gatepost.store.journal_lines import outcome_line, session_line
from gatepost.store.journal_writer import JournalWriter

SESSION = "3479ACDEFH347"
SENTENCE = "Your address is on a block list"
PRIVATE = "zen.test knows the client"


def refuse(
    desk: Desk,
    to: str = "ann@example.org",
    *,
    session: str = SESSION,
    fate: str = "rejected",
    plugin: str = "dnsbl",
    sender: str = "mia@partner.example",
    **more: Any,
) -> str:
    """Write a refusal down as the gateway does; returns the token."""
    domain = to.rpartition("@")[2]
    trace = [[plugin, "rcpt", "reject", 1.0, PRIVATE], ["reply", "", "told", 0, SENTENCE]]
    values: dict[str, Any] = {
        "reason": PRIVATE,
        "code": 550,
        "subject": "A secret",
        "trace": json.dumps(trace),
    } | more
    writer = JournalWriter(desk.data_dir, "test", clock=desk.clock)
    line = outcome_line(f"{session}.1", domain, to, sender, "192.0.2.9", fate, plugin, **values)
    writer.add(line)
    writer.add(
        session_line(session, "192.0.2.9", "mail.partner.example", "mail.partner.example", "", "quit", 1)
    )
    writer.close()
    return make(installation_secret(desk.data_dir), f"{session}.1", domain, to)
