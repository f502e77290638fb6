"""What would happen to this mail, without doing it: the checks are asked, nothing is kept or counted.

The same snapshot, pipeline and decision as on port 25. What is asked of others (DNS, a callout to
the domain's own server) is really asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError
from gatepost.desk.shadow import ShadowRecords, ShadowState, ShadowTeacher
from gatepost.desk.trial import Answer, Mail, Stage, Trial
from gatepost.dns.resolver import Resolver
from gatepost.mail.address import Address
from gatepost.plugin.outside import http, stream
from gatepost.plugin.pipeline import Pipeline
from gatepost.plugin.tools import Tools
from gatepost.policy.policy import DomainPolicy
from gatepost.policy.snapshot import PolicyUnavailable, Snapshot
from gatepost.policy.source import PolicySource
from gatepost.relay.callout import Callout
from gatepost.relay.ourselves import Ourselves
from gatepost.relay.pool import Pool
from gatepost.store.memory import MemoryState
from gatepost.store.records_db import RecordsStore
from gatepost.store.state_db import StateStore

Verify = Callable[[DomainPolicy, Address, str], Awaitable[str]]
"""Does the recipient exist? `yes`, `no`, `unknown`."""


def check(desk: Desk, mail: Mail) -> list[Answer]:
    """Return what would happen, for each recipient."""
    try:
        return asyncio.run(_check(desk, mail))
    except PolicyUnavailable as error:
        raise DeskError(f"every recipient would be deferred with 451: {error}") from error


async def _check(desk: Desk, mail: Mail) -> list[Answer]:
    async with opened(desk) as memory:
        ours = Ourselves([(host or "0.0.0.0", port) for host, port in desk.doors])  # noqa: S104 - compared
        pool = Pool(desk.hostname, memory.dns, is_ours=ours.owns)
        callout = Callout(pool, clock=desk.clock)

        async def verify(policy: DomainPolicy, address: Address, _client: str) -> str:
            return await callout.verify(policy.routes, address)

        try:
            stage = memory.stage(desk.policy, verify, desk.clock)
            return await Trial(stage, replace(mail, time=mail.time or desk.clock())).run()
        finally:
            pool.close()


@dataclass(frozen=True, slots=True)
class Memory:
    """What checks ask and what they remember, opened for one question."""

    desk: Desk
    dns: Resolver
    state: StateStore
    records: RecordsStore

    def stage(self, source: PolicySource, verify: Verify, clock: Callable[[], float]) -> Stage:
        """Return the checks under a policy; what they remember is theirs alone and never written."""
        registry = self.desk.registry
        snapshot = Snapshot(self.desk.policy.version(), source, registry.defaults())
        tools = Tools(
            state=ShadowState(self.state, MemoryState(clock)),
            records=ShadowRecords(self.records),
            dns=self.dns,
            verify_recipient=verify,
            recipient_row=snapshot.recipient,
            hostname=self.desk.hostname,
            models=self.desk.models_in,
            teacher=ShadowTeacher(self.desk.data_dir),
            commands=self.desk.commands,
            stream=stream,
            http=http,
            scanners=self.desk.scanners,
        )
        pipeline = Pipeline(registry, tools, clock)
        pipeline.configure_gateway(snapshot.everywhere)
        return Stage(snapshot, pipeline, registry.unskippable)


@asynccontextmanager
async def opened(desk: Desk) -> AsyncIterator[Memory]:
    """Open what checks need, and close it."""
    dns = Resolver(desk.dns_servers, desk.dns_timeout)
    state = StateStore(desk.data_dir / "state.db")
    records = RecordsStore(desk.data_dir / "records.db")
    try:
        yield Memory(desk, dns, state, records)
    finally:
        await dns.close()
        state.close()
        records.close()
