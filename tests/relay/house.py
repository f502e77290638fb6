"""A relay as the app builds it, for tests: one mail handed on in a line."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from gatepost.mail.address import Address, parse_address
from gatepost.mail.session import Session
from gatepost.relay.handoff import Relay
from gatepost.relay.pool import Pool
from gatepost.relay.results import MailParams, Result, Target, To
from tests.relay.backend import Backend, run

SENDER = parse_address("a@b.example")
MAIL = [b"Subject: x\r\n\r\nHello\r\n", b"..dot\r\n"]
TOP = b"Received: by us\r\n\twith a fold\r\n"
WHOLE = TOP + b"Subject: x\r\n\r\nHello\r\n.dot\r\n"


class Nobody:
    """A resolver that knows nothing."""

    async def a(self, name: str) -> list[str]:
        raise AssertionError(f"asked for {name}")

    async def aaaa(self, name: str) -> list[str]:
        raise AssertionError(f"asked for {name}")

    async def mx(self, name: str) -> list[tuple[int, str]]:
        raise AssertionError(f"asked for {name}")


def to(*names: str) -> list[To]:
    return [To(parse_address(f"{name}@example.org")) for name in names]


class House:
    """A relay as the app builds it, and a short way to hand one mail on."""

    def __init__(self, tick: float = 0.05) -> None:
        self.counted: list[str] = []
        self.pool = Pool("gate.example", Nobody(), tick=tick)
        self.relay = Relay(self.pool, count=self.counted.append, clock=lambda: 1.5)

    async def send(
        self,
        *targets: Target,
        chunks: list[bytes] | None = None,
        stuffed: bool = True,
        sender: Address | None = SENDER,
        params: MailParams = MailParams(100, "8BITMIME"),  # noqa: B008 - a frozen value
        session: Session | None = None,
        time: float = 30.0,
        proven: bool = False,
        top: bytes = TOP,
    ) -> list[Result]:
        deadline = asyncio.get_running_loop().time() + time
        return await self.relay.hand_off(
            session,
            sender,
            params,
            targets,
            MAIL if chunks is None else chunks,
            stuffed,
            top,
            deadline,
            proven=proven,
        )


def going(
    work: Callable[[House, Backend], Awaitable[None]], backend: Backend | None = None, loop: str = "asyncio"
) -> None:
    """Run `work` with a back end and a relay."""

    async def main() -> None:
        house = House()
        async with (backend or Backend()).running() as running:
            await work(house, running)
            house.pool.close()
            house.pool.close()

    run(main(), loop)


def kinds(results: list[Result]) -> list[tuple[str, int, str]]:
    return [(result.kind, result.code, result.enhanced) for result in results]


def by_name(**answers: bytes) -> Callable[[str], bytes]:
    def say(line: str) -> bytes:
        for name, answer in answers.items():
            if f"<{name}@" in line:
                return answer
        return b"250 2.1.5 Ok\r\n"

    return say
