"""`gatepost storm`: addresses that a storm of bounces has closed."""

from __future__ import annotations

import click

from gatepost.cli.house import at_desk
from gatepost.cli.output import iso, print_json, print_table, visible, when
from gatepost.cli.words import as_json, domain_argument, expected


@click.group()
def command() -> None:
    """Addresses that are closed for a while because a storm of bounces came (bounce_storm)."""


@command.command("list")
@domain_argument(required=False)
@click.option("--ended", is_flag=True, help="Those too that are open again.")
@as_json
def listing(domain: str | None, ended: bool, as_json: bool) -> None:
    """List the closed addresses, of one domain or of all."""
    from gatepost.desk import storms

    with at_desk() as desk:
        found = storms.listing(desk, domain, ended=ended)
    if as_json:
        print_json(
            [
                {"address": s.address, "closed": s.closed, "since": iso(s.since), "until": iso(s.until),
                 "bounces": s.bounces, "refused": s.refused, "opened_by": s.opened_by, "mode": s.mode}
                for s in found
            ]
        )  # fmt: skip
        return
    print_table(
        ["address", "since", "until", "bounces", "refused lately", ""],
        [(s.address, when(s.since), when(s.until), s.bounces, s.refused, _more(s.closed, s.opened_by, s.mode))
         for s in found],
        right=["bounces", "refused lately"],
        empty="No address is closed.",
    )  # fmt: skip


@command.command("open")
@domain_argument()
@click.argument("address", metavar="ADDRESS")
def open_(domain: str, address: str) -> None:
    """Open an address now; its bounces are counted from nothing."""
    from gatepost.desk import storms

    with at_desk() as desk:
        storms.open_address(desk, domain, address)
    click.echo(visible(f"{address if '@' in address else f'{address}@{domain}'} is open"))


@command.command()
@domain_argument()
@click.argument("address", metavar="ADDRESS", required=False)
@click.option("--remove", is_flag=True, help="Let a storm close it again.")
@expected
@as_json
def never(domain: str, address: str | None, remove: bool, expect: int | None, as_json: bool) -> None:
    """Never close an address (one that is closed now is opened), or list those that are not.

    Who sends lists gets real bounces in numbers. The list names the version that --expect means.
    """
    from gatepost.desk import storms
    from gatepost.desk.scopes import hosted

    if address is None and (remove or expect is not None):
        raise click.UsageError("an ADDRESS is missing", click.get_current_context())
    with at_desk() as desk:
        if address is None:
            version, names = desk.policy.version(), storms.never(desk, hosted(desk, domain))
        elif remove:
            storms.except_no_more(desk, domain, address, expect=expect)
        else:
            address = storms.except_for_good(desk, domain, address, expect=expect)
    if address is not None:
        name = address if "@" in address else f"{address}@{domain}"
        click.echo(visible(f"a storm closes {name} again" if remove else f"{name} is never closed"))
    elif as_json:
        print_json({"version": version, "never": list(names)})
    else:
        print_table(["address"], [(f"{name}@{domain}",) for name in names], empty="Each may be closed.")
        click.echo(f"version {version}", err=True)


def _more(closed: bool, opened_by: str, mode: str) -> str:
    if opened_by:
        return f"opened by {opened_by}"
    if not closed:
        return "open again"
    return "" if mode == "on" else f"(bounce_storm.mode is {mode})"
