"""`gatepost domain`: domains, their routes and settings."""

from __future__ import annotations

import click

from gatepost.cli.house import at_desk
from gatepost.cli.output import print_facts, print_json, print_table
from gatepost.cli.words import as_json, domain_argument, expected, one_scope, read_values, scope_words

EVERYWHERE = click.option("--all", "everywhere", is_flag=True, help="For all domains.")


@click.group()
def command() -> None:
    """Domains, their routes and settings. A running server follows within a second."""


@command.command()
@domain_argument()
@click.option(
    "--route",
    "routes",
    multiple=True,
    required=True,
    metavar="URL",
    help="smtp://host:port, smtp+mx://domain, lmtp://host:port, lmtp:///socket, maildir:///path;"
    " may be given more than once.",
)
@click.option("--recipients", type=click.Choice(["list", "callout", "any"]), help="Who exists: see above.")
@click.option("--set", "values", multiple=True, metavar="KEY=VALUE", help="A setting to begin with.")
@click.option(
    "--anew/--again",
    default=None,
    help="Where one of this name was removed: delete what is left of it, or let the domain have that again.",
)
def add(
    domain: str, routes: tuple[str, ...], recipients: str | None, values: tuple[str, ...], anew: bool | None
) -> None:
    """Host a domain.

    Who exists in it is known from a list (the default), asked of the route (callout), or anybody.
    """
    from gatepost.desk import domains

    settings = read_values(values)
    if recipients is not None:
        settings["recipients"] = recipients
    with at_desk() as desk:
        version = domains.add(desk, domain, routes, settings, anew=anew)
    click.echo(f"{domain}: added (version {version})")
    if settings.get("recipients", "list") == "list":
        click.echo(f"Nobody is listed yet: gatepost recipient add {domain} NAME ...", err=True)


@command.command()
@domain_argument()
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(domain: str, yes: bool) -> None:
    """Host a domain no longer.

    For 30 days `gatepost changes --roll-back` brings it back with its mail, journal and what it learnt;
    then that is deleted, or at once where a domain of this name is added `--anew`.
    """
    from gatepost.desk import domains
    from gatepost.desk.left_behind import DAYS
    from gatepost.desk.scopes import hosted

    with at_desk() as desk:
        name = hosted(desk, domain)
        if not yes:
            listed = desk.policy.count_recipients(name)
            click.confirm(f"Remove {name} with {listed} recipients?", abort=True, err=True)
        version = domains.remove(desk, name)
        (change,) = desk.policy.changes(domain=name, limit=1)
    click.echo(f"{name}: removed (version {version})")
    if change.complete:
        back = f"gatepost changes --roll-back {change.id}"
        click.echo(f"For {DAYS} days it can be brought back: {back}", err=True)


@command.command("list")
@as_json
def listing(as_json: bool) -> None:
    """List the hosted domains."""
    from gatepost.desk import domains_listed

    with at_desk() as desk:
        found = domains_listed.listing(desk)
    if as_json:
        print_json(
            [
                {"domain": d.name, "routes": d.routes, "recipients": d.recipients, "listed": d.listed}
                for d in found
            ]
        )
        return
    print_table(
        ["domain", "recipients", "listed", "route"],
        [(d.name, d.recipients, d.listed, ", ".join(d.routes)) for d in found],
        right=["listed"],
        empty="No domain is hosted here yet: gatepost domain add NAME --route URL",
    )


@command.command()
@domain_argument()
@as_json
def show(domain: str, as_json: bool) -> None:
    """Show what is set for a domain (`get` shows all that is in force)."""
    from gatepost.desk import domains_listed

    with at_desk() as desk:
        about = domains_listed.about(desk, domain)
    if as_json:
        print_json(
            {
                "domain": about.name,
                "version": about.version,
                "recipients": about.listed,
                "entries": about.entries,
                "mailboxes": about.mailboxes,
                "settings": about.settings,
            }
        )
        return
    own = {key: ", ".join(value) if key == "route" else value for key, value in about.settings.items()}
    more = {"mailboxes with own settings": ", ".join(about.mailboxes)} if about.mailboxes else {}
    print_facts(
        {
            "domain": about.name,
            **own,
            "listed recipients": about.listed,
            "list entries": about.entries,
            "version": about.version,
            **more,
        }
    )


