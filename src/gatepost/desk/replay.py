"""A mail of the journal as it can be asked about again, and a policy with something changed in it."""

from __future__ import annotations

from collections.abc import Callable

from gatepost.desk.desk import Desk
from gatepost.desk.trial import Mail
from gatepost.plugins.recipients import Recipients
from gatepost.policy.source import DomainRows, Everywhere, PolicySource, RecipientRow
from gatepost.store.base import OutcomeRow


def mail_of(desk: Desk, copies: list[OutcomeRow]) -> tuple[Mail, bool]:
    """Return the mail of these copies as it came, and whether its HELO name is known."""
    first = copies[0]
    explained = desk.journal.explain(first.id)
    session = explained.session if explained is not None else None
    helo = session.helo if session is not None else ""
    mail = Mail(
        raw=kept(desk, copies),
        sender=first.sender,
        recipients=tuple(row.recipient for row in copies),
        client=first.client,
        helo=helo,
        time=first.time,
        size=first.size,
    )
    return mail, bool(helo)


def kept(desk: Desk, copies: list[OutcomeRow]) -> bytes | None:
    """Return the bytes as received, None where they were not kept."""
    for row in copies:
        if row.archive_ref and desk.archive.exists(row.archive_ref):
            try:
                return b"".join(desk.archive.blocks(row.archive_ref))
            except OSError:
                continue  # damaged, or thrown out this moment
    return None


def existed(row: OutcomeRow) -> str:
    """Return what was known of the recipient then: `yes`, `no`, `unknown`."""
    if row.plugin != Recipients.name:
        return "yes"
    return {"rejected": "no", "deferred": "unknown"}.get(row.fate, "yes")


class Overlay:
    """The policy with one domain's rows changed: a `PolicySource`."""

    def __init__(self, below: PolicySource, domain: str, change: Callable[[DomainRows], DomainRows]) -> None:
        self._below = below
        self._domain = domain
        self._change = change

    def domain(self, name: str) -> DomainRows | None:
        """Return a domain's rows, changed where it is the one."""
        rows = self._below.domain(name)
        return rows if rows is None or name != self._domain else self._change(rows)

    def everywhere(self) -> Everywhere:
        """Return what is set for all domains."""
        return self._below.everywhere()

    def recipient(self, domain: str, local: str) -> RecipientRow | None:
        """Return what is known of a recipient."""
        return self._below.recipient(domain, local)

    def recipients_up_to(self, domain: str, limit: int) -> list[RecipientRow] | None:
        """Return all recipients of a domain, None if there are more."""
        return self._below.recipients_up_to(domain, limit)

    def first_domain(self) -> str | None:
        """Return the first domain."""
        return self._below.first_domain()
