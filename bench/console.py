"""How long the console's pages take with a large journal: `python -m bench.console [rows] [domains]`.

Makes an installation of its own with so many journal rows (10 million) of so many domains (1,000) over two
weeks, with the counts by hour that a collector would have made, and asks for the pages over HTTP as an
administrator and as an owner. Printed are the median and the 95th percentile in milliseconds; the very
first answer of a fresh process, which remembers nothing yet, stands apart.
"""

from __future__ import annotations

import http.client
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gatepost.store.journal_db import JournalStore
from gatepost.store.journal_lines import outcome_line
from gatepost.store.policy_db import PolicyStore
from tests.console.house import House, Somebody
from tests.console.seed import FATES
from tests.console.served import Served

ROWS, DOMAINS, DAYS = 10_000_000, 1_000, 14
ASKED = 60
PAGES = (
    ("root", "/"),
    ("root", "/domains"),
    ("ann", "/"),
    ("ann", "/domains/d17.example"),
    ("ann", "/domains/d17.example/checks"),
    ("root", "/journal"),
    ("ann", "/journal"),
    ("root", "/journal?q=s77777%40"),
    ("ann", "/journal?q=s77777%40"),
    ("root", "/journal?sender=nobody%40like.example"),
    ("root", "/journal?client=192.0.7.1&fate=deferred"),
    ("root", "/journal?domain=d17.example&sender=nobody%40like.example"),
    ("root", "/journal?domain=d1.example&recipient=r7%40&fate=quarantined"),
    ("root", "/journal?after=5000000"),
    ("ann", "/journal?domain=d17.example&fate=rejected"),
    ("ann", "/journal?domain=d17.example&check=dnsbl"),
    ("root", "/journal/0000077777000"),
)


def fill(data: Path, rows: int, domains: int, end: float) -> None:
    """Write the journal and its counts."""
    JournalStore(data / "journal.db").close()
    import sqlite3

    db = sqlite3.connect(data / "journal.db", isolation_level=None)
    db.execute("PRAGMA synchronous = OFF")
    dice = random.Random(1)
    begin = end - DAYS * 86_400
    counted: Counter[tuple[int, str, str, str]] = Counter()
    weights = [one[4] for one in FATES]

    def lines() -> Iterator[tuple[Any, ...]]:
        for seq in range(1, rows + 1):
            at = begin + (end - begin) * seq / rows
            domain = f"d{min(int(dice.paretovariate(0.7)), domains)}.example"
            fate, plugin, code, reason, _ = dice.choices(FATES, weights)[0]
            counted[int(at // 3600), domain, fate, plugin] += 1
            number = f"{seq:010d}000"
            line = outcome_line(
                f"{number}.1", domain, f"r{seq % 50}@{domain}", f"s{seq}@sender.example",
                f"192.0.{seq % 250}.{seq % 200}", fate, plugin, reason, code,
            )  # fmt: skip
            yield seq, at, f"{number}.1", domain, line.partition("\t")[0], ""

    db.execute("BEGIN")
    db.executemany(
        "INSERT INTO outcome (seq, time, id, domain, line, trace) VALUES (?, ?, ?, ?, ?, ?)", lines()
    )
    db.executemany(
        "INSERT INTO tally (hour, domain, fate, plugin, number) VALUES (?, ?, ?, ?, ?)",
        ((*key, number) for key, number in counted.items()),
    )
    db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def measure(url: str, name: str, path: str) -> tuple[int, float, list[float]]:
    """Return status, the first answer's seconds, and those of the following ones."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port or 80, timeout=120)
    seconds = []
    status = 0
    for _ in range(ASKED + 1):
        begun = time.perf_counter()
        connection.request("GET", path, headers={"Cookie": f"gatepost=token-{name}"})
        answer = connection.getresponse()
        answer.read()
        seconds.append(time.perf_counter() - begun)
        status = answer.status
        if status != 200:
            break
    return status, seconds[0], sorted(seconds[1:])


def main(rows: int, domains: int) -> None:
    """Fill, serve, ask, print."""
    with tempfile.TemporaryDirectory(dir=".cache" if Path(".cache").is_dir() else None) as top:
        now = time.time()
        house = House(Path(top) / "data", clock=time.time)
        house.people.known["ann"] = Somebody("ann", "owner", tuple(f"d{n}.example" for n in (17, 18, 19)))
        store = PolicyStore(house.data / "policy.db")
        for n in range(1, domains + 1):
            store.add_domain(f"d{n}.example", ["smtp://mail.example"], by="bench")
        store.close()
        begun = time.perf_counter()
        fill(house.data, rows, domains, now)
        print(f"{rows:,} rows of {domains:,} domains in {time.perf_counter() - begun:.0f} s")
        with Served(house.app) as served:
            print(f"{'who':6}{'page':66}{'status':>7}{'first':>9}{'p50 ms':>9}{'p95 ms':>9}")
            for name, path in PAGES:
                status, first, seconds = measure(served.url, name, path)
                line = f"{name:6}{path:50}{status:7}{first * 1000:9.1f}"
                if seconds:
                    p50, p95 = (seconds[int(len(seconds) * part)] * 1000 for part in (0.5, 0.95))
                    line += f"{p50:9.1f}{p95:9.1f}"
                print(line, flush=True)
        if house.faults:
            print("\n".join(house.faults[:5]))


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:]]
    main(*given, *(ROWS, DOMAINS)[len(given) :])
