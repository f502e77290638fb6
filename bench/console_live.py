"""What a live journal costs the console's process: `python -m bench.console_live`.

A writer fills a journal at a rate; an administrator follows it, or nobody does. Printed is the CPU of the
console process, which is this one, in per cent of a core.
"""

from __future__ import annotations

import http.client
import multiprocessing
import resource
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from gatepost.store.journal_db import JournalStore
from gatepost.store.journal_lines import outcome_line
from gatepost.store.journal_writer import JournalWriter
from tests.console.house import House
from tests.console.served import Served

SECONDS = 9
TRACE = '[["recipients","rcpt","reject",0.1,"no such user"]]'


def write(data: Path, rate: int, seconds: float) -> None:
    """Be a worker and the keeper: so many refusals a second, collected twice a second."""
    writer, store = JournalWriter(data, "w0"), JournalStore(data / "journal.db")
    end, n = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        for _ in range(rate // 2):
            n += 1
            to = f"r{n}@ann.example"
            writer.add(
                outcome_line(
                    f"{n:013d}.1", "ann.example", to, "s@x.example", "192.0.2.1", "rejected", "recipients",
                    "no such user", 550, trace=TRACE,
                )
            )  # fmt: skip
        writer.flush()
        store.collect(data)
        time.sleep(0.5)


def follow(url: str) -> None:
    """Read the stream for ever."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port or 80)
    connection.request("GET", "/journal/live", headers={"Cookie": "gatepost=token-root"})
    answer = connection.getresponse()
    while answer.read1(65_536):
        pass


def cpu() -> float:
    """Return the CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure each rate with and without somebody who watches."""
    for rate in (2, 2_000, 8_000):
        for watched in (False, True):
            with tempfile.TemporaryDirectory() as top:
                house = House(Path(top) / "data", clock=time.time)
                with Served(house.app) as served:
                    child = multiprocessing.Process(target=write, args=(house.data, rate, SECONDS + 3))
                    child.start()
                    if watched:
                        threading.Thread(target=follow, args=(served.url,), daemon=True).start()
                    time.sleep(1)
                    before, begun = cpu(), time.monotonic()
                    time.sleep(SECONDS)
                    share = (cpu() - before) / (time.monotonic() - begun)
                    print(f"{rate:6} rows/s, {'live' if watched else 'idle'}: {share:.2%} of a core")
                    child.join()


if __name__ == "__main__":
    main()
