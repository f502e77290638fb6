"""Is that address this machine's own SMTP door? A route never leads to ourselves (CONTRACT 4).

The kernel knows which addresses are local: only those can be bound. Asked once for each address and
kept for a while, since addresses come and go.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Sequence

KEPT_FOR = 60
MOST = 10_000


class Ourselves:
    """The doors that we listen at: pairs of address and port; `0.0.0.0` and `::` mean every local address."""

    def __init__(
        self,
        doors: Sequence[tuple[str, int]],
        clock: Callable[[], float] = time.monotonic,
        *,
        is_local: Callable[[str], bool] | None = None,
    ) -> None:
        self._doors: dict[int, set[str]] = {}
        for host, port in doors:
            self._doors.setdefault(port, set()).add(_plain(host))
        self._clock = clock
        self._is_local = is_local or can_bind
        self._known: dict[str, tuple[float, bool]] = {}

    def owns(self, address: str, port: int) -> bool:
        """Return whether a connection to this address (a literal) and port would come to us."""
        doors = self._doors.get(port)
        if doors is None:
            return False
        plain = _plain(address)
        if plain in doors:
            return True
        return ("0.0.0.0" in doors or "::" in doors) and self._local(plain)  # noqa: S104 - compared, not bound

    def _local(self, address: str) -> bool:
        now = self._clock()
        known = self._known.get(address)
        if known is not None and now - known[0] < KEPT_FOR:
            return known[1]
        if len(self._known) >= MOST:
            self._known.clear()
        answer = self._is_local(address)
        self._known[address] = (now, answer)
        return answer


def can_bind(address: str) -> bool:
    """Return whether the address is one of this machine's."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


def _plain(host: str) -> str:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    return str(getattr(address, "ipv4_mapped", None) or address)
