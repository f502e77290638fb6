"""`gatepost alarms`: what is in trouble, and whether anybody would be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gatepost.cli.house import at_desk, complaints, config_of
from gatepost.cli.output import iso, print_json, print_table, visible, when
from gatepost.cli.words import as_json

if TYPE_CHECKING:
    from gatepost.desk.alarms import Alarm


@click.group()
def command() -> None:
    """What is in trouble: DNS lists, scanners, back ends, checks, processes, the disk, backups, held mail."""


@command.command("list")
@click.option("--all", "ended", is_flag=True, help="Also those that are over.")
@as_json
def listing(ended: bool, as_json: bool) -> None:
    """List the alarms that go on, the newest first."""
    from gatepost.desk import alarm_book

    with at_desk() as desk:
        found = alarm_book.shown(desk, None, ended=ended)
        fails = alarm_book.ways_that_fail(desk)
    if as_json:
        print_json([_as_json(one) for one in found])
        return
    print_table(
        ["since", "until", "alarm"],
        [(when(one.began), "" if one.open else when(one.ended), visible(one.text)) for one in found],
        empty="No alarm.",
    )
    for way, why in fails.items():
        click.echo(f"nothing gets out by {way}: {visible(why)}", err=True)


@command.command()
def test() -> None:
    """Send a test on each way that gatepost.toml sets ([alarms] webhook, mail_to with mail_through)."""
    import asyncio

    config = config_of()
    if not config.alarms.ways:
        raise click.ClickException("no way is set: [alarms] webhook, or mail_to and mail_through")
    with complaints():
        said = asyncio.run(_try(config))
    for way, why in said.items():
        click.echo(f"{way}: {visible(why) or 'sent'}")
    if any(said.values()):
        raise click.ClickException("not every way works")


async def _try(config: Any) -> dict[str, str]:
    """Return way -> why nobody could be told, "" where somebody was."""
    import time

    from gatepost.app.alarm_ways import Undelivered, Ways
    from gatepost.app.tools import make_relay, make_resolver
    from gatepost.desk.alarm_words import TEST, Notice

    resolver = make_resolver(config)
    relay = make_relay(config, resolver)
    ways = Ways(config, relay)
    said = {}
    for way in config.alarms.ways:
        try:
            await ways.send(way, [Notice(TEST)], time.time())
            said[way] = ""
        except Undelivered as error:
            said[way] = str(error)
    relay.pool.close()
    await resolver.close()
    return said


def _as_json(alarm: Alarm) -> dict[str, object]:
    return {
        "alarm": alarm.key,
        "kind": alarm.kind,
        "name": alarm.name,
        "text": alarm.text,
        "domains": list(alarm.domains),
        "began": iso(alarm.began),
        "ended": None if alarm.open else iso(alarm.ended),
        "times": alarm.times,
    }
