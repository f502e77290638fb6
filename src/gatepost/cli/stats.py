"""`gatepost stats`: what refused what, with "no such user" apart from spam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from gatepost.cli.house import at_desk
from gatepost.cli.output import iso, print_facts, print_json, print_table, when
from gatepost.cli.words import as_json, domain_argument

if TYPE_CHECKING:
    from gatepost.desk.stats import Check, Line, Stats

MOST_DOMAINS = 20
"""Domains in the table; --json has all."""
COLUMNS = ("total", "accepted", "marked", "rejected", "held", "deferred", "no user", "spam")


@click.command()
@domain_argument(required=False)
@click.option("--since", default="7d", show_default=True, metavar="TIME", help="1h, 7d, or a date.")
@as_json
def command(domain: str | None, since: str, as_json: bool) -> None:
    """Show what refused what: by check, domain and day, with "no such user" apart from spam.

    A mail counts once for each recipient, under the check that decided, by whole hours. SHARE is
    of all that was refused, OF SPAM is without names that nobody has. MARKED went on with the
    mark that people sort by. On watch: what switching a check on would have refused, and how much
    of that got in.
    """
    from gatepost.desk import spans
    from gatepost.desk.stats import stats

    with at_desk() as desk:
        found = stats(desk, domain, spans.since(since, desk.clock()))
    if as_json:
        print_json(_as_json(found))
        return
    if not found.all.total:
        click.echo("No mail was counted.", err=True)
        return
    print_facts(_facts(found))
    _table(
        ["check", "kind", "rejected", "held", "deferred", "share", "of spam"],
        [_check(one) for one in found.checks],
        text=2,
    )
    _table(
        ["on watch", "would refuse", "of these got in"],
        [(one.check, one.would_refuse, one.accepted) for one in found.watched],
    )
    if found.domain is None:
        shown = found.domains[:MOST_DOMAINS]
        _table(["domain", *COLUMNS], [(one.name or "(not hosted)", *_cells(one)) for one in shown])
        if len(shown) < len(found.domains):
            click.echo(f"... and {len(found.domains) - len(shown)} more domains (--json has all)")
    _table(["day", *COLUMNS], [(one.name, *_cells(one)) for one in found.days])


def _facts(found: Stats) -> dict[str, object]:
    line = found.all
    facts: dict[str, object] = {
        "since": when(found.since),
        "mails": line.total,
        "accepted": line.accepted,
        "of these marked": line.marked,
        "no such user": line.no_such_user,
        "spam": line.spam,
        "refused otherwise": line.rejected + line.quarantined + line.taken - line.no_such_user - line.spam,
        "deferred": line.deferred,
        "abandoned": line.abandoned,
    }
    if found.sessions is not None:
        facts["sessions"] = found.sessions
    return facts


def _check(one: Check) -> tuple[object, ...]:
    spam = "" if one.share_of_spam is None else f"{one.share_of_spam:.1%}"
    held = one.quarantined + one.taken
    return one.check, one.kind, one.rejected, held, one.deferred, f"{one.share:.1%}", spam


def _cells(line: Line) -> tuple[int, ...]:
    held = line.quarantined + line.taken
    refused = line.rejected, held, line.deferred, line.no_such_user, line.spam
    return line.total, line.accepted, line.marked, *refused


def _table(titles: Sequence[str], rows: Sequence[Sequence[object]], text: int = 1) -> None:
    """Print a table behind an empty line; columns behind the first `text` are numbers. No rows: nothing."""
    if rows:
        click.echo()
        print_table(titles, rows, right=titles[text:])


def _as_json(found: Stats) -> dict[str, object]:
    return asdict(found) | {
        "since": iso(found.since),
        "checks": [asdict(one) | {"refused": one.refused} for one in found.checks],
    }
