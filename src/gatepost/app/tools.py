"""What the checks and the relay reach the world with; made in each process after the fork."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, cast

from gatepost.config import Config
from gatepost.desk.secret import installation_secret
from gatepost.dns.resolver import Resolver
from gatepost.mail.address import Address
from gatepost.plugin.commands import Commands
from gatepost.plugin.learning import models_in
from gatepost.plugin.outside import http, stream
from gatepost.plugin.tools import Tools
from gatepost.plugin.training import Teacher
from gatepost.plugin.worker import Workers
from gatepost.policy.policy import DomainPolicy
from gatepost.relay.callout import Callout
from gatepost.relay.handoff import Relay
from gatepost.relay.ourselves import Ourselves
from gatepost.relay.pool import Pool
from gatepost.relay.routes import guard_for
from gatepost.server.sockets import parse_host_port
from gatepost.spool.archive import Archive
from gatepost.store.deaths import DEATHS, Deaths
from gatepost.telemetry import metrics
from gatepost.telemetry.log import Format, Level, Log


def make_log(config: Config) -> Log:
    """Return the log of this process: standard output, which systemd or a container takes."""
    return Log(1, cast("Format", config.log.style), cast("Level", config.log.level))


def make_resolver(config: Config) -> Resolver:
    """Return the process's resolver."""
    return Resolver(config.dns.servers, config.dns.timeout)


def doors_of(config: Config) -> list[tuple[str, int]]:
    """Return our own SMTP addresses."""
    listen = (*config.smtp.listen, *config.smtp.outgoing.listen)
    doors = [parse_host_port(address, 25) for address in listen]
    return [(door.host or "0.0.0.0", door.port) for door in doors]  # noqa: S104 - compared, not bound


def make_relay(config: Config, resolver: Resolver) -> Relay:
    """Return the way on, which never leads to ourselves."""
    ourselves = Ourselves(doors_of(config))
    guard = guard_for(config.relay.allow)
    pool = Pool(config.hostname, resolver, is_ours=ourselves.owns, guard=guard, dice=random.random)
    return Relay(pool, dice=random.random, count=count_relay, clock=time.time)


def count_relay(kind: str) -> None:
    """Count one recipient's result of a hand-off."""
    metrics.RELAY_ATTEMPTS.inc(1, kind)


def make_tools(
    config: Config,
    state: Any,
    records: Any,
    resolver: Resolver,
    relay: Relay,
    running: Callable[..., None],
    hands: Any,
    alert: Callable[[str, str], None],
    archive: Archive,
) -> Tools:
    """Return what plugins are handed."""
    models = models_in(config.data_dir)
    callout = Callout(relay.pool, clock=time.time, dice=random.random)

    teacher: Teacher | None = None
    try:
        secret = installation_secret(config.data_dir)
        teacher = Teacher(config.data_dir, secret, config.hostname, models, archive, time.time)
    except OSError as error:  # mail goes on; what is sent to training addresses is deferred
        alert("training", f"the installation's secret: {error.strerror or error}")

    async def verify(policy: DomainPolicy, address: Address, _client: str) -> str:
        return await callout.verify(policy.routes, address)

    return Tools(
        state=state,
        records=records,
        dns=resolver,
        verify_recipient=verify,
        stream=stream,
        http=http,
        in_worker=Workers().run,
        models=models,
        scanners=config.scanner.addresses,
        commands=Commands(config.scanner.commands, config.data_dir),
        teacher=teacher,
        alert=alert,
        hostname=config.hostname,
        running=running,
        deaths=Deaths(config.data_dir / DEATHS),
        hands=hands,
    )


def teaching_tools(config: Config) -> Tools:
    """Return what checks need that teach the filters behind them, in the keeper."""
    commands = Commands(config.scanner.commands, config.data_dir)
    return Tools(
        stream=stream,
        http=http,
        commands=commands,
        scanners=config.scanner.addresses,
        hostname=config.hostname,
    )
