"""A full disk, a damaged or locked policy: nothing is lost and nothing refused by mistake."""

from __future__ import annotations

import base64
import errno
import os
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.relay.backend import Backend
from tests.system.gateway import Gateway
from tests.system.process import open_directory, wait_until
from tests.system.running import behind, deny, host, in_force, journal, metric, policy, running
from tests.system.talk import Talk

DENIED = "127.0.0.66"
SMALL = b"Subject: small\r\n\r\nsmall\r\n"
LARGE = b"Subject: large\r\n\r\n" + (b"x" * 998 + b"\r\n") * 3000
"""More than stays in memory (server.body.MEMORY_EACH)."""


def sent(gateway: Gateway, *recipients: str, body: bytes = SMALL, mail: str = "") -> list[int]:
    """Send a mail from the denied client; the codes of all replies behind the data, the last one first."""
    with Talk(gateway.port, DENIED) as talk:
        for code, text in talk.begin(*recipients, mail=mail):
            assert 250 == code, text
        talk.say("DATA")
        talk.send(body + b".\r\nQUIT\r\n")
        codes = talk.rest()
        assert 221 == codes.pop()
        return codes


def houses(gateway: Gateway, back_end: Backend) -> None:
    """Host a domain for each thing that may become of a mail."""
    host(gateway, "passes.example", back_end.url)
    host(gateway, "refuses.example", back_end.url, refuse_at="data")
    host(gateway, "holds.example", back_end.url, deny_list__action="quarantine")
    host(gateway, "spools.example", "smtp://127.0.0.1:1", on_backend_down="spool")
    for domain in ("refuses.example", "holds.example"):
        deny(gateway, domain, DENIED)
    in_force()


# -- the disk --------------------------------------------------------------------------------


@contextmanager
def small_disk() -> Iterator[Path]:
    """Give a file system of 16 MB of its own."""
    with open_directory("disk") as disk:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m,mode=0755", "none", str(disk)], check=True)
        try:
            yield disk
        finally:
            subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Write until the disk is full to the last byte."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65_536, 1, 65_536, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError as error:
                assert errno.ENOSPC == error.errno
    return filler


@pytest.fixture
def back_end() -> Iterator[Backend]:
    """Give a scripted back end."""
    with behind() as backend:
        yield backend


def test_a_full_disk(back_end: Backend) -> None:
    """What is held or spooled gets 4xx, never 250; what is refused still 5xx; what is handed on 250."""
    smtp, archive = {"workers": 2}, {"min_free": 0}
    with small_disk() as disk, running(smtp=smtp, archive=archive, data_dir=str(disk)) as gateway:
        gateway.data = disk
        houses(gateway, back_end)
        filler = fill(gateway.data)

        assert [250] == sent(gateway, "ann@passes.example")
        assert [550] == sent(gateway, "ann@refuses.example")
        assert [452] == sent(gateway, "ann@holds.example")
        assert sent(gateway, "ann@spools.example")[0] // 100 == 4
        taken = len(back_end.taken)
        assert [452] == sent(gateway, "ann@passes.example", "ann@holds.example")
        assert taken == len(back_end.taken), "handed on, though the client was told to come again"
        assert [452] == sent(gateway, "ann@passes.example", body=LARGE)
        assert [452] == sent(gateway, "ann@holds.example", body=LARGE)
        assert [550] == sent(gateway, "ann@refuses.example", body=LARGE)
        assert "event=not_kept" in gateway.said()
        time.sleep(2.5)  # the clocks of worker and keeper meet the full disk too
        assert "event=bug" not in gateway.said()
        assert 1 == gateway.said().count("event=trouble doing=collect")

        filler.unlink()

        wait_until(lambda: metric(gateway, "gatepost_archive_dropped_total") >= 2, "drops counted")

        for domain in ("passes", "holds", "spools"):
            assert [250] == sent(gateway, f"bob@{domain}.example", body=LARGE), domain
        assert [550] == sent(gateway, "bob@refuses.example", body=LARGE)
        rows = [("ann", "accepted"), ("ann", "rejected"), ("ann", "deferred"), ("bob", "queued")]

        def all_written() -> bool:
            there = {(row.recipient.split("@")[0], row.fate) for row in journal(gateway)}
            return set(rows) <= there

        wait_until(all_written, "the rows of what happened while the disk was full")


def test_too_little_is_left_on_the_disk(back_end: Backend) -> None:
    """Below `archive.min_free` refused mail is refused and not kept, held mail gets 452 4.3.1."""
    with running(archive={"min_free": "900TiB"}) as gateway:
        houses(gateway, back_end)
        assert [550] == sent(gateway, "ann@refuses.example")
        with Talk(gateway.port, DENIED) as talk:
            talk.begin("ann@holds.example")
            code, text = talk.data(SMALL)
        assert (452, "4.3.1") == (code, text.split()[0])
        assert [250] == sent(gateway, "ann@passes.example")
        assert not list((gateway.data / "archive").rglob("*.eml.zst"))


