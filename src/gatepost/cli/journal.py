"""`gatepost journal`: what became of each mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gatepost.cli.house import at_desk
from gatepost.cli.output import iso, paint, print_entry, print_json, print_json_line, visible, when
from gatepost.cli.words import as_json, domain_option, plugin_option

if TYPE_CHECKING:
    from gatepost.store.base import OutcomeRow

FATES = ("accepted", "rejected", "deferred", "quarantined", "queued", "taken", "abandoned")


@click.command()
@click.option("--follow", "-f", is_flag=True, help="Go on and show what comes.")
@domain_option("Only of this domain.")
@click.option("--since", metavar="TIME", help="1h, 7d, or a date.")
@click.option("--outcome", type=click.Choice(FATES), help="Only with this outcome.")
@plugin_option("Only where this check decided.")
@click.option(
    "--sender", default="", metavar="PART", help="Part of the sender's address; <> is the null sender."
)
@click.option("--recipient", default="", metavar="PART", help="Part of the recipient's address.")
@click.option("--client", default="", metavar="START", help="How the client's address begins.")
@click.option("--limit", "-n", type=click.IntRange(0, 1_000_000), help="At most so many.  [default: 50]")
@click.argument("text", required=False)
@as_json
def command(
    follow: bool,
    domain: str | None,
    since: str | None,
    outcome: str | None,
    plugin: str | None,
    sender: str,
    recipient: str,
    client: str,
    limit: int | None,
    text: str | None,
    as_json: bool,
) -> None:
    """Show what became of each mail, the newest last; TEXT looks in every field.

    `gatepost explain ID` shows each check of one of them.
    """
    from gatepost.desk import journal, spans

    asked: dict[str, Any] = {
        "outcome": outcome,
        "plugin": plugin.replace("-", "_") if plugin else None,
        "sender": sender,
        "recipient": recipient,
        "client": client,
        "text": text,
    }
    with at_desk() as desk:
        start = spans.since(since, desk.clock()) if since else None
        most = limit if limit is not None else 10_000 if since else 10 if follow else 50
        found = journal.search(desk, domain, since=start, limit=most, **asked)
        found.reverse()
        if as_json and not follow:
            print_json([_as_json(row) for row in found])
            return
        for row in found:
            _print(row, as_json)
        if not follow:
            if not found:
                click.echo("Nothing is written down that fits.", err=True)
            return
        seen = max((row.seq for row in found), default=None)
        try:
            for row in journal.follow(desk, domain, start=seen, **asked):
                _print(row, as_json)
        except KeyboardInterrupt:
            return


def _print(row: OutcomeRow, as_json: bool) -> None:
    if as_json:
        print_json_line(_as_json(row))
        return
    why = f"{row.plugin}: {row.reason}" if row.plugin else row.reason
    code = f" {row.code}" if row.code else ""
    print_entry(
        f"{when(row.time)}  {paint(row.fate)}{code}  {row.id}  {visible(row.client)}",
        visible(f"{row.sender or '<>'} -> {row.recipient}{f'  {why}' if why else ''}"),
    )


def _as_json(row: OutcomeRow) -> dict[str, object]:
    return {
        "id": row.id,
        "time": iso(row.time),
        "domain": row.domain,
        "from": row.sender,
        "recipient": row.recipient,
        "client": row.client,
        "outcome": row.fate,
        "code": row.code,
        "plugin": row.plugin,
        "reason": row.reason,
        "score": row.score,
        "size": row.size,
        "subject": row.subject,
        "archive": row.archive_ref,
        "seconds": row.seconds,
    }
