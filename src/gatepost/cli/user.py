"""`gatepost user`: who may sign in to the console, and to which domains."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from gatepost.cli.house import at_desk
from gatepost.cli.output import iso, print_json, print_table, visible
from gatepost.cli.words import as_json, domain_options

if TYPE_CHECKING:
    from gatepost.desk.users import User

NAME = click.argument("name", metavar="NAME")
ROLES = click.Choice(["admin", "owner", "reader"])


@click.group()
def command() -> None:
    """People of the console.

    \b
    admin    everything
    owner    looks at and changes the domains given
    reader   looks at the domains given
    """


@command.command()
@NAME
@click.option("--role", type=ROLES, default="owner", show_default=True)
@domain_options("A domain that is given; may be repeated.")
@click.option("--language", default="", metavar="en|de", help="Of the console; else the browser's.")
@click.option("--zone", default="", metavar="ZONE", help="Europe/Berlin; else the browser's.")
@click.option("--stdin", is_flag=True, help="Read the password from stdin; else one is made and shown.")
def add(name: str, role: str, domains: tuple[str, ...], language: str, zone: str, stdin: bool) -> None:
    """Add somebody; the password that is made is shown this once."""
    from gatepost.desk import passwords, users

    password = _read() if stdin else passwords.made()
    with at_desk() as desk:
        user = users.add(desk, name, password, role, domains, language, zone)
    click.echo(visible(f"{user.name}: {_may(user)}"))
    if not stdin:
        click.echo(f"password: {password}")


@command.command("list")
@as_json
def listing(as_json: bool) -> None:
    """List who may sign in."""
    from gatepost.desk import users

    with at_desk() as desk:
        found = users.everyone(desk)
    if as_json:
        print_json([user_as_json(user) for user in found])
        return
    print_table(
        ["name", "role", "domains", "one-time codes", "state"],
        [
            (u.name, str(u.role), _domains(u), "yes" if u.has_totp else "no", "off" if u.disabled else "")
            for u in found
        ],
        empty="There is nobody yet: gatepost user add NAME --role admin",
    )


@command.command("set")
@NAME
@click.option("--role", type=ROLES)
@domain_options("The domains that are given from now on; may be repeated.")
@click.option("--no-domains", is_flag=True, help="Give no domain from now on.")
@click.option("--disable/--enable", "disabled", default=None, help="Shut somebody out, or let in again.")
def set_(
    name: str, role: str | None, domains: tuple[str, ...], no_domains: bool, disabled: bool | None
) -> None:
    """Change what somebody may."""
    from gatepost.desk import users

    if domains and no_domains:
        raise click.UsageError("--domain and --no-domains exclude each other")
    given = domains if domains or no_domains else None
    with at_desk() as desk:
        user = users.change(desk, name, role=role, domains=given, disabled=disabled)
    click.echo(visible(f"{user.name}: {_may(user)}"))


@command.command()
@NAME
@click.option("--stdin", is_flag=True, help="Read the password from stdin; else one is made and shown.")
def password(name: str, stdin: bool) -> None:
    """Give somebody another password; all their sessions end."""
    from gatepost.desk import passwords, users

    new = _read() if stdin else passwords.made()
    with at_desk() as desk:
        users.set_password(desk, name, new)
    click.echo(visible(f"{name}: new password, all sessions ended"))
    if not stdin:
        click.echo(f"password: {new}")


command.add_command(password, "passwd")


@command.command()
@NAME
def remove(name: str) -> None:
    """Remove somebody, with sessions and tokens; the last administrator stays."""
    from gatepost.desk import users

    with at_desk() as desk:
        users.remove(desk, name)
    click.echo(visible(f"{name} removed"))


def user_as_json(user: User) -> dict[str, Any]:
    """Return what `--json` says of somebody."""
    return {
        "name": user.name,
        "role": str(user.role),
        "domains": list(user.domains),
        "language": user.language,
        "zone": user.zone,
        "totp": user.has_totp,
        "disabled": user.disabled,
        "created": iso(user.created),
    }


def _read() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def _domains(user: User) -> str:
    return "all" if user.role == "admin" else ", ".join(user.domains)


def _may(user: User) -> str:
    return f"{user.role}{' (off)' if user.disabled else ''}, domains: {_domains(user) or 'none'}"
