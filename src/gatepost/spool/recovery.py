"""What a killed process left in the queue: finish it, or put it aside where somebody sees it (L12).

Never deleted: a half-written file was not acknowledged to anybody, but what it holds is for a person
to judge.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gatepost.spool.envelope import BadEnvelope, read_envelope
from gatepost.spool.names import safe_name
from gatepost.store.durable import TMP

if TYPE_CHECKING:
    from gatepost.spool.queue import Queue

GRACE = 600
"""Seconds that a half-written file may still belong to a process that is writing it."""
MARKS_FOR = 180 * 86_400
"""Seconds that a release is remembered as delivered."""
OURS = frozenset({"once.lock"})


def recover(queue: Queue) -> int:
    """Finish what was finished, put aside what is half-written; returns how many were put aside.

    May run while others work: a file younger than ten minutes may still be in somebody's hands.
    """
    aside = 0
    now = queue.clock()
    with os.scandir(queue.directory) as entries:
        there = {entry.name: entry for entry in entries if not entry.is_dir(follow_symlinks=False)}
    for file, entry in sorted(there.items()):
        name, _, kind = file.rpartition(".")
        try:
            old = abs(now - entry.stat(follow_symlinks=False).st_mtime) > GRACE
        except FileNotFoundError:
            continue
        if file in OURS:
            continue
        if kind == "json" and safe_name(name) == name:
            aside += _envelope(queue, name, f"{name}.eml" in there)
        elif kind == "done" and safe_name(name) == name:
            queue.path(name, "eml").unlink(missing_ok=True)
            queue.path(name, "done").unlink(missing_ok=True)
        elif not old:
            continue
        elif kind == "eml" and safe_name(name) == name:
            if not queue.path(name, "json").exists() and not queue.path(name, "done").exists():
                aside += queue.put_aside(file, "message without an envelope")
        else:
            aside += queue.put_aside(file, "half-written" if file.endswith(TMP) else "not of the queue")
    for mark in (queue.directory / "sent").iterdir():
        if now - mark.stat().st_mtime > MARKS_FOR:
            mark.unlink(missing_ok=True)
    return aside


def _envelope(queue: Queue, name: str, has_message: bool) -> int:
    path = queue.path(name, "json")
    try:
        readable = read_envelope(path.read_bytes()).id == name
    except FileNotFoundError:
        return 0  # finished in between
    except (BadEnvelope, OSError):
        readable = False
    if not readable:
        return queue.put_aside(path.name, "unreadable envelope") + queue.put_aside(
            f"{name}.eml", "message of an unreadable envelope"
        )
    if not has_message and not queue.path(name, "eml").exists() and path.exists():
        return queue.put_aside(path.name, "envelope without a message")
    return 0
