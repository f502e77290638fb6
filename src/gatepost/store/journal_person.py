"""One person's rows of a domain's journal: found by an address, and rewritten.

The whole journal of the domain is read, some thousand rows at a time: nobody pays for an index with every
mail so that this, which is rare, is quick.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from gatepost.store.sqlite import transaction

BATCH = 2_000
Row = tuple[int, float, str, str]
"""seq, time, line, trace."""


def naming(db: sqlite3.Connection, domain: str, word: str) -> Iterator[Row]:
    """Yield the rows of a domain that hold a word in any field (ASCII: without case), the oldest first."""
    after = 0
    # What is not ASCII may stand escaped: then each row is looked at by who asks.
    word = word.lower() if word.isascii() else ""
    while True:
        rows = db.execute(
            "SELECT seq, time, line, trace FROM outcome WHERE domain = ? AND seq > ?"
            " AND (instr(lower(line), ?) OR instr(lower(trace), ?)) ORDER BY seq LIMIT ?",
            (domain, after, word, word, BATCH),
        ).fetchall()
        yield from rows
        if len(rows) < BATCH:
            return
        after = rows[-1][0]


def rewrite(db: sqlite3.Connection, rows: list[tuple[int, str, str]]) -> None:
    """Put (seq, line, trace) in the place of what stood there; the old text is overwritten on the disk."""
    db.execute("PRAGMA secure_delete = ON")
    for at in range(0, len(rows), BATCH):
        with transaction(db):
            db.executemany(
                "UPDATE outcome SET line = ?, trace = ? WHERE seq = ?",
                [(line, trace, seq) for seq, line, trace in rows[at : at + BATCH]],
            )
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
