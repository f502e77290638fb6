"""Off a catch-all through a running gateway: systems-before 7.4, its two rows by their names."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.system.gateway import GATEPOST, Gateway
from tests.system.maildir import Maildir
from tests.system.process import wait_until
from tests.system.running import in_force
from tests.system.test_backends import letter

DOMAIN = "example.org"


def catch_all(make_gateway: Callable[..., Gateway], folder: Path) -> Gateway:
    """Give a domain that takes mail for everybody into one Maildir, and has had some."""
    gateway = make_gateway()
    gateway.cli("domain", "add", DOMAIN, "--route", f"maildir://{folder}")
    gateway.cli("recipient", "add", DOMAIN, "*")
    gateway.cli("recipient", "add", DOMAIN, "closed", "--invalid")
    in_force()
    for local in ("ann", "ann", "ann", "shop", "shop", "x7f3kq"):
        assert 250 == gateway.send([f"{local}@{DOMAIN}"], letter(local))[0]
    assert 550 == gateway.rcpt(f"closed@{DOMAIN}")[0]
    return gateway


def test_row_7_4_catch_all_wildcard_domains(make_gateway: Callable[..., Gateway], tmp_path: Path) -> None:
    """7.4 "catch-all / wildcard domains": `*` is supported, and there is a way off it."""
    folder = tmp_path / "Maildir"
    gateway = catch_all(make_gateway, folder)
    done = gateway.cli("recipient", "import", DOMAIN, "--found-in", str(folder), "--at-least", "2")
    assert "2 of 3 found are on the list now" in done.stdout
    gateway.cli("recipient", "remove", DOMAIN, "*")
    wait_until(lambda: gateway.rcpt(f"x7f3kq@{DOMAIN}")[0] == 550, "who was not chosen is refused")
    code, text = gateway.rcpt(f"never-there@{DOMAIN}")
    assert (550, "5.1.1") == (code, text.split()[0])
    assert [250, 250, 550] == [gateway.rcpt(f"{local}@{DOMAIN}")[0] for local in ("ann", "shop", "closed")]
    # It can be undone as any other change.
    change = next(c for c in gateway.json("changes", DOMAIN) if c["what"] == "recipients")
    assert DOMAIN in change["scope"]


def test_row_7_4_enumeration_of_used_localparts(make_gateway: Callable[..., Gateway], tmp_path: Path) -> None:
    """7.4 "enumeration of used localparts": Maildir and mbox, each with first use, last use and count."""
    folder = tmp_path / "Maildir"
    gateway = catch_all(make_gateway, folder)
    old = tmp_path / "mail-1999"
    old.write_text(
        "From x@y.example Mon Sep  6 14:30:05 1999\nTo: Ann <ann@example.org>\n\nhello\n\n"
        "From x@y.example Tue Sep  7 14:30:05 1999\nX-Original-To: oldlist@example.org\n\nhello\n"
    )
    rows = gateway.json("recipient", "import", DOMAIN, "--found-in", str(folder), str(old))
    assert [("ann", 4, 3), ("shop", 2, 2), ("oldlist", 1, 1), ("x7f3kq", 1, 1)] == [
        (r["recipient"], r["count"], r["delivered"]) for r in rows
    ]
    assert "1999-09-06" == rows[0]["first"][:10]
    assert rows[0]["last"][:4] >= "2026"
    assert "1999-09-07" == rows[2]["last"][:10]
    assert not any(row["written"] for row in rows)
    assert 6 == len(Maildir(folder).files())


def test_progress_bar_on_a_terminal(make_gateway: Callable[..., Gateway], tmp_path: Path) -> None:
    """A person who waits sees a bar; a file or a pipe never gets one."""
    gateway = make_gateway()
    gateway.cli("domain", "add", DOMAIN, "--route", f"maildir://{tmp_path}/m")
    mbox = tmp_path / "mbox"
    mbox.write_bytes(b"From x@y Mon Sep  6 14:30:05 1999\nTo: ann@example.org\n\nhello\n\n" * 5_000)
    words = [
        GATEPOST,
        "--config",
        str(gateway.config),
        "recipient",
        "import",
        DOMAIN,
        "--found-in",
        str(mbox),
    ]
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            words, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs, timeout=60
        )
        os.close(theirs)
        shown = os.read(ours, 65_536)
    finally:
        os.close(ours)
    assert 0 == done.returncode
    assert b"Reading mail" in shown
    assert b"5000" in done.stdout
    assert "Reading mail" not in gateway.cli(*words[3:]).stderr
