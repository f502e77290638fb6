"""`gatepost batv`: keys, and the addresses whose outgoing mail is signed."""

from __future__ import annotations

import click

from gatepost.cli.house import at_desk
from gatepost.cli.output import iso, print_facts, print_json, visible, when
from gatepost.cli.words import as_json, domain_argument

LOCALS = click.argument("localparts", nargs=-1, required=True, metavar="LOCALPART...")


@click.group()
def command() -> None:
    """Sign the return path of outgoing mail (BATV), so that forged bounces are known.

    Mail is signed where the domain's servers hand it to [smtp.outgoing]. Bounces are refused where
    bounce.mode=on and bounce.batv=true are set.
    """


@command.command()
@domain_argument()
@as_json
def show(domain: str, as_json: bool) -> None:
    """Show keys by number and the signed addresses with since when."""
    from gatepost.desk import batv

    with at_desk() as desk:
        found = batv.show(desk, domain)
    if as_json:
        print_json(
            {
                "domain": found.domain,
                "keys": list(found.numbers),
                "signs_with": found.numbers[-1] if found.numbers else None,
                "addresses": [{"local": s.local, "since": iso(s.since)} for s in found.addresses],
                "refuses": found.checks,
                "grace_days": found.grace_days,
            }
        )
        return
    facts: dict[str, object] = {
        "keys": ", ".join(map(str, found.numbers)) or "none (gatepost batv key)",
        "signs with": found.numbers[-1] if found.numbers else "nothing",
        "refuses": "yes" if found.checks else "no (needs bounce.mode=on and bounce.batv=true)",
        "days of grace": found.grace_days,
    }
    print_facts(facts)
    for one in found.addresses:
        since = f"signed since {when(one.since)}" if one.since else "no signed mail was seen yet"
        click.echo(visible(f"{one.local}  {'everybody' if one.local == '*' else since}"))


@command.command()
@domain_argument()
@click.option("--drop", type=click.IntRange(0, 9), metavar="NUMBER", help="Forget an old key instead.")
def key(domain: str, drop: int | None) -> None:
    """Make a new key that signs from now on; old ones stay good for what is under way.

    Drop an old one after a week, when no tag made with it is good any more.
    """
    from gatepost.desk import batv

    with at_desk() as desk:
        if drop is not None:
            batv.drop_key(desk, domain, drop)
            click.echo(f"{visible(domain)}: key {drop} is forgotten")
            return
        number = batv.new_key(desk, domain)
    click.echo(f"{visible(domain)}: key {number} signs from now on")


@command.command()
@domain_argument()
@LOCALS
def add(domain: str, localparts: tuple[str, ...]) -> None:
    """Sign the mail of these addresses; '*' signs all.

    Only addresses whose mail all goes out by this door: bounces of other mail have no tag.
    """
    from gatepost.desk import batv

    with at_desk() as desk:
        added = batv.add(desk, domain, localparts)
    click.echo(visible(f"{domain}: signed from now on: {', '.join(added) or 'nobody new'}"))


@command.command()
@domain_argument()
@LOCALS
def remove(domain: str, localparts: tuple[str, ...]) -> None:
    """Sign their mail no longer."""
    from gatepost.desk import batv

    with at_desk() as desk:
        gone = batv.remove(desk, domain, localparts)
    click.echo(visible(f"{domain}: not signed any more: {', '.join(gone)}"))


@command.command()
@click.argument("address", metavar="ADDRESS")
def tag(address: str) -> None:
    """Print an address with its tag of today."""
    from gatepost.desk import batv

    with at_desk() as desk:
        click.echo(visible(batv.tag(desk, address)))


@command.command()
@click.argument("address", metavar="ADDRESS")
def check(address: str) -> None:
    """Say whether the tag of an address is good; exit status 1 where it is not."""
    from gatepost.desk import batv

    with at_desk() as desk:
        valid, reason = batv.check(desk, address)
    click.echo(visible(f"{'good' if valid else 'bad'}: {reason}"))
    if not valid:
        click.get_current_context().exit(1)
