"""`gatepost alias`: counted and dated addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gatepost.cli.house import at_desk
from gatepost.cli.output import iso, print_facts, print_json, print_table, visible, when
from gatepost.cli.words import as_json, domain_argument

if TYPE_CHECKING:
    from gatepost.desk.aliases import Alias

ADDRESS = click.argument("address", metavar="ADDRESS")


@click.group()
def command() -> None:
    """Counted and dated addresses (the check `counted_address`).

    \b
    ADDRESS is any spelling of one:
      shop.5.ann@example.org     five mails (ann.5.shop@ is the same)
      shop.ann@example.org       the same address, without the count
    """


@command.command("list")
@domain_argument()
@click.option("--user", default="", metavar="LOCALPART", help="Only of this user.")
@as_json
def listing(domain: str, user: str, as_json: bool) -> None:
    """List the addresses that were made, with what is left of each."""
    from gatepost.desk import aliases

    with at_desk() as desk:
        found = aliases.listing(desk, domain, user)
    if as_json:
        print_json([_as_json(alias) for alias in found])
        return
    print_table(
        ["user", "word", "used", "left", "last day", "only from", "state"],
        [
            (a.user, a.word, a.used, _left(a), str(a.kept.last_day or ""), a.kept.only, a.over or "open")
            for a in found
        ],
        right=["used", "left"],
        empty="No counted address was made yet.",
    )


@command.command()
@ADDRESS
@as_json
def show(address: str, as_json: bool) -> None:
    """Show one address, and who was refused there of late."""
    from gatepost.desk import aliases

    with at_desk() as desk:
        alias = aliases.show(desk, address)
        refused = aliases.refusals(desk, alias)
    if as_json:
        last = [{"time": iso(r.time), "sender": r.sender, "reason": r.reason, "id": r.id} for r in refused]
        print_json({**_as_json(alias), "refused": last})
        return
    facts: dict[str, object] = {
        "address": alias.kept.address,
        "leads to": f"{alias.user}@{alias.domain}",
        "used": alias.used,
        "left": _left(alias) or "not counted",
        "last day": str(alias.kept.last_day or "none"),
        "only from": alias.kept.only or "anybody",
        "made": f"{when(alias.kept.made)} by {alias.kept.by or '<>'}",
        "changed by": alias.kept.changed or "nobody",
        "state": alias.over or "open",
    }
    print_facts(facts)
    for row in refused:
        click.echo(visible(f"refused  {when(row.time)}  {row.sender or '<>'}: {row.reason}"))


@command.command()
@ADDRESS
@click.option("--count", type=click.IntRange(1, 1000), help="Another number of mails than before.")
def reset(address: str, count: int | None) -> None:
    """Let it take all its mails again; a closed one is open again."""
    from gatepost.desk import aliases

    with at_desk() as desk:
        alias = aliases.reset(desk, address, count)
    _say(alias)


@command.command()
@ADDRESS
def close(address: str) -> None:
    """Refuse all mail to it from now on, also to one that had none yet."""
    from gatepost.desk import aliases

    with at_desk() as desk:
        alias = aliases.close(desk, address)
    _say(alias)


@command.command("open")
@ADDRESS
def open_(address: str) -> None:
    """Undo `close`; what was used stays used."""
    from gatepost.desk import aliases

    with at_desk() as desk:
        alias = aliases.open_(desk, address)
    _say(alias)


def _say(alias: Alias) -> None:
    left = f", {alias.left} left" if alias.left is not None and not alias.over else ""
    click.echo(visible(f"{alias.kept.address or alias.word}: {alias.over or 'open'}{left}"))


def _left(alias: Alias) -> str:
    return "" if alias.left is None else str(alias.left)


def _as_json(alias: Alias) -> dict[str, Any]:
    kept = alias.kept
    return {
        "address": kept.address,
        "user": alias.user,
        "word": alias.word,
        "used": alias.used,
        "left": alias.left,
        "until": iso(kept.until),
        "only_from": kept.only,
        "made": iso(kept.made),
        "made_by": kept.by,
        "changed_by": kept.changed,
        "closed": kept.closed,
        "over": alias.over,
    }
