"""`gatepost queue`: mail that waits to be handed on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gatepost.cli.house import at_desk
from gatepost.cli.output import iso, print_json, print_table, size, when
from gatepost.cli.words import as_json, domain_option

if TYPE_CHECKING:
    from gatepost.desk.desk import Desk
    from gatepost.spool.envelope import Envelope


@click.group()
def command() -> None:
    """Mail that waits to be handed on: released mail, and what a server took not yet."""


@command.command("list")
@domain_option("Only of this domain.")
@as_json
def listing(domain: str | None, as_json: bool) -> None:
    """List what waits, oldest first."""
    from gatepost.desk import queue

    with at_desk() as desk:
        found = queue.listing(desk, domain)
    if as_json:
        print_json([_as_json(e) for e in found])
        return
    print_table(
        ["id", "next try", "tries", "size", "mail"],
        [(e.id, _next(e), e.attempts, size(e.size), _mail(e)) for e in found],
        right=["tries", "size"],
        empty="Nothing waits.",
    )


@command.command()
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that waits.")
@domain_option("With --all: only of this domain.")
def retry(ids: tuple[str, ...], everything: bool, domain: str | None) -> None:
    """Try again now, also what was refused for good."""
    from gatepost.desk import queue

    with at_desk() as desk:
        chosen = _chosen(desk, ids, everything, domain)
        busy = queue.retry(desk, chosen)
    _report(len(chosen) - len(busy), "will be tried now", busy)


@command.command()
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that waits.")
@domain_option("With --all: only of this domain.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def drop(ids: tuple[str, ...], everything: bool, domain: str | None, yes: bool) -> None:
    """Throw away without a bounce. A released mail stays in the archive."""
    from gatepost.desk import queue

    with at_desk() as desk:
        chosen = _chosen(desk, ids, everything, domain)
        if everything and not yes and chosen:
            click.confirm(f"Throw away {len(chosen)} waiting mails?", abort=True, err=True)
        busy = queue.drop(desk, chosen)
    _report(len(chosen) - len(busy), "thrown away", busy)


def _chosen(desk: Desk, ids: tuple[str, ...], everything: bool, domain: str | None) -> list[Envelope]:
    from gatepost.desk import queue

    if everything == bool(ids):
        raise click.UsageError("name ids, or --all", click.get_current_context())
    return queue.listing(desk, domain) if everything else queue.find(desk, list(ids))


def _report(done: int, what: str, busy: list[str]) -> None:
    click.echo(f"{done} {what}")
    if busy:
        raise click.ClickException(f"being delivered at this moment, or gone: {', '.join(busy)}")


def _next(envelope: Envelope) -> str:
    return when(envelope.due) if envelope.waiting else "by hand only"


def _mail(envelope: Envelope) -> str:
    """Say in one line what it is and why it lies here."""
    to = ", ".join(r.address for r in envelope.recipients[:3])
    more = f" and {len(envelope.recipients) - 3} more" if len(envelope.recipients) > 3 else ""
    last = next((r.last for r in envelope.recipients if r.last), "")
    reason = f" ({envelope.reason})" if envelope.reason else ""
    return f"{envelope.sender or '<>'} -> {to}{more}{reason}{': ' + last if last else ''}"


def _as_json(envelope: Envelope) -> dict[str, object]:
    return {
        "id": envelope.id,
        "session": envelope.session,
        "domain": envelope.domain,
        "from": envelope.sender or "",
        "recipients": [
            {"address": r.address, "failed": r.failed, "last": r.last} for r in envelope.recipients
        ],
        "reason": envelope.reason,
        "created": iso(envelope.created),
        "due": iso(envelope.due),
        "attempts": envelope.attempts,
        "size": envelope.size,
    }