def test_one_domain_holds_all_it_can(back_end: Backend) -> None:
    """Its own mail is put off then, and nobody else's: a domain has a part of the archive, not all of it."""
    with running(archive={"min_free": 0, "max_bytes": "400KiB"}) as gateway:
        houses(gateway, back_end)
        host(gateway, "other.example", back_end.url, deny_list__action="quarantine")
        deny(gateway, "other.example", DENIED)
        in_force()
        body = b"Subject: noise\r\n\r\n" + base64.encodebytes(os.urandom(40_000)).replace(b"\n", b"\r\n")
        said = [sent(gateway, "ann@holds.example", body=body) for _ in range(12)]
        assert said[0] == [250]
        assert said[-1] == [452]
        assert [250] == sent(gateway, "ann@other.example", body=body)


# -- the policy ------------------------------------------------------------------------------


def rcpt(gateway: Gateway, address: str) -> tuple[int, str]:
    """Ask for one recipient; code and enhanced code."""
    with Talk(gateway.port) as talk:
        code, text = talk.begin(address)[0]
    return code, text.split()[0]


def test_a_locked_policy(back_end: Backend) -> None:
    """Somebody holds the policy's lock for ever: mail goes on, a change fails with a clear sentence."""
    with running() as gateway:
        houses(gateway, back_end)
        locker = sqlite3.connect(gateway.data / "policy.db", isolation_level=None)
        locker.execute("BEGIN EXCLUSIVE")
        assert [250] == sent(gateway, "ann@passes.example")
        assert (250, "2.1.5") == rcpt(gateway, "ann@holds.example")
        assert (550, "5.7.1") == rcpt(gateway, "ann@nowhere.example")
        done = gateway.cli("domain", "set", "passes.example", "keep_days=7", check=False)
        assert 1 == done.returncode
        assert "locked" in done.stderr
        assert "Traceback" not in done.stderr
        locker.execute("ROLLBACK")
        locker.close()
        gateway.cli("domain", "set", "passes.example", "keep_days=7")


def overwrite(path: Path) -> None:
    """Write rubbish over the whole file, in place."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.write(os.urandom(size))


def replace(path: Path) -> None:
    """Put another file in its place."""
    path.with_name("new").write_bytes(b"this is no database\n" * 500)
    path.with_name("new").rename(path)


def cut(path: Path) -> None:
    """Leave nothing of it."""
    os.truncate(path, 0)


def remove(path: Path) -> None:
    """Remove it."""
    path.unlink()


def test_a_policy_that_is_damaged_under_way(back_end: Backend) -> None:
    """What is in memory and in the last good copy goes on; unknown is 451 and not 550; the log says it."""
    with running(smtp={"workers": 2}) as gateway:
        with closing(policy(gateway)) as store:  # more than the cache of a process holds
            rows = {"recipients": "any", "deny_list.action": "tag", "subjects": True}
            store.load((f"d{n}.example", back_end.url, rows, ()) for n in range(20_000))
        houses(gateway, back_end)
        assert [250] == sent(gateway, "ann@passes.example")
        copy = gateway.data / "policy.last-good.db"
        wait_until(lambda: copy.exists() and copy.stat().st_size > 1_000_000, "the last good copy")
        in_force()
        with closing(sqlite3.connect(gateway.data / "policy.db")) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        overwrite(gateway.data / "policy.db")

        for n in range(0, 20_000, 1_000):
            assert (250, "2.1.5") == rcpt(gateway, f"ann@d{n}.example")
        assert 451 == rcpt(gateway, "ann@never-seen.example")[0]
        assert [250] == sent(gateway, "ann@passes.example")
        assert [550] == sent(gateway, "ann@refuses.example")
        wait_until(lambda: "event=policy_unreadable" in gateway.said(), "a line in the log")
        line = next(line for line in gateway.said().splitlines() if "event=policy_unreadable" in line)
        assert "policy.db is damaged" in line
        assert "gatepost restore" in line
        assert "event=bug" not in gateway.said()


@pytest.mark.parametrize("damage", [overwrite, replace, cut, remove])
def test_a_policy_that_is_damaged_at_the_start(back_end: Backend, damage: Callable[[Path], None]) -> None:
    """The last good copy answers; what it does not know is 451 and not 550; the log says why."""
    with running() as gateway:
        houses(gateway, back_end)
        copy = gateway.data / "policy.last-good.db"
        whole = (b"passes.example", b"spools.example", DENIED.encode())
        wait_until(lambda: copy.exists() and all(one in copy.read_bytes() for one in whole), "the copy")
        in_force()
        gateway.kill()
        for ending in ("-wal", "-shm"):
            (gateway.data / f"policy.db{ending}").unlink(missing_ok=True)
        damage(gateway.data / "policy.db")

        gateway.start()

        for _ in range(2):
            assert [250] == sent(gateway, "ann@passes.example")
            assert [550] == sent(gateway, "ann@refuses.example")
            assert 451 == rcpt(gateway, "ann@never-seen.example")[0]
            time.sleep(3)  # each clock of each process has struck: none made an empty policy
        assert "event=policy_unreadable" in gateway.said()
        assert "event=bug" not in gateway.said()
        assert "event=process_died" not in gateway.said()


def test_no_policy_at_all(back_end: Backend) -> None:
    """With an empty policy every recipient is deferred: nothing is known to be foreign."""
    with running() as gateway:
        assert 451 == rcpt(gateway, "ann@passes.example")[0]
