"""A zip of one person's data as an answer: made whole in a file without a name, then sent piece by piece."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO

from fastapi.responses import StreamingResponse

from gatepost.desk.desk import Desk
from gatepost.desk.person import Person
from gatepost.desk.privacy_export import export

PIECE = 65_536
IN_MEMORY = 4 << 20
"""Bytes that lie in no file."""


def zipped(desk: Desk, domain: str, who: Person) -> StreamingResponse:
    """Return a person's data as a file that no browser opens."""
    file = tempfile.SpooledTemporaryFile(IN_MEMORY, dir=str(desk.data_dir))  # noqa: SIM115 - closed when sent
    try:
        export(desk, domain, who, file)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return StreamingResponse(
        _pieces(file),
        media_type="application/zip",
        headers={"content-disposition": 'attachment; filename="person.zip"', "cache-control": "no-store"},
    )


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece
