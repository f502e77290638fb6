"""`gatepost token`: what programs send to /api/v1 instead of signing in."""

from __future__ import annotations

import click

from gatepost.cli.house import at_desk
from gatepost.cli.output import iso, print_json, print_table, visible, when
from gatepost.cli.words import as_json, domain_options


@click.group()
def command() -> None:
    """Tokens of programs (Authorization: Bearer ...).

    A token never opens more than its person may.
    """


@command.command()
@click.argument("user", metavar="USER")
@click.argument("label", metavar="WHAT-FOR")
@click.option("--rights", type=click.Choice(["look", "change", "admin"]), default="look", show_default=True)
@domain_options("A domain that it opens; may be repeated. None: all of the person's.")
@click.option("--expires", metavar="WHEN", help="30d, 12h or a date; else never.")
def add(user: str, label: str, rights: str, domains: tuple[str, ...], expires: str | None) -> None:
    """Make a token; it is shown this once."""
    from gatepost.desk import tokens
    from gatepost.desk.spans import until

    with at_desk() as desk:
        end = until(expires, desk.clock()) if expires else None
        token, bearer = tokens.add(desk, user, label, rights=rights, domains=domains, expires=end)
    click.echo(visible(f"token {token.id} of {token.user}: {token.rights}"), err=True)
    click.echo(bearer)


@command.command("list")
@click.option("--user", metavar="USER", help="Only of this person.")
@as_json
def listing(user: str | None, as_json: bool) -> None:
    """List the tokens, without what opens the door."""
    from gatepost.desk import tokens

    with at_desk() as desk:
        found = tokens.listing(desk, user)
    if as_json:
        print_json(
            [
                {
                    "id": t.id,
                    "user": t.user,
                    "label": t.label,
                    "rights": t.rights,
                    "domains": list(t.domains),
                    "made": iso(t.made),
                    "expires": iso(t.expires) if t.expires else None,
                    "used": iso(t.used) if t.used else None,
                }
                for t in found
            ]
        )
        return
    print_table(
        ["id", "user", "what for", "rights", "domains", "expires", "last used"],
        [
            (
                t.id, t.user, t.label, t.rights, ", ".join(t.domains) or "all of the user's",
                when(t.expires) if t.expires else "never", when(t.used) if t.used else "never",
            )
            for t in found
        ],
        right=["id"],
        empty="There is no token yet.",
    )  # fmt: skip


@command.command()
@click.argument("number", type=int, metavar="ID")
def revoke(number: int) -> None:
    """End a token, at once."""
    from gatepost.desk import tokens

    with at_desk() as desk:
        token = tokens.revoke(desk, number)
    click.echo(visible(f"token {token.id} of {token.user} revoked: {token.label}"))
