"""A storm of 40,000 forged bounces, and a dictionary attack: `python -m bench.storm [--quick] [--write]`.

Four ways in which a storm is refused at RCPT (nobody of that name; a rule; an address closed by
`bounce_storm`; ten names a session from 200 addresses), each held to the bar of `reject1`: a third of
Postfix's CPU for an unknown recipient, measured in the same run. Then the first of them again while another
domain's mail passes: how long that waits, and what the storm leaves in memory and on disk.
"""

import argparse
import json
import smtplib
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bench.gatepost import Gatepost
from bench.groups import machine_busy, pss_kib
from bench.load import Load, Outcome, fire
from bench.machine import describe
from bench.places import BENCH, RESULTS, WORK, BenchError, progress
from bench.postfix import Postfix
from bench.rounds import settle
from bench.sections import write_page
from bench.server import DOMAIN, Server, Sink

NUMBER = 40_000
BAR = 1 / 3
"""Of Postfix's CPU for a refused session (`reject1`)."""
NEIGHBOUR = Load(messages=10, clients=2, domains=1)
"""The other domain's mail: two clients, one message of 4 KiB after the other."""
BATCH = 20
"""Sessions of the neighbour in one look: 200 messages, so their p99 is the third worst."""
KEPT = RESULTS / "storm.json"


class StormSink(Sink):
    """In a folder of its own, so that another bench on the machine is left alone."""

    name = "storm-sink"


class StormPostfix(Postfix):
    """smtpd that answers 550, as in reject1."""

    name = "storm-postfix"


class Stormed(Gatepost):
    """As shipped, with bounce_storm on; example.org is stormed and d0.example lives beside it."""

    name = "storm-gatepost"
    title = "nobody of that name"
    recipients = "list"

    def fill(self) -> None:
        super().fill()
        self.gatepost("domain", "set", self.domain, f"recipients={self.recipients}")
        self.gatepost("domain", "set", "--all", "bounce_storm.mode=on")
        self.gatepost("rules", "import", self.domain, "--six")
        self.gatepost("domain", "add", "d0.example", "--route", f"smtp://127.0.0.1:{self.sink_port}")
        self.gatepost("recipient", "import", "d0.example", self.folder / "names")


class StormedRules(Stormed):
    """A catch-all: the six rules refuse."""

    name = "storm-rules"
    title = "catch-all, refused by a rule"
    recipients = "any"


class StormedClosed(Stormed):
    """One address, closed by its twentieth bounce; the rules let its digit pass."""

    name = "storm-closed"
    title = "an address closed by bounce_storm"

    def fill(self) -> None:
        super().fill()
        self.gatepost("rules", "remove", self.domain, "[0-9]@")

    def start(self) -> None:
        super().start()
        for _ in range(200):
            with smtplib.SMTP("127.0.0.1", self.port, "mx.example.com", timeout=20) as client:
                try:
                    client.sendmail("", f"user0@{DOMAIN}", b"Subject: Undelivered\r\n\r\nNo.\r\n")
                except smtplib.SMTPException:
                    time.sleep(1.5)  # the other worker hears of it within half a second
                    return
        raise BenchError("bounce_storm closed nothing")


@dataclass
class Row:
    """One way to be refused."""

    title: str
    sessions: int
    cpu: float
    """Seconds for 1,000 sessions."""
    rate: float
    p99: float
    """Milliseconds."""
    errors: int
    foreign: float
    """Share of the machine that others used."""


@dataclass
class Figures:
    """Everything that was measured."""

    date: str
    machine: str
    version: str
    rows: list[Row] = field(default_factory=list)
    quiet: tuple[float, float] = (0.0, 0.0)
    """The neighbour's p50 and worst p99 of a batch without the storm, in ms."""
    stormy: tuple[float, float, int] = (0.0, 0.0, 0)
    """The same within the storm, and the number of its messages."""
    failed: int = 0
    storm_rate: float = 0.0
    worker_mb: tuple[float, float] = (0.0, 0.0)
    """The dearest process before and at its most, in 10^6 bytes of Pss."""
    disk_mb: dict[str, float] = field(default_factory=dict)
    """What the storm added, by what it lies in."""
    journal_rows: int = 0
    archived: int = 0


