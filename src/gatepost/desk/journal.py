"""The journal: search, follow, explain.

Whoever asks first brings in what the workers have written (two collectors do no harm), so that an
id that was given out a moment ago can be explained, also while no server runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.mail.ids import LENGTH, clean
from gatepost.store.base import OutcomeRow, SessionRow, StoreError

if TYPE_CHECKING:
    from gatepost.desk.steps import Step
    from gatepost.store.journal_db import JournalPage
    from gatepost.store.journal_search import Question

LOOK = 0.5
"""Seconds between two looks of somebody who follows."""
PAGE = 1000
FATES = ("accepted", "rejected", "deferred", "quarantined", "queued", "taken", "abandoned")

Rows = list[OutcomeRow]


@dataclass(frozen=True, slots=True)
class Explained:
    """One recipient's copy with what every check said."""

    row: OutcomeRow
    steps: list[Step]
    folded: bool
    """The trace was folded into that of a like refusal."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that is written down about one id."""

    id: str
    session: SessionRow | None
    session_steps: list[str]
    """What was noticed of the session as a whole."""
    outcomes: list[Explained]


def collect(desk: Desk) -> None:
    """Bring in what the workers wrote; where that cannot be (no rights), what is there is shown."""
    try:
        desk.journal.collect(desk.data_dir)
    except (StoreError, OSError):
        pass


def search(
    desk: Desk,
    domain: str | None = None,
    *,
    limit: int = 50,
    **asked: Any,
) -> Rows:
    """Return outcomes, the newest first; `asked` are fields of a `Question`."""
    collect(desk)
    found: Rows = []
    after: int | None = None
    while len(found) < limit:
        page = desk.journal.search(domain, after=after, limit=min(PAGE, limit - len(found)), **asked)
        if not page:
            break
        found += page
        after = page[-1].seq
    return found


def page(desk: Desk, asked: Question) -> JournalPage:
    """Return what is found in the time that people wait, the newest first, and where to go on."""
    collect(desk)
    return desk.journal.page(asked)


def follow(
    desk: Desk,
    domain: str | None = None,
    *,
    start: int | None = None,
    wait: Callable[[float], None] = time.sleep,
    **asked: Any,
) -> Iterator[OutcomeRow]:
    """Yield outcomes as they come, for ever; `asked` are fields of a `Question`.

    `start`: the `seq` behind which to begin, else now.
    """
    collect(desk)
    seen = desk.journal.last_seq() if start is None else start
    while True:
        page = desk.journal.search(domain, newer=seen, limit=PAGE, **asked)
        for row in page:
            seen = row.seq
            yield row
        if len(page) < PAGE:
            wait(LOOK)
            collect(desk)


def explain(desk: Desk, typed: str) -> Explanation:
    """Return every check of a session or transaction, by the id that stands in the SMTP reply."""
    from gatepost.desk.steps import of_trace  # a search does without

    wanted = clean(typed.strip().strip("()"))
    if wanted is None:
        raise DeskError(f"{typed!r} is no id; it has {LENGTH} letters and digits, as in the SMTP reply")
    collect(desk)
    found = desk.journal.explain(wanted)
    if found is None:
        raise NotFound(f"nothing is written down under {wanted} (a journal is kept for keep_days)")
    session = found.session
    noticed = [_noticed(row) for row in (session.steps if session is not None else None) or []]
    return Explanation(
        wanted,
        session,
        noticed,
        [Explained(row, of_trace(row.trace), bool(row.folded_into)) for row in found.outcomes],
    )


def _noticed(row: object) -> str:
    if isinstance(row, list) and len(row) >= 3:
        return f"{row[1]}: {row[2]}"
    return str(row)
