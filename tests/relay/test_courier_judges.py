"""What is not judged yet is judged before it goes on; no answer is no delivery."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from gatepost.relay import courier as module
from gatepost.relay.courier import Judged
from gatepost.spool.envelope import Envelope
from gatepost.store.durable import Blob
from tests.relay.backend import Backend
from tests.relay.test_courier import MAIL, NOW, House, emptying, envelope


def judging(house: House, says: list[Judged]) -> list[tuple[bytes, bool]]:
    """Have a courier who judges say one thing after another; returns what it was asked."""
    asked: list[tuple[bytes, bool]] = []

    async def judge(_envelope: Envelope, blob: Blob, last: bool) -> Judged:
        asked.append((b"".join(blob), last))
        return says.pop(0)

    house.courier._judge = judge
    return asked


def test_not_judged_yet(tmp_path: Path) -> None:
    """No answer, no delivery; then it goes, under the lines that the judgement added; what ended is gone."""

    async def work(house: House, backend: Backend) -> None:
        goes = Judged(module.GOES, top="X-Spam-Flag: YES\r\n")
        asked = judging(house, [Judged(module.WAITS_ON, "clamd is dead"), goes])
        house.queue.put(envelope(unjudged={}), [MAIL])
        await house.round()
        (left,) = house.left()
        assert (1, {}, house.now + module.WAITS[0]) == (left.attempts, left.unjudged, left.due)
        assert "451 4.3.0 clamd is dead (not judged yet)" == left.recipients[0].last
        assert [] == backend.taken
        house.now = left.due
        await house.round()
        assert [(MAIL, False)] * 2 == asked
        assert [b"X-Spam-Flag: YES\r\n" + MAIL] == [taken.text for taken in backend.taken]
        assert f"MAIL FROM:<a@b.example> SIZE={len(MAIL) + 18}" in backend.taken[0].mail
        judging(house, [Judged(module.ENDED, "held")])
        house.queue.put(envelope(unjudged={}), [MAIL])
        await house.round()
        assert ([], 1) == (house.left(), len(backend.taken))

    emptying(tmp_path, work)


def test_nobody_judges(tmp_path: Path) -> None:
    """A courier without checks delivers what is not judged; nor does old age, and it never fails."""

    async def work(house: House, backend: Backend) -> None:
        old = envelope(unjudged={}, attempts=module.ENOUGH)
        house.queue.put(replace(old, created=NOW - module.GIVE_UP), [MAIL])
        await house.round()
        (left,) = house.left()
        assert (False, {}, module.ENOUGH + 1) == (left.recipients[0].failed, left.unjudged, left.attempts)
        assert "451 4.3.0 no checks can be asked here (not judged yet)" == left.recipients[0].last
        assert NOW + module.WAITS[-1] == left.due
        assert ([], []) == (backend.taken, house.fates)
        assert ["courier.attempt"] == [name for name, _ in house.lines if name.startswith("courier")]
        assert 0 == house.queue.expire_failed(NOW + 400 * 86_400, 30 * 86_400)

    emptying(tmp_path, work)


def test_the_last_try_is_said(tmp_path: Path) -> None:
    """Who judges hears that there is no other."""

    async def work(house: House, _backend: Backend) -> None:
        asked = judging(house, [Judged(module.ENDED)])
        old = envelope(unjudged={}, attempts=module.ENOUGH - 1)
        house.queue.put(replace(old, created=NOW - module.GIVE_UP), [MAIL])
        await house.round()
        assert ([(MAIL, True)], []) == (asked, house.left())

    emptying(tmp_path, work)


def test_killed_by_what_it_reads(tmp_path: Path) -> None:
    """That it is tried is on the disk before it is read: it does not come again at once."""

    async def work(house: House, _backend: Backend) -> None:
        async def judge(_envelope: Envelope, _blob: Blob, _last: bool) -> Judged:
            raise MemoryError

        house.courier._judge = judge
        house.queue.put(envelope(unjudged={}), [MAIL])
        await house.round()
        (left,) = house.left()
        assert (1, house.now + module.WAITS[0]) == (left.attempts, left.due)

    emptying(tmp_path, work)


def test_a_scanner_that_hangs_keeps_no_other(tmp_path: Path) -> None:
    """So many are judged at once; what waits for none goes by."""

    async def work(house: House, backend: Backend) -> None:
        hang, asked = asyncio.Event(), []

        async def judge(one: Envelope, _blob: Blob, _last: bool) -> Judged:
            asked.append(one.id)
            await hang.wait()
            return Judged(module.GOES)

        house.courier._judge = judge
        for n in range(module.AT_ONCE + 1):
            house.queue.put(replace(envelope(unjudged={}), id=f"u{n:02}"), [MAIL])
        house.queue.put(replace(envelope(), id="z"), [MAIL])
        await asyncio.wait_for(house.courier.work_off(), 20)
        async with asyncio.timeout(20):
            while not backend.taken:
                await asyncio.sleep(0.01)
        assert (module.JUDGED_AT_ONCE, 1) == (len(asked), len(backend.taken))
        hang.set()
        await house.courier.idle()

    emptying(tmp_path, work)