@command.command("set")
@scope_words("DOMAIN KEY=VALUE...", keys=True)
@EVERYWHERE
@expected
def set_(words: tuple[str, ...], everywhere: bool, expect: int | None) -> None:
    """Set values for a domain, a mailbox (ann@example.org) or, with --all, all domains.

    VALUE is read as JSON where it is JSON, else as text:
    dnsbl.mode=on dnsbl.zones='["zen.example"]' refuse_at=data
    """
    from gatepost.desk import domains

    domain, pairs = _split(words, everywhere)
    if not pairs:
        raise click.UsageError("KEY=VALUE is missing", click.get_current_context())
    values = read_values(pairs)
    with at_desk() as desk:
        version = domains.set_values(desk, domain, values, expect)
    click.echo(f"{domain or 'all domains'}: {', '.join(values)} set (version {version})")


@command.command()
@scope_words("DOMAIN KEY...", keys=True)
@EVERYWHERE
@expected
def unset(words: tuple[str, ...], everywhere: bool, expect: int | None) -> None:
    """Let the value of a farther level hold again."""
    from gatepost.desk import domains

    domain, keys = (None, words) if everywhere else (words[0], words[1:])
    if not keys:
        raise click.UsageError("KEY is missing", click.get_current_context())
    with at_desk() as desk:
        version = domains.unset_values(desk, domain, keys, expect)
    click.echo(f"{domain or 'all domains'}: {', '.join(keys)} unset (version {version})")


@command.command()
@domain_argument(required=False)
@click.argument("key", required=False)
@EVERYWHERE
@click.option("--changed", is_flag=True, help="Only what somebody set.")
@click.option("--secrets", is_flag=True, help="Show keys and passwords too.")
@as_json
def get(
    domain: str | None, key: str | None, everywhere: bool, changed: bool, secrets: bool, as_json: bool
) -> None:
    """Show each value in force with where it comes from: default, all domains, domain, mailbox."""
    from gatepost.desk import domains

    if everywhere and domain is not None and key is None:
        domain, key = None, domain
    where = one_scope(domain, everywhere)
    with at_desk() as desk:
        values, faults = domains.get_values(desk, where, secrets=secrets)
        if key is not None:
            values = [domains.one_of(values, key)]
    if changed:
        values = [value for value in values if value.origin != "default"]
    for fault in faults:
        click.echo(f"gatepost: ignored: {fault}", err=True)
    if as_json:
        print_json([{"key": v.key, "value": v.value, "origin": v.origin} for v in values])
        return
    print_table(["key", "origin", "value"], [(v.key, v.origin, v.value) for v in values])


@command.command()
@as_json
def presets(as_json: bool) -> None:
    """Show the presets: defaults of modes, actions and points (preset=careful|usual|strict)."""
    from gatepost.desk import domains

    found = domains.presets()
    if as_json:
        print_json(
            [
                {
                    "name": p.name,
                    "sentence": p.sentence,
                    "modes": p.modes,
                    "actions": p.actions,
                    "values": p.values,
                }
                for p in found
            ]
        )
        return
    rows: list[tuple[str, str, object]] = []
    for preset in found:
        rows.append((preset.name, "", preset.sentence))
        rows += [("", f"{name}.mode", str(mode)) for name, mode in sorted(preset.modes.items())]
        rows += [("", f"{name}.action", str(action)) for name, action in sorted(preset.actions.items())]
        rows += [("", key, value) for key, value in preset.values.items()]
    print_table(["preset", "key", "value"], rows)


def _split(words: tuple[str, ...], everywhere: bool) -> tuple[str | None, tuple[str, ...]]:
    """Part DOMAIN from KEY=VALUE words; with --all there is no DOMAIN."""
    if everywhere:
        if "=" not in words[0]:
            raise click.UsageError("DOMAIN and --all exclude one another", click.get_current_context())
        return None, words
    if "=" in words[0] and "@" not in words[0]:
        raise click.UsageError("DOMAIN is missing (or --all)", click.get_current_context())
    return words[0], words[1:]
