"""What a check would remember is seen by itself and by nobody else."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gatepost.desk.secret import installation_secret
from gatepost.desk.shadow import ShadowRecords, ShadowState, ShadowTeacher
from gatepost.mail import train_address
from gatepost.mail.message import Message
from gatepost.plugin.training import Pupil
from gatepost.store.memory import MemoryRecords, MemoryState

PLACE = ("example.org", "p", "key")


def test_state() -> None:
    """Reads go through, writes stay here."""

    async def run() -> None:
        below = MemoryState()
        await below.put("known", b"1", 60)
        await below.add("count", 3, 60)
        shadow = ShadowState(below, MemoryState())
        assert await shadow.get("known") == b"1"
        await shadow.put("new", b"2", 60)
        await shadow.delete("known")
        assert (await shadow.get("new"), await shadow.get("known")) == (b"2", None)
        assert (await below.get("new"), await below.get("known")) == (None, b"1")
        assert await shadow.add("count", 2, 60) == 5
        assert await below.add("count", 0, 60) == 3

    asyncio.run(run())


def test_records() -> None:
    """Records and counts alike."""

    async def run() -> None:
        below = MemoryRecords()
        await below.put(*PLACE, {"a": 1})
        held = await below.reserve(*PLACE, 2, 60)
        assert held is not None
        await below.settle(held, used=True)
        shadow = ShadowRecords(below)
        assert await shadow.get(*PLACE) == {"a": 1}
        await shadow.put("example.org", "p", "other", 2)
        await shadow.delete(*PLACE)
        assert await shadow.list("example.org", "p") == [("other", 2)]
        assert await below.list("example.org", "p") == [("key", {"a": 1})]
        reservation = await shadow.reserve(*PLACE, 2, 60)
        assert reservation is not None
        await shadow.settle(reservation, used=True)
        assert await below.count(*PLACE) == await shadow.count(*PLACE) == 1
        assert await shadow.reserve(*PLACE, 1, 60) is None

    asyncio.run(run())


def test_teacher(tmp_path: Path) -> None:
    """It knows a secret from a wrong one, and learns nothing."""
    address = train_address.make(installation_secret(tmp_path), "example.org", "ann", 1, spam=True)
    named = train_address.read(address.partition("@")[0])
    assert named is not None
    teacher = ShadowTeacher(tmp_path)
    assert teacher.is_secret_of(named, "example.org", 1)
    assert not teacher.is_secret_of(named, "example.org", 2)
    pupil = Pupil("example.org", "ann@example.org", True, "T.1")
    assert "would be learnt" == asyncio.run(teacher.teach(pupil, Message(b"\r\n"), None))
    assert ["secret"] == [path.name for path in tmp_path.iterdir()]
