"""`gatepost recipient import DOMAIN --found-in PATH...`: the way off a catch-all."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from gatepost.cli.bar import progress_bar
from gatepost.cli.house import at_desk, complaints
from gatepost.cli.output import iso, print_json, print_table, visible

if TYPE_CHECKING:
    from gatepost.desk.found import Found, Use

MOST_TOLD = 20
"""Files that could not be read, by name."""


def import_found(
    domain: str,
    paths: Sequence[str],
    everybody: bool,
    at_least: int | None,
    since: str | None,
    choose: Sequence[str],
    as_json: bool,
) -> None:
    """Search, list, and write whom the person chose."""
    from gatepost.desk import found as desk_found
    from gatepost.desk.mail_files import named, size_of
    from gatepost.desk.scopes import hosted
    from gatepost.desk.spans import since as moment

    with at_desk(drop=False) as desk:  # before hours of reading: is there such a domain, such a time?
        hosted(desk, domain)
        after = moment(since, desk.clock()) if since else None
        now = desk.clock()
    # The mail is the person's, so it is read before root becomes the owner of data_dir.
    with complaints(), progress_bar("Reading mail", lambda: size_of(named(paths))) as progress:
        found = desk_found.search(domain, paths, now, progress)
    said = everybody or at_least is not None or after is not None or bool(choose)
    with at_desk() as desk:
        desk_found.marked(desk, found)
        _tell(found)
        uses: list[Use] = []
        if said:
            only = choose if choose and not everybody else None
            uses = desk_found.chosen(found, at_least=at_least or 1, since=after, only=only)
        if as_json:
            print_json(_as_json(found, uses))
        else:
            _table(found)
            if not said and found.uses and _can_ask():
                uses = _asked(found)
        added = desk_found.write(desk, domain, uses)
    if as_json:
        return
    if uses:
        click.echo(f"{found.domain}: {added} of {len(found.uses)} found are on the list now")
    elif not said:
        click.echo(
            "Nothing was written: say which with --all, --at-least N, --since TIME or --choose LOCALPART.",
            err=True,
        )
    else:
        click.echo(f"{found.domain}: nobody of those is new")


def _asked(found: Found) -> list[Use]:
    """Ask which; an empty answer is nobody."""
    from gatepost.desk.errors import DeskError
    from gatepost.desk.found import chosen

    while True:
        answer = click.prompt(
            "Write which? (all, a number: those with so many mails, names, or nothing)",
            default="",
            show_default=False,
        ).strip()
        words = answer.replace(",", " ").split()
        try:
            if not words:
                return []
            if words == ["all"]:
                return chosen(found)
            if len(words) == 1 and words[0].isdecimal() and all(use.local != words[0] for use in found.uses):
                return chosen(found, at_least=int(words[0]))
            return chosen(found, only=words)
        except DeskError as error:
            click.echo(f"gatepost: {error}", err=True)


def _can_ask() -> bool:
    return sys.stdin.isatty()


def _tell(found: Found) -> None:
    """Say on stderr what was read, and what could not be."""
    reading = found.reading
    for line in reading.unreadable[:MOST_TOLD]:
        click.echo(visible(f"gatepost: {line}"), err=True)
    if len(reading.unreadable) > MOST_TOLD:
        click.echo(f"gatepost: and {len(reading.unreadable) - MOST_TOLD} more that cannot be read", err=True)
    cut = f", {reading.cut} with more header than is read" if reading.cut else ""
    click.echo(f"{reading.messages} messages in {reading.files} files{cut}", err=True)
    if found.left_out:
        click.echo(f"gatepost: {found.left_out} uses of further local parts were left out", err=True)


def _table(found: Found) -> None:
    print_table(
        ["recipient", "mails", "delivered", "first", "last", "listed"],
        [
            (u.local, u.count, u.delivered, (iso(u.first) or "")[:10], (iso(u.last) or "")[:10], u.listed)
            for u in found.uses
        ],
        right=["mails", "delivered"],
        empty=f"No mail for {found.domain} was found.",
    )


def _as_json(found: Found, uses: Sequence[Use]) -> object:
    new = {use.local for use in uses}
    return [
        {
            "recipient": use.local,
            "count": use.count,
            "delivered": use.delivered,
            "first": iso(use.first),
            "last": iso(use.last),
            "listed": use.listed,
            "written": use.local in new,
        }
        for use in found.uses
    ]
