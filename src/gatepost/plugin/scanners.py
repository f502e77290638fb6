"""What checks that ask a scanner share: several addresses, and one that is dead is left alone for a while.

A scanner is asked once for a message and all recipients with equal settings. One that cannot be reached,
is too slow or says what is not its protocol is passed over for the next; when none is left the check
cannot answer, and `on_failure` says what that means. It never becomes a refusal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, TypeVar

from pydantic import AfterValidator

from gatepost.plugin.outside import OutsideError
from gatepost.plugin.tools import CannotAnswer
from gatepost.telemetry.conditions import HERE, SCANNER

T = TypeVar("T")

REST = 15.0
"""Seconds that an address is left alone after it failed; twice as long each time, up to `LONGEST`."""
LONGEST = 300.0
ATTEMPTS = 2
"""Addresses that are tried for one message."""


async def read_all(reader: asyncio.StreamReader, most: int) -> bytes:
    """Return what comes until the other side ends, in however many pieces; never more than `most`."""
    said = bytearray()
    while piece := await reader.read(most + 1 - len(said)):
        said += piece
        if len(said) > most:
            raise OutsideError(f"an answer of more than {most} bytes")
    return bytes(said)


def _address(text: str) -> str:
    """Check `unix:/path` or `host:port`."""
    if text.startswith("unix:/"):
        return text
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ValueError(f"{text!r} is neither unix:/path nor host:port")
    return text


ScannerAddress = Annotated[str, AfterValidator(_address)]
"""Where a scanner listens: `unix:/run/clamav/clamd.ctl` or `127.0.0.1:3310`."""


class Breaker:
    """The circuit breaker of one check in one process."""

    def __init__(self) -> None:
        self._failed: dict[str, tuple[int, float]] = {}
        """address -> (failures running, moment until which it is left alone)."""

    async def ask(
        self,
        addresses: Sequence[str],
        question: Callable[[str], Awaitable[T]],
        now: float,
        seconds: float,
        alert: Callable[[str], None],
    ) -> T:
        """Ask the first address that works; CannotAnswer when none does. `seconds` for each attempt."""
        rested = [one for one in addresses if self._failed.get(one, (0, 0.0))[1] <= now]
        # When all are resting the one that rests the shortest is tried: it may be back.
        chosen = rested or sorted(addresses, key=lambda one: self._failed[one][1])[:1]
        said: list[str] = []
        for address in chosen[:ATTEMPTS]:
            try:
                async with asyncio.timeout(seconds):
                    answer = await question(address)
            except TimeoutError:
                said.append(self._failure(address, f"no answer within {seconds:g} s", now, alert))
            except (
                OSError,
                OutsideError,
                asyncio.IncompleteReadError,
                asyncio.LimitOverrunError,
                ValueError,
            ) as error:
                said.append(self._failure(address, str(error) or type(error).__name__, now, alert))
            else:
                HERE.well(SCANNER, address, now)
                if self._failed.pop(address, None) is not None:
                    alert(f"{address} answers again")
                return answer
        raise CannotAnswer("; ".join(said) or "a scanner is not available here: no address is set")

    def _failure(self, address: str, why: str, now: float, alert: Callable[[str], None]) -> str:
        count = self._failed.get(address, (0, 0.0))[0] + 1
        HERE.ill(SCANNER, address, why, now)
        self._failed[address] = count, now + min(LONGEST, REST * 2 ** min(count - 1, 10))
        if count == 1:
            alert(f"{address}: {why}")
        return f"{address}: {why}"
