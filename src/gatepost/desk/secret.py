"""The installation's secret, under which released mail is signed: made once, read by every process."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

NAME = "secret"
LENGTH = 32


def installation_secret(data_dir: Path) -> bytes:
    """Return the secret; whoever comes first makes it (0600), all others read the same one."""
    path = data_dir / NAME
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        found = _make(path)
    if len(found) != LENGTH:
        raise OSError(5, "The installation's secret is damaged; delete it and a new one is made", str(path))
    return found


def _make(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    tmp = path.with_name(f".{NAME}.{secrets.token_hex(4)}")
    fd = os.open(tmp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, secrets.token_bytes(LENGTH))
        os.fsync(fd)
    finally:
        os.close(fd)
    try:
        os.link(tmp, path)  # fails when another process was faster: then its secret counts
    except FileExistsError:
        pass
    finally:
        tmp.unlink()
    return path.read_bytes()
