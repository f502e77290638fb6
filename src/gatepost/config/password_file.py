"""A password that stands in a file of its own: read when it is needed, so that a new one holds at once."""

from __future__ import annotations

from pathlib import Path

LARGEST = 1_000
"""Bytes: a password, not a folder of them."""


class BadPasswordFile(Exception):
    """There is no password to be had; the text says why, and never what stands in the file."""


def read(path: Path) -> str:
    """Return the password; one line end behind it is not part of it."""
    try:
        if not path.is_file():  # a pipe would be waited for
            raise BadPasswordFile(f"{path} is not a file" if path.exists() else f"{path} does not exist")
        with path.open("rb") as stream:
            raw = stream.read(LARGEST + 1)
        text = raw.decode().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise BadPasswordFile(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError:
        raise BadPasswordFile(f"{path} is not UTF-8") from None
    if len(raw) > LARGEST:
        raise BadPasswordFile(f"{path} holds more than {LARGEST} bytes")
    if not text:
        raise BadPasswordFile(f"{path} is empty")
    if not text.isprintable():
        raise BadPasswordFile(f"{path} holds more than one line, or control characters")
    return text


def is_open(path: Path) -> bool:
    """Return whether every user of this machine may read it."""
    try:
        return bool(path.stat().st_mode & 0o007)
    except OSError:
        return False
