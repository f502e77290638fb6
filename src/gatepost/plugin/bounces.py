"""Facts that the checks of bounces tell each other. Who tells one and who needs one has `Scope.RECIPIENT`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BatvTag:
    """The recipient was named with a BATV tag (`prvs=...=local@domain`): did one of our keys sign it?

    `bounce` tells it in `rcpt`, for each recipient that had a tag and for no other. A valid tag
    proves that the mail answers one that we sent, so no other check of bounces need refuse it.
    """

    valid: bool
    reason: str
    """In words, for the owner: `signed on day 123 with key 0`, `expired`, `no key 3`."""
