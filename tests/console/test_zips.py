"""A zip as an answer: whole, in pieces, and nothing of it stays behind."""

from __future__ import annotations

import asyncio
import io
import zipfile
from pathlib import Path

import pytest

from gatepost.console import zips
from gatepost.console.zips import zipped
from gatepost.desk import privacy
from gatepost.desk.errors import NotFound
from tests.console.house import House


def test_zipped(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that is larger than what lies in memory; no file is left."""
    monkeypatch.setattr(zips, "IN_MEMORY", 10)
    monkeypatch.setattr(zips, "PIECE", 100)
    with house.desk() as desk:
        before = sorted(Path(desk.data_dir).iterdir())
        answer = zipped(desk, "ann.example", privacy.person("mia@partner.example"))

        async def pieces() -> list[bytes]:
            return [bytes(one) async for one in answer.body_iterator]  # type: ignore[arg-type]

        found = asyncio.run(pieces())
        assert len(found) > 2
        assert zipfile.ZipFile(io.BytesIO(b"".join(found))).testzip() is None
        assert before == [one for one in sorted(Path(desk.data_dir).iterdir()) if one in before]
        assert not [one for one in Path(desk.data_dir).iterdir() if one.name.startswith("tmp")]


def test_fault(house: House) -> None:
    """A fault comes before the answer begins."""
    with house.desk() as desk, pytest.raises(NotFound):
        zipped(desk, "not.example", privacy.person("mia@partner.example"))
