"""A dictionary attack from many addresses on two workers: each address is put off after its few guesses.

`GATEPOST_ATTACK=100000` makes it as large as the one that the bars speak of.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Callable

import pytest

from tests.system.gateway import Gateway
from tests.system.process import wait_until
from tests.system.running import in_force
from tests.system.sink import Sink
from tests.system.test_backends import hosting, letter

ADDRESSES = 200
GUESSES = int(os.environ.get("GATEPOST_ATTACK", "6000"))
"""RCPT of the whole attack."""
EACH = GUESSES // ADDRESSES
LIMIT = 10
"""Unknown recipients of one client within the hour."""
AT_ONCE = 20
"""RCPT in one session: below the number of errors that ends one."""


@pytest.fixture
def attacked(make_gateway: Callable[..., Gateway], sink: Sink) -> Gateway:
    """Give a gateway with two workers, where unknown recipients are counted by client."""
    gateway = make_gateway(smtp={"workers": 2})
    hosting(gateway, sink.port)
    limits = [f"client_rate.unknown_recipients={LIMIT}", "client_rate.window=3600"]
    gateway.cli("domain", "set", "--all", *limits)
    return gateway


class Attacker:
    """One address that names recipients out of a dictionary."""

    def __init__(self, port: int, number: int) -> None:
        self.source = f"127.66.{number // 200}.{number % 200 + 1}"
        self.said: Counter[int] = Counter()
        self._port = port

    async def session(self, guesses: int) -> None:
        """Connect and guess, one after the other."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self._port, local_addr=(self.source, 0), limit=1 << 20
        )
        try:
            code = await self._reply(reader)
            if code != 220:
                self.said[code] += guesses
                return
            for command in (b"EHLO spam.example\r\n", b"MAIL FROM:<a@client.example>\r\n"):
                writer.write(command)
                await self._reply(reader)
            for n in range(guesses):
                writer.write(b"RCPT TO:<guess%d@example.org>\r\n" % n)
                code = await self._reply(reader)
                self.said[code] += 1 if code else guesses - n
                if not code:
                    return
        finally:
            writer.close()

    @staticmethod
    async def _reply(reader: asyncio.StreamReader) -> int:
        while line := await reader.readline():
            if line[3:4] == b" ":
                return int(line[:3])
        return 0


async def attack(port: int, attackers: list[Attacker], guesses: int) -> None:
    """Let all attack, some at a time."""
    room = asyncio.Semaphore(40)

    async def one(attacker: Attacker) -> None:
        async with room:
            left = guesses
            while left > 0:
                await attacker.session(min(AT_ONCE, left))
                left -= AT_ONCE

    await asyncio.gather(*(one(attacker) for attacker in attackers))


def test_dictionary_attack(attacked: Gateway, sink: Sink) -> None:
    """Nobody learns more than a few names, in whichever worker he lands; others' mail flows all the while."""

    def counting() -> bool:
        """The limit is in force in a worker: a client of its own is put off."""
        attacker = Attacker(attacked.port, 9_999)
        asyncio.run(attack(attacked.port, [attacker], AT_ONCE))
        return attacker.said[550] < AT_ONCE

    wait_until(counting, "client_rate in force")
    in_force()  # in the other worker, too
    attackers = [Attacker(attacked.port, n) for n in range(ADDRESSES)]
    asyncio.run(attack(attacked.port, attackers, EACH))
    learnt = [attacker.said[550] for attacker in attackers]
    # A worker hears of the other's counts twice a second, so a client may have the limit of each.
    assert all(LIMIT <= n <= 2 * LIMIT for n in learnt), sorted(learnt)
    total = Counter[int]()
    for attacker in attackers:
        total.update(attacker.said)
    assert ADDRESSES * EACH == total.total()
    assert {550, 450, 421} >= set(total), total
    assert total[450] + total[421] == ADDRESSES * EACH - sum(learnt)

    # Half a second later it does not matter in which worker he comes again.
    wait_until(lambda: _turned_away(attacked.port), "all addresses turned away at once")

    assert 250 == attacked.send(["ann@example.org"], letter("from a friend"))[0]
    assert sink.messages()


def _turned_away(port: int) -> bool:
    """Say whether each address is refused as soon as it connects, four times running."""
    again = [Attacker(port, n) for n in range(ADDRESSES)]
    asyncio.run(attack(port, again, AT_ONCE * 4))
    return all({421} == set(attacker.said) for attacker in again)
