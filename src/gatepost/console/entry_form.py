"""What a form says of a list entry, and the filters of a list that stand in its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Query

from gatepost.console.auth import Here
from gatepost.console.journal_form import moment
from gatepost.desk.deciding import Asked
from gatepost.desk.lists import Wanted

LONGEST = 320
Text = Annotated[str, Query(max_length=LONGEST)]


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for, as it was typed; "" asks for nothing."""

    q: Text = ""
    kind: Text = ""
    check: Text = ""
    """A check's name; `-`: entries that hold for all checks."""

    @property
    def any(self) -> bool:
        """Return whether something is asked for."""
        return bool(self.q.strip() or self.kind or self.check)

    def address(self, after: int) -> str:
        """Return the query of the page behind an entry."""
        said = {one.name: getattr(self, one.name).strip() for one in fields(self)}
        return "?" + urlencode({name: value for name, value in said.items() if value} | {"after": after})

    def wanted(self, after: int | None) -> Wanted:
        """Return what is asked of the desk."""
        return Wanted(self.q.strip(), self.kind, self.check, after)


@dataclass(frozen=True, slots=True)
class Question:
    """Which entry decides about these? As it was typed."""

    client: Text = ""
    sender: Text = ""
    host: Text = ""
    helo: Text = ""
    mailbox: Text = ""
    proven: Text = ""

    @property
    def asked(self) -> Asked:
        """Return it as the desk is asked."""
        return Asked(self.client, self.sender, self.host, self.helo, self.mailbox, self.proven == "on")


def read(here: Here, form: Mapping[str, str]) -> dict[str, Any]:
    """Return what a form says besides kind and entry, as `desk.lists.add` takes it."""
    expires = form.get("expires", "").strip()
    return {
        "expires": moment(here, expires) or expires or None,
        "note": form.get("note", "").strip(),
        "verified": form.get("verified") == "on",
        "locked": form.get("locked") == "on" and here.is_admin,
    }


Filtered = Annotated[Filters, Depends()]
Questioned = Annotated[Question, Depends()]
