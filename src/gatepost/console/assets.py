"""The files that never change while we run: read once, packed once.

Their address holds a digest of what is in them (`?v=`), so a new version is a new address and browsers
may keep them. All is served from here: no page of ours asks another host for anything.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class File:
    """One file, whole."""

    kind: str
    plain: bytes
    packed: bytes
    digest: str


@cache
def files() -> dict[str, File]:
    """Return every file by its path below `static/`."""
    found = {}
    for path in sorted(FOLDER.rglob("*")):
        if path.suffix in KINDS:
            plain = path.read_bytes()
            digest = hashlib.sha256(plain).hexdigest()[:12]
            packed = gzip.compress(plain, 9, mtime=0)
            found[str(path.relative_to(FOLDER))] = File(KINDS[path.suffix], plain, packed, digest)
    return found


def address(name: str) -> str:
    """Return where a page finds a file; KeyError for one that is not there."""
    return f"/static/{name}?v={files()[name].digest}"
