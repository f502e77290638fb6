"""Searching the journal from the newest row to the oldest, within a time that people wait for.

A search goes through stretches of `seq`, the newest first, until it has a page or its time is up; then
it says how far it came, and the next page goes on there. So a question that hardly any row answers
holds nobody up however long the journal is, and no index has to be paid for by every mail.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gatepost.store.journal_lines import (
    CLIENT_PATH,
    FATE_PATH,
    PLUGIN_PATH,
    RECIPIENT_PATH,
    SENDER_PATH,
    quoted,
)

MAX_PAGE = 1_000
BUDGET = 0.1
"""Seconds after which a search says how far it came."""
STRETCH = 10_000
"""Rows of the first stretch; it doubles while stretches are quick."""
QUICK = 0.01
LATE = 120.0
"""Seconds that a row may stand behind later ones: workers write one by one."""
NULL_SENDER = "<>"

RawRow = tuple[Any, ...]
"""seq, time, line, trace."""


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody looks for; empty texts ask for nothing."""

    domains: Sequence[str] | None = None
    """Only these; None is all, with mail for none of ours."""
    since: float | None = None
    until: float | None = None
    outcome: str | None = None
    plugin: str | None = None
    sender: str = ""
    """Part of an address, without case; `<>` is the null sender."""
    recipient: str = ""
    client: str = ""
    """How the address begins."""
    text: str | None = None
    """In any field."""
    after: int | None = None
    """Only rows before this `seq`: where the page before ended."""
    newer: int | None = None
    """Only rows behind this `seq`, the oldest first (for following)."""
    behind: int | None = None
    """The same, the newest first (for who only wants to see the last ones)."""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Sought:
    """A page of what was found."""

    rows: list[RawRow]
    after: int | None
    """Where the next page begins; None when there is nothing older."""
    whole: bool
    """False: time was up before the page was full; there may be more behind `after`."""


def seek(
    db: sqlite3.Connection,
    asked: Question,
    first_at: Callable[[float], int],
    clock: Callable[[], float] = time.monotonic,
) -> Sought:
    """Look for a page. `first_at`: the first `seq` that is not before a time."""
    if asked.domains is not None and not asked.domains:
        return Sought([], None, True)
    where, values = _conditions(asked)
    low, high = _bounds(db, asked, first_at)
    limit = max(1, min(asked.limit, MAX_PAGE))
    if asked.newer is not None:
        sql = _sql(asked, where, "ASC")
        return Sought(db.execute(sql, (*values, low, high, limit)).fetchall(), None, True)
    sql = _sql(asked, where, "DESC")
    end = clock() + BUDGET
    stretch = STRETCH
    rows: list[RawRow] = []
    while high > low:
        begun = clock()
        floor = max(low, high - stretch)
        rows += db.execute(sql, (*values, floor, high, limit + 1 - len(rows))).fetchall()
        if len(rows) > limit:
            return Sought(rows[:limit], int(rows[limit - 1][0]), True)
        high = floor
        if clock() >= end:
            break
        if clock() - begun < QUICK:
            stretch *= 2
    return Sought(rows, high if high > low else None, high <= low)


def _bounds(db: sqlite3.Connection, asked: Question, first_at: Callable[[float], int]) -> tuple[int, int]:
    """Return the first `seq` that may be meant, and the one behind the last."""
    (low,), (high,) = (
        db.execute(f"SELECT coalesce({which}(seq), 0) FROM outcome").fetchone()  # noqa: S608
        for which in ("min", "max")
    )
    high += 1
    for known in (asked.newer, asked.behind):
        if known is not None:
            low = max(low, known + 1)
    if asked.since is not None:
        low = max(low, first_at(asked.since - 1))
    if asked.until is not None:
        high = min(high, first_at(asked.until + LATE))
    if asked.after is not None:
        high = min(high, asked.after)
    return low, high


def _sql(asked: Question, where: list[str], order: str) -> str:
    # Without this, several domains would be looked for by reading every row of the stretch.
    index = "INDEXED BY outcome_domain" if asked.domains is not None else ""
    conditions = " AND ".join((*where, "seq >= ?", "seq < ?"))
    return (
        f"SELECT seq, time, line, trace FROM outcome {index} WHERE {conditions}"  # noqa: S608
        f" ORDER BY seq {order} LIMIT ?"
    )


def _conditions(asked: Question) -> tuple[list[str], list[Any]]:
    where: list[str] = []
    values: list[Any] = []
    for condition, more in _each(asked):
        where.append(condition)
        values += more
    return where, values


def _each(asked: Question) -> Iterator[tuple[str, list[Any]]]:
    if asked.domains is not None:
        yield f"domain IN ({','.join('?' * len(asked.domains))})", list(asked.domains)
    if asked.since is not None:
        yield "time >= ?", [asked.since]
    if asked.until is not None:
        yield "time < ?", [asked.until]
    # The whole line first: that costs a tenth of taking the field out of it.
    for path, value in ((FATE_PATH, asked.outcome), (PLUGIN_PATH, asked.plugin)):
        if value:
            yield "instr(line, ?)", [f'"{value}"']
            yield f"json_extract(line, '{path}') = ?", [value]
    for path, text in ((SENDER_PATH, asked.sender), (RECIPIENT_PATH, asked.recipient)):
        if text == NULL_SENDER:
            yield f"json_extract(line, '{path}') = ''", []
        elif text:
            yield from _holds(text)
            yield f"json_extract(line, '{path}') LIKE ? ESCAPE '\\'", [f"%{like(text)}%"]
    if asked.client:
        yield from _holds(asked.client)
        yield f"json_extract(line, '{CLIENT_PATH}') LIKE ? ESCAPE '\\'", [f"{like(asked.client)}%"]
    if asked.text:
        yield from _holds(asked.text)


def _holds(text: str) -> Iterator[tuple[str, list[Any]]]:
    """A line has a text as it is, or as JSON writes it in ASCII (`journal_lines`)."""
    plain, escaped = f"%{like(text)}%", f"%{like(quoted(text)[1:-1])}%"
    if plain == escaped:
        yield "line LIKE ? ESCAPE '\\'", [plain]
    else:
        yield "(line LIKE ? ESCAPE '\\' OR line LIKE ? ESCAPE '\\')", [plain, escaped]


def like(text: str) -> str:
    """Return a text as LIKE takes it: nothing in it stands for something else."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
