"""Whole messages out of files: single ones, mboxes, Maildirs, and folders of all of them."""

from __future__ import annotations

import mailbox
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from gatepost.desk.errors import DeskError
from gatepost.desk.mail_files import SIDE_FILES

MAX_MESSAGE = 10 << 20
"""Bytes of a message that are read; the rest tells the classifier nothing."""


def files(paths: Iterable[str]) -> list[Path]:
    """Return the mail files below these paths, in a fixed order; DeskError for a path that is not there."""
    found: list[Path] = []
    for given in paths:
        path = Path(given)
        if path.is_dir():
            for top, folders, names in os.walk(path):
                folders.sort()
                found += [Path(top, name) for name in sorted(names) if not SIDE_FILES.fullmatch(name)]
        elif path.is_file():
            found.append(path)
        else:
            raise DeskError(f"{given} is neither a file nor a folder")
    return found


def messages(
    found: Iterable[Path], unreadable: list[str], progress: Callable[[int], None] = lambda _bytes: None
) -> Iterator[bytes]:
    """Yield each message; what cannot be read is noted in `unreadable`."""
    for path in found:
        try:
            size = path.stat().st_size
            with path.open("rb") as stream:
                is_mbox = stream.read(5) == b"From "
                if not is_mbox:
                    stream.seek(0)
                    text = stream.read(MAX_MESSAGE)
                    if text.strip():
                        yield text
            if is_mbox:
                yield from _mbox(path)
        except OSError as error:
            unreadable.append(f"{path}: {error.strerror or error}")
        else:
            progress(size)


def _mbox(path: Path) -> Iterator[bytes]:
    box = mailbox.mbox(path, create=False)
    try:
        for key in box.keys():  # noqa: SIM118 - a mailbox is no mapping
            yield box.get_bytes(key)[:MAX_MESSAGE]
    finally:
        box.close()
