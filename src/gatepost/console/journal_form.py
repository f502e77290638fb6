"""The journal's filters: what stands in the address, in the form, and what is asked of the store."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Query

from gatepost.console.auth import Here, at_domain
from gatepost.console.render import words_of
from gatepost.store.journal_search import Question

LONGEST = 320
Text = Annotated[str, Query(max_length=LONGEST)]


@dataclass(frozen=True, slots=True)
class Filters:
    """As they were typed; "" asks for nothing."""

    q: Text = ""
    """A text in any field, or an id."""
    domain: Text = ""
    fate: Text = ""
    check: Text = ""
    sender: Text = ""
    recipient: Text = ""
    client: Text = ""
    since: Text = ""
    """`2026-11-25T08:30` or `2026-11-25`, in the reader's zone."""
    until: Text = ""

    @property
    def any(self) -> bool:
        """Return whether something is asked for."""
        return any(getattr(self, one.name) for one in fields(self))

    @property
    def more(self) -> bool:
        """Return whether a filter is set that stands in the second row of the form."""
        return any((self.sender, self.recipient, self.client, self.since, self.until))

    def address(self, path: str, **further: object) -> str:
        """Return a page's address with these filters."""
        said = {one.name: getattr(self, one.name).strip() for one in fields(self)}
        said |= {name: str(value) for name, value in further.items()}
        query = urlencode({name: value for name, value in said.items() if value})
        return f"{path}?{query}" if query else path

    def question(self, here: Here, **further: int | None) -> Question:
        """Return what is asked of the store; NotHere for a domain that is not theirs."""
        domains = None if here.is_admin else here.names()
        if self.domain.strip():
            domains = [at_domain(here, self.domain.strip()).domain]
        return Question(
            domains,
            since=moment(here, self.since),
            until=moment(here, self.until),
            outcome=self.fate.strip() or None,
            plugin=self.check.strip() or None,
            sender=self.sender.strip(),
            recipient=self.recipient.strip(),
            client=self.client.strip(),
            text=self.q.strip() or None,
            **further,  # type: ignore[arg-type]
        )


def moment(here: Here, typed: str) -> float | None:
    """Return a time of the reader's zone as seconds since 1970; None for none."""
    try:
        return (
            datetime.fromisoformat(typed.strip())
            .replace(tzinfo=words_of(here.request, here).zone)
            .timestamp()
        )
    except (ValueError, OverflowError):
        return None


Filtered = Annotated[Filters, Depends()]
