"""A plugin that blocks a worker's whole loop: the worker is replaced, the plugin named and put away."""

from __future__ import annotations

import time
from functools import partial

from tests.system.gateway import Gateway
from tests.system.process import open_directory, wait_until
from tests.system.running import behind, host, in_force, policy, running, workers
from tests.system.talk import Talk
from tests.system.test_plugin_faults import put_plugins, told


def one_is_new(gateway: Gateway, before: frozenset[int]) -> bool:
    """Say whether one process was replaced."""
    return len(set(workers(gateway)) - before) == 1


def test_a_plugin_that_blocks_the_loop() -> None:
    """The worker is replaced within 15 s and the plugin named; the second time it may only watch."""
    with open_directory("third-party") as top:
        put_plugins(top)
        folder = {"folder": str(top / "plugins")}
        with behind() as back_end, running(smtp={"workers": 2}, plugins=folder) as gateway:
            values = {"trouble_rcpt.mode": "on", "trouble_rcpt.how": "blocks"}
            host(gateway, "blocks.example", back_end.url, **values)
            host(gateway, "well.example", back_end.url)
            in_force()
            for times in (1, 2):
                before = frozenset(workers(gateway))
                began = time.monotonic()
                with Talk(gateway.port) as stuck:
                    stuck.begin()
                    stuck.send(b"RCPT TO:<ann@blocks.example>\r\n")
                    time.sleep(0.5)
                    slowest = 0.0
                    while time.monotonic() - began < 5:  # the other worker serves meanwhile
                        asked = time.monotonic()
                        assert [250, 250] == told(gateway, "well.example")
                        slowest = max(slowest, time.monotonic() - asked)
                        time.sleep(0.2)
                    assert slowest < 1
                    assert 0 == stuck.reply()[0]  # cut off, never refused
                assert time.monotonic() - began < 15
                wait_until(partial(one_is_new, gateway, before), "a new worker")
                assert time.monotonic() - began < 15
                lines = [line for line in gateway.said().splitlines() if "event=worker_blocked" in line]
                assert times == len(lines)
                assert "plugin=trouble_rcpt" in lines[-1]
                assert f"times={times}" in lines[-1]
                wait_until(lambda: told(gateway, "well.example") == [250, 250], "mail goes on")
            wait_until(lambda: "event=plugin_put_away" in gateway.said(), "the plugin put away")
            assert "plugin=trouble_rcpt mode=watch" in gateway.said()
            store = policy(gateway)
            assert {"domain:blocks.example": "watch"} == store.values_of("trouble_rcpt.mode")
            store.close()
