"""One file with everything that is remembered, and back again.

A backup is taken while mail flows. A restore wants the server stopped; what was there is set
aside and not thrown away. Files that root put back belong to the owner of data_dir again.
"""

from __future__ import annotations

import os
from pathlib import Path

from gatepost.desk import troubles
from gatepost.desk.errors import DeskError
from gatepost.store import backup as store
from gatepost.store.backup import Summary
from gatepost.store.base import StoreError


def make(data_dir: Path, file: Path, now: float) -> Summary:
    """Write a backup; a file of that name is replaced when the new one is whole."""
    if file.is_dir():
        raise DeskError(f"{file} is a folder; name a file")
    try:
        summary = store.backup(data_dir, file, now)
    except (StoreError, OSError) as error:
        _went(data_dir, now, str(error))
        if isinstance(error, OSError):
            raise
        raise DeskError(str(error)) from error
    _went(data_dir, now, "")
    return summary


def _went(data_dir: Path, now: float, why: str) -> None:
    """Tell the alarms how it went; that this cannot be written is no fault of the backup."""
    try:
        troubles.backed_up(data_dir, now, why)
    except OSError:
        return


def put_back(data_dir: Path, file: Path, now: float, *, replace: bool = False) -> Summary:
    """Put a backup back into an empty data_dir; with `replace` also over one that is not."""
    if not file.is_file():
        raise DeskError(f"{file} is not a file")
    try:
        summary = store.restore(file, data_dir, replace=replace, now=now)
    except StoreError as error:
        raise DeskError(str(error)) from error
    if os.geteuid() == 0:
        _give_to_owner(data_dir)
    return summary


def _give_to_owner(data_dir: Path) -> None:
    owner = data_dir.stat()
    if owner.st_uid == 0:
        return
    for folder, names, files in os.walk(data_dir):
        for name in (*names, *files):
            os.chown(Path(folder) / name, owner.st_uid, owner.st_gid, follow_symlinks=False)
