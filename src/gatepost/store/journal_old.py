"""Counts that grow old: by hour for a month, then by day, and gone after `KEEP_DAYS`.

So a year of counts is not much more than a month of them. A day is that of the machine's zone; it
lies in its first hour, so whoever reads by hours need not know. Each call does one day of each
table, in a transaction of its own: others wait no longer than that.
"""

from __future__ import annotations

import sqlite3
import time

from gatepost.store.journal_counts import HOUR
from gatepost.store.sqlite import transaction

HOURLY_DAYS = 35
"""Days that are kept by hour: longer than anybody asks for an hour, and than a month."""
KEEP_DAYS = 400
"""Days that counts are kept: this month can be held against the same month of last year."""
DAY = 24 * HOUR
TABLES = {"tally": "domain, fate, plugin", "watched": "domain, plugin, fate"}


def age(db: sqlite3.Connection, now: float) -> None:
    """Forget the oldest day that is too old, and bring together the oldest that still lies in hours."""
    for table in TABLES:
        oldest = first_hour(now - KEEP_DAYS * DAY)
        with transaction(db):
            db.execute(
                f"DELETE FROM {table} WHERE hour < ? AND hour < (SELECT min(hour) FROM {table}) + 24",  # noqa: S608
                (oldest,),
            )
        _fold(db, table, first_hour(now - HOURLY_DAYS * DAY))


def first_hour(moment: float, days: int = 0) -> int:
    """Return the first whole hour (seconds since 1970 / 3600) of a moment's day, or of a later one."""
    year, month, day, *_ = time.localtime(moment)
    midnight = time.mktime((year, month, day + days, 0, 0, 0, 0, 0, -1))
    return int(-(-midnight // HOUR))


def _fold(db: sqlite3.Connection, table: str, before: int) -> None:
    # Hop from hour to hour: a day that was brought together costs one look, however many domains it has.
    hour = -1
    while True:
        (found,) = db.execute(f"SELECT min(hour) FROM {table} WHERE hour > ?", (hour,)).fetchone()  # noqa: S608
        if found is None or found >= before:
            return
        hour = found
        first = first_hour(hour * HOUR)
        if hour != first:
            break
    columns = TABLES[table]
    span = (first, first_hour(hour * HOUR, 1))
    with transaction(db):
        db.execute(
            f"INSERT INTO {table} (hour, {columns}, number)"  # noqa: S608
            f" SELECT ?, {columns}, sum(number) FROM {table} WHERE hour > ? AND hour < ? GROUP BY {columns}"
            " ON CONFLICT DO UPDATE SET number = number + excluded.number",
            (first, *span),
        )
        db.execute(f"DELETE FROM {table} WHERE hour > ? AND hour < ?", span)  # noqa: S608
