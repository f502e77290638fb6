"""`gatepost list`: allow and deny lists."""

from __future__ import annotations

import click

from gatepost.cli.house import at_desk
from gatepost.cli.output import iso, print_json, print_table, visible, when
from gatepost.cli.words import as_json, part_scope, plugin_option, scope_words

EVERYWHERE = click.option("--all", "everywhere", is_flag=True, help="For all domains.")


@click.group()
def command() -> None:
    """Allow and deny lists of a domain, a mailbox (ann@example.org), or all domains.

    \b
    ENTRY is one of
      192.0.2.1, 10.0.0.0/8      the client's address or network
      ann@example.net            the sender
      example.net                the sender's domain with its sub-domains
      host:mail.example.net      the client's whole rDNS name
      .ru, tld:ru                the end of the client's rDNS name
      helo:friend                the HELO name
    """


@command.command()
@scope_words("DOMAIN|--all allow|deny ENTRY")
@EVERYWHERE
@plugin_option("Past this check alone; deny: not past it, against a wider allow entry.")
@click.option("--expires", metavar="TIME", help="30d, 12h, or a date.")
@click.option("--note", default="", metavar="TEXT", help="Why; shown with the entry.")
@click.option("--verified", is_flag=True, help="Only when SPF or DKIM agrees with the sender.")
@click.option("--lock", is_flag=True, help="Only an administrator may change it.")
def add(
    words: tuple[str, ...],
    everywhere: bool,
    plugin: str | None,
    expires: str | None,
    note: str,
    verified: bool,
    lock: bool,
) -> None:
    """Put an entry on a list. The more exact entry wins; of equal ones, allow."""
    from gatepost.desk import lists

    domain, (kind, text) = part_scope(words, everywhere, 2, "allow|deny ENTRY")
    with at_desk() as desk:
        entry = lists.add(
            desk,
            domain,
            kind,
            text,
            plugin=(plugin or "").replace("-", "_"),
            expires=expires,
            note=note,
            verified=verified,
            locked=lock,
        )
    until = f" until {when(entry.expires)}" if entry.expires is not None else ""
    click.echo(f"#{entry.id}: {visible(str(entry))}{until}")
    if entry.field == "sender_domain" and "." not in entry.value:
        said = f"is about senders below {entry.value}; clients whose name ends so are .{entry.value}"
        click.echo(f"gatepost: #{entry.id} {said}", err=True)
    if entry.kind == "deny" and entry.plugin:
        said = (
            f"refuses nobody: it takes back a wider allow entry for {entry.plugin}; without --plugin it does"
        )
        click.echo(f"gatepost: #{entry.id} {said}", err=True)


@command.command()
@scope_words("DOMAIN|--all", required=False)
@EVERYWHERE
@as_json
def show(words: tuple[str, ...], everywhere: bool, as_json: bool) -> None:
    """Show the entries of a domain with those of its mailboxes, or of all domains."""
    from gatepost.desk import lists

    domain, _ = part_scope(words, everywhere, 0, "DOMAIN")
    with at_desk() as desk:
        found = lists.show(desk, domain)
        now = desk.clock()
    if as_json:
        print_json(
            [
                {
                    "id": one.entry.id,
                    "scope": one.scope,
                    "kind": one.entry.kind,
                    "field": one.entry.field,
                    "value": one.entry.value,
                    "plugin": one.entry.plugin,
                    "expires": iso(one.entry.expires),
                    "note": one.entry.note,
                    "verified": one.entry.verified,
                    "locked": one.entry.locked,
                    "uses": one.uses,
                    "last_used": iso(one.last_used),
                }
                for one in found
            ]
        )
        return
    rows = [(one.scope, one.entry, one.uses) for one in found]
    print_table(
        ["id", "kind", "entry", "for", "uses", "more"],
        [(e.id, e.kind, e.text, _for(scope), uses, _more(e, now)) for scope, e, uses in rows],
        right=["id", "uses"],
        empty="The lists are empty.",
    )


@command.command()
@scope_words("DOMAIN|--all ENTRY")
@EVERYWHERE
def remove(words: tuple[str, ...], everywhere: bool) -> None:
    """Take an entry off, by its number or by what it says."""
    from gatepost.desk import lists

    domain, (what,) = part_scope(words, everywhere, 1, "ENTRY")
    with at_desk() as desk:
        gone = lists.remove(desk, domain, what)
    for entry in gone:
        click.echo(f"#{entry.id}: {visible(str(entry))} removed")


def _for(scope: str) -> str:
    return "all domains" if scope == "all" else scope.partition(":")[2]


def _more(entry: object, now: float) -> str:
    from gatepost.policy.entries import Entry

    assert isinstance(entry, Entry)
    parts = []
    if entry.plugin:
        parts.append(f"only {entry.plugin}")
    if entry.expires is not None:
        parts.append(f"{'until' if entry.expires > now else 'over since'} {when(entry.expires)}")
    if entry.verified:
        parts.append("verified senders")
    if entry.locked:
        parts.append("locked")
    return ", ".join([*parts, *([entry.note] if entry.note else [])])
