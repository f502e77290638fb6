"""A courier alone: `python -m tests.system.courier_process SPOOL ROUTE` empties a spool and ends."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from gatepost.dns.zone import Zone
from gatepost.relay.courier import Courier
from gatepost.relay.handoff import Relay
from gatepost.relay.pool import Pool
from gatepost.spool.queue import Queue


async def empty(spool: Path, route: str) -> None:
    """Work until nothing is left."""
    queue = Queue(spool)
    pool = Pool("mx.gatepost.test", Zone(""))
    courier = Courier(
        queue,
        Relay(pool, clock=time.time),
        hostname="mx.gatepost.test",
        routes_for=lambda _domain: (route,),
        clock=time.time,
    )
    while len(queue):
        await courier.work_off()
        await courier.idle()
    pool.close()


if __name__ == "__main__":
    asyncio.run(empty(Path(sys.argv[1]), sys.argv[2]))
