"""Whose settings a page shows: one domain's, or those of all domains."""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.console.auth import Here
from gatepost.console.render import words_of
from gatepost.console.rights import Right
from gatepost.console.text import Words, mark

ORIGINS = {
    "default": mark("default"),
    "all": mark("from all domains"),
    "domain": mark("set here"),
    "mailbox": mark("set for a mailbox"),
}
"""Where a value comes from, for people."""


@dataclass(frozen=True, slots=True)
class Place:
    """A domain, or (word None) all of them; `base` is where its pages of this kind stand."""

    here: Here
    word: str | None
    base: str

    @property
    def words(self) -> Words:
        """The reader's words."""
        return words_of(self.here.request, self.here)

    @property
    def may_change(self) -> bool:
        """Whether the switches are theirs to turn."""
        return self.here.may(self.word, Right.CHANGE)
