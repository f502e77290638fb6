"""A running gateway for the tests of one file, and its domains written straight into the policy."""

from __future__ import annotations

import asyncio
import re
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gatepost.store.journal_db import JournalStore
from gatepost.store.policy_db import PolicyStore
from tests.relay.backend import Backend
from tests.system.gateway import Gateway
from tests.system.process import open_directory, wait_until


@contextmanager
def running(prepare: Callable[[Path], None] | None = None, **settings: Any) -> Iterator[Gateway]:
    """Run a gateway; `prepare` gets its folder before it starts."""
    with open_directory("gateway") as top:
        gateway = Gateway(top, settings)
        try:
            if prepare is not None:
                prepare(top)
            gateway.start()
            yield gateway
        finally:
            gateway.kill()


@contextmanager
def behind(**how: Any) -> Iterator[Backend]:
    """Run a scripted back end (tests/relay/backend.py) in a thread of its own."""
    backend = Backend(**how)
    ready, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        async with backend.running():
            ready.set()
            while not stop.is_set():
                await asyncio.sleep(0.02)

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield backend
    finally:
        stop.set()
        thread.join(10)


def policy(gateway: Gateway) -> PolicyStore:
    """Open the policy of a gateway, as its command line does."""
    return PolicyStore(gateway.data / "policy.db")


def host(gateway: Gateway, domain: str, routes: str | list[str], **settings: Any) -> None:
    """Host a domain that takes mail for everybody; `x__mode` is the setting `x.mode`."""
    values = {"recipients": "any"} | {key.replace("__", "."): value for key, value in settings.items()}
    store = policy(gateway)
    try:
        store.add_domain(domain, routes, values)
    finally:
        store.close()


def deny(gateway: Gateway, domain: str, client: str) -> None:
    """Put a client's address on a domain's deny list."""
    store = policy(gateway)
    try:
        store.add_entry(f"domain:{domain}", "deny", "ip", client)
    finally:
        store.close()


def in_force() -> None:
    """Wait until a change is in force in every process of every gateway that this process started.

    A second (CONTRACT 5) also for what is no policy; longer only where a busy machine gives no turn.
    """
    time.sleep(1.0)
    for gateway in list(Gateway.started):
        wait_until(gateway.current, "the policy is in force")


def journal(gateway: Gateway, **where: Any) -> list[Any]:
    """Return the outcomes in the journal, oldest first."""
    store = JournalStore(gateway.data / "journal.db")
    found: list[Any] = []
    try:
        while page := store.search(newer=found[-1].seq if found else -1, limit=500, **where):
            found += page
    finally:
        store.close()
    return found


def written(gateway: Gateway, count: int, seconds: float = 10, **where: Any) -> list[Any]:
    """Wait until the journal has so many outcomes and return them."""
    wait_until(lambda: len(journal(gateway, **where)) >= count, f"{count} outcomes", seconds)
    return journal(gateway, **where)


def metric(gateway: Gateway, name: str) -> float:
    """Return the sum of a metric over its labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{gateway.metrics_port}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if re.match(rf"{name}[{{ ]", line))


def workers(gateway: Gateway) -> list[int]:
    """Return the process ids of the workers and of the keeper, which is the last."""
    assert gateway.child is not None
    parent = gateway.child.process.pid
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