def _measure(server: Server, title: str, load: Load, sessions: int) -> Row:
    fire(load, server.port, max(200, sessions // 20))
    settle(server)
    before, busy, began = server.running().usage(), machine_busy(), time.monotonic()
    outcome = fire(load, server.port, sessions, 300)
    elapsed, busy = time.monotonic() - began, machine_busy() - busy
    during = server.running().usage().since(before).total
    settle(server)
    used = server.running().usage().since(before)
    if not outcome.sessions:
        raise BenchError(f"{title}: {outcome.first_error}")
    return Row(
        title,
        outcome.sessions,
        used.total * 1000 / outcome.sessions,
        outcome.sessions / outcome.seconds,
        outcome.p99,
        outcome.errors,
        max(0.0, busy - during - outcome.cpu) / (elapsed * 2),
    )


def _neighbour(port: int, go_on: Callable[[], bool]) -> list[Outcome]:
    found: list[Outcome] = []
    while go_on() or not found:
        found.append(fire(NEIGHBOUR, port, BATCH))
    return found


def _together(server: Stormed, number: int, figures: Figures) -> None:
    """The storm, with the neighbour's mail in it."""
    calm = time.monotonic() + 3
    quiet = _neighbour(server.port, lambda: time.monotonic() < calm)
    figures.quiet = median(o.p50 for o in quiet), max(o.p99 for o in quiet)
    settle(server)
    rows, disk = _rows(server), _disk(server)
    first = most = server.worker_mib()
    stormed: list[Outcome] = []
    load = Load(refused=1, bounces=2)
    thread = threading.Thread(target=lambda: stormed.append(fire(load, server.port, number, 300)))
    thread.start()
    mail: list[Outcome] = []
    other = threading.Thread(target=lambda: mail.extend(_neighbour(server.port, thread.is_alive)))
    other.start()
    while thread.is_alive():
        most = max(most, max(pss_kib(server.running().pids()).values(), default=0) / 1024)
        time.sleep(0.5)
    thread.join()
    other.join()
    settle(server)
    after = _disk(server)
    (storm,) = stormed
    figures.stormy = (
        median(o.p50 for o in mail),
        max(o.p99 for o in mail),
        sum(o.sessions for o in mail) * NEIGHBOUR.messages,
    )
    figures.failed = storm.errors + sum(o.errors for o in mail)
    figures.storm_rate = storm.sessions / storm.seconds
    figures.worker_mb = first * (1 << 20) / 1e6, most * (1 << 20) / 1e6
    figures.disk_mb = {name: after[name] - disk.get(name, 0.0) for name in after}
    figures.journal_rows = _rows(server) - rows
    figures.archived = sum(1 for path in server.data.glob("archive/*/*/*") if path.is_file())


def _rows(server: Stormed) -> int:
    with sqlite3.connect(server.data / "journal.db", timeout=20) as db:
        return int(db.execute("SELECT count(*) FROM outcome").fetchone()[0])


def _disk(server: Stormed) -> dict[str, float]:
    """10^6 bytes of each database, all written into its file, and of all else together."""
    found = {"everything else": 0.0}
    for name in ("journal.db", "state.db", "records.db", "policy.db"):
        with sqlite3.connect(server.data / name, timeout=20) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        found[name] = (server.data / name).stat().st_size / 1e6
    for path in server.data.rglob("*"):
        if path.is_file() and not path.name.startswith(tuple(found)):
            found["everything else"] += path.stat().st_size / 1e6
    return found


def run(number: int, rounds: int = 4) -> Figures:
    """Measure everything: all servers once a round, so that a busy minute hits all alike."""
    sink = StormSink()
    figures = Figures(f"{datetime.now(UTC):%d %b %Y %H:%M UTC}", describe(), "")
    unknown = Load(refused=1, bounces=2)
    one = Load(refused=1, known_users=True, users=1, bounces=1)
    many = Load(refused=10, clients=200)
    names = number * 5 // 2
    postfix, gatepost = StormPostfix(sink.port), Stormed(sink.port)
    rules, closed = StormedRules(sink.port), StormedClosed(sink.port)
    plan: tuple[tuple[str, Server, Load, int], ...] = (
        ("Postfix smtpd: nobody of that name", postfix, Load(refused=1), number // 8),
        ("one sender, nobody of that name (`reject1`)", gatepost, Load(refused=1), number),
        ("storm: nobody of that name", gatepost, unknown, number),
        ("storm: catch-all, refused by a rule", rules, unknown, number),
        ("storm: one address, closed by `bounce_storm`", closed, one, number),
        (f"dictionary: ten names a session, {names:,} RCPT, 200 addresses", gatepost, many, number // 4),
    )
    servers: tuple[Server, ...] = (sink, postfix, gatepost, rules, closed)
    try:
        for server in servers:
            progress(f"  starting {server.name}")
            server.start()
        figures.version = gatepost.version()
        found: dict[str, list[Row]] = {}
        for _ in range(rounds):
            for title, server, load, sessions in plan:
                row = _measure(server, title, load, sessions // rounds)
                found.setdefault(title, []).append(row)
                progress(f"  {row.cpu:.3f} s/1000  {row.rate:5.0f}/s  others {row.foreign:.0%}  {title}")
        figures.rows = [_middle(rows) for rows in found.values()]
        _together(gatepost, number, figures)
    finally:
        for server in reversed(servers):
            server.stop()
    return figures


def _middle(rows: list[Row]) -> Row:
    return Row(
        rows[0].title,
        sum(row.sessions for row in rows),
        median(row.cpu for row in rows),
        median(row.rate for row in rows),
        max(row.p99 for row in rows),
        sum(row.errors for row in rows),
        median(row.foreign for row in rows),
    )


def lines(figures: Figures) -> list[str]:
    """The section of RESULTS.md."""
    peer = next(row for row in figures.rows if row.title.startswith("Postfix"))
    out = [
        "## storm: 40,000 forged bounces, and a dictionary attack",
        "",
        f"{figures.date}, {figures.version}; {figures.machine}.",
        "",
        "Medians of interleaved rounds, worst p99. Half of the storm has the null sender, half one that",
        "looks real; each comes from one of 50 addresses (the dictionary from 200). The bar is that of",
        "`reject1`: a third of Postfix's CPU for an unknown recipient.",
        "",
        "| refused | sessions | CPU s per 1,000 sessions | of Postfix's | bar | sessions/s | p99 ms | failed"
        " | others' CPU |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in figures.rows:
        share = row.cpu / peer.cpu
        judged = "" if row is peer or "ten names" in row.title else ("met" if share <= BAR else "**missed**")
        out.append(
            f"| {row.title} | {row.sessions:,} | {row.cpu:.3f} | {share:.2f} | {judged} | {row.rate:.0f}"
            f" | {row.p99:.1f} | {row.errors} | {row.foreign:.0%} |"
        )
    disk = ", ".join(f"{name} {size:+.1f} MB" for name, size in figures.disk_mb.items())
    (quiet, quiet99), (stormy, stormy99, mails) = figures.quiet, figures.stormy
    before, most = figures.worker_mb
    rate = figures.storm_rate
    out += [
        "",
        "Another domain's mail (4 KiB, two clients, handed on to smtp-sink) in a whole storm; generator",
        "and back end have the same cores:",
        "",
        f"* p50 {quiet:.1f} ms, p99 {quiet99:.1f} ms before; p50 {stormy:.1f} ms, p99 {stormy99:.1f} ms",
        f"  within (of the worst 200 of {mails:,}), {rate:.0f} sessions/s, {figures.failed} failed.",
        f"* The dearest process had {before:.0f} MB before, {most:.0f} MB at most.",
        f"* On disk: {disk}; {figures.journal_rows:,} journal rows, {figures.archived} files in the archive.",
        "",
    ]
    return out


def section() -> list[str]:
    """What was kept, as lines of RESULTS.md; nothing where it was never run."""
    if not KEPT.exists():
        return []
    data = json.loads(KEPT.read_text())
    return lines(Figures(**(data | {"rows": [Row(**row) for row in data["rows"]]})))


def main() -> int:
    parser = argparse.ArgumentParser("bench.storm", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a twentieth of it: does it work?")
    parser.add_argument("--write", action="store_true", help="keep the figures and make RESULTS.md anew")
    arguments = parser.parse_args()
    WORK.mkdir(exist_ok=True)
    try:
        figures = run(NUMBER // 20, 1) if arguments.quick else run(NUMBER)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print("\n".join(lines(figures)))
    if arguments.write:
        write(figures)
    return 0


def write(figures: Figures, folder: Path = BENCH) -> None:
    """Keep the figures, and put them into the page."""
    RESULTS.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps(asdict(figures), indent=1) + "\n")
    write_page(folder)


if __name__ == "__main__":
    sys.exit(main())
