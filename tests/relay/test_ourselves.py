"""A route never leads to ourselves, whichever of our addresses it names."""

from __future__ import annotations

import pytest

from gatepost.relay.ourselves import Ourselves, can_bind


@pytest.mark.parametrize(
    ("doors", "address", "port", "ours"),
    [
        ([("192.0.2.1", 25)], "192.0.2.1", 25, True),
        ([("192.0.2.1", 25)], "192.0.2.1", 26, False),
        ([("192.0.2.1", 25)], "192.0.2.2", 25, False),
        ([("192.0.2.1", 25)], "::ffff:192.0.2.1", 25, True),
        ([("0.0.0.0", 2525)], "127.0.0.1", 2525, True),
        ([("0.0.0.0", 2525)], "127.1.2.3", 2525, True),
        ([("0.0.0.0", 2525)], "192.0.2.77", 2525, False),
        ([("::", 25)], "127.0.0.1", 25, True),
        ([("2001:DB8::1", 25)], "2001:db8:0::1", 25, True),
        ([], "127.0.0.1", 25, False),
    ],
)
def test_ours(doors: list[tuple[str, int]], address: str, port: int, ours: bool) -> None:
    """Address and port both count; a wildcard means every address of this machine."""
    assert ours == Ourselves(doors).owns(address, port)


def test_the_kernel_is_asked_once_a_minute() -> None:
    """Addresses come and go, but not with each message."""
    asked: list[str] = []
    now = [0.0]

    def is_local(address: str) -> bool:
        asked.append(address)
        return False

    us = Ourselves([("0.0.0.0", 25)], lambda: now[0], is_local=is_local)
    for _ in range(5):
        us.owns("192.0.2.1", 25)
    assert ["192.0.2.1"] == asked
    now[0] = 61
    us.owns("192.0.2.1", 25)
    assert 2 == len(asked)


def test_can_bind() -> None:
    """Loopback is this machine, documentation addresses are not."""
    assert can_bind("127.0.0.9")
    assert not can_bind("192.0.2.1")
