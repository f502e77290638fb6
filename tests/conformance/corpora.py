"""Real mail with labels, beside the clone in ../shared/data: read in place, never copied (README there).

A quarter of it is read in each run; GATEPOST_TEST_CORPORA=all reads every message.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
CORPORA = TOP.parent / "shared" / "data"
NAMES = ("modern-2019-2021", "spamassassin")
SHARES = 8
"""So many tests read a corpus, each its share, so that all cores have work."""
STEP = 1 if os.environ.get("GATEPOST_TEST_CORPORA") == "all" else 4


def paths(corpus: str) -> list[str]:
    """Return the files of a corpus in the order of its index, by date."""
    lines = (CORPORA / corpus / "index").read_text("utf-8").splitlines()
    return [line.split(" ", 1)[1] for line in lines]


def mails(corpus: str, share: int) -> Iterator[tuple[str, bytes]]:
    """Yield path and bytes of the messages of a share, as they come over SMTP: lines end with CRLF."""
    for path in paths(corpus)[::STEP][share::SHARES]:
        raw = (CORPORA / corpus / path).read_bytes()
        if raw.startswith(b"From "):  # the line of an mbox, which some files begin with
            raw = raw.partition(b"\n")[2]
        yield path, raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
