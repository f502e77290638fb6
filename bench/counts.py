"""Statistics over a large journal, beside the same answer from its rows.

    .venv/bin/python -m bench.counts [--rows N] [--domains N]

Writes outcomes of 30 days through the writer and the collector, then asks as `gatepost stats` does.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

DAY = 86_400.0
DAYS = 30
TRACE = (
    '[["recipients","rcpt","",0.02,""],["dnsbl","connect","{}",12.50,"listed in bl.test"],'
    '["spf","mail","",1.00,""]]'
)
FATES = (
    *[("rejected", "recipients")] * 10,
    *[("rejected", "dnsbl")] * 6,
    ("rejected", "helo_name"),
    ("quarantined", "score"),
    ("deferred", "greylist"),
    ("accepted", ""),
)
ROWS = (
    "SELECT domain, json_extract(line, '$[2]'), json_extract(line, '$[3]'), count(*) FROM outcome"
    " WHERE seq >= ? AND (? IS NULL OR domain = ?) GROUP BY 1, 2, 3"
)


def fill(folder: Path, rows: int, domains: int, now: float) -> float:
    """Write the journal; return the seconds that the collector took."""
    from gatepost.store.journal_db import JournalStore, JournalWriter, outcome_line

    dice, moment, took = random.Random(1), now, 0.0
    store = JournalStore(folder / "journal.db")
    writer = JournalWriter(folder, "w0", clock=lambda: moment)
    for n in range(rows):
        moment = now - DAYS * DAY * (1 - n / rows)
        fate, plugin = dice.choice(FATES)
        domain = f"d{int(domains * dice.random() ** 2)}.example"
        client = f"192.0.{dice.randrange(256)}.{dice.randrange(256)}"
        trace = TRACE.format("watch reject" if dice.random() < 0.3 else "")
        who = (
            f"{n:011x}XY.1",
            domain,
            f"user{dice.randrange(10**6)}@{domain}",
            "someone@spam.example",
            client,
        )
        writer.add(outcome_line(*who, fate, plugin, "listed in bl.test", 550, trace=trace))
        if n % 50 == 0:
            writer.flush()
        if n % 20_000 == 0 or n == rows - 1:
            writer.flush()
            began = time.perf_counter()
            store.collect()
            took += time.perf_counter() - began
    writer.close()
    store.collect()
    store.close()
    return took


def timed(ask: Callable[[], object]) -> float:
    """Return the median of five, in milliseconds."""
    took = []
    for _ in range(5):
        began = time.perf_counter()
        ask()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


def main() -> None:
    """Print the times."""
    from gatepost.desk.desk import Desk
    from gatepost.desk.stats import stats

    parser = argparse.ArgumentParser(prog="bench.counts")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--domains", type=int, default=200)
    args = parser.parse_args()
    now = time.time()
    with tempfile.TemporaryDirectory() as top, Desk(Path(top), "bench") as desk:
        took = fill(Path(top), args.rows, args.domains, now)
        print(
            f"{args.rows} rows of {args.domains} domains; collected in {took / args.rows * 1e6:.0f} us each"
        )
        for domain in (None, "d3.example"):
            for days in (7, DAYS):
                since = now - days * DAY
                counted = timed(lambda domain=domain, since=since: stats(desk, domain, since))  # type: ignore[misc]
                first = desk.journal._first_at(since)
                began = time.perf_counter()
                desk.journal._db.execute(ROWS, (first, domain, domain)).fetchall()
                read = (time.perf_counter() - began) * 1000
                print(f"{domain or 'all':>10} {days:>2} d: {counted:5.0f} ms; from the rows {read:5.0f} ms")


if __name__ == "__main__":
    main()
