"""`gatepost recipient`: who exists in a domain."""

from __future__ import annotations

import click

from gatepost.cli.house import at_desk, read_file
from gatepost.cli.output import print_json, print_table
from gatepost.cli.words import as_json, domain_argument

INVALID = click.option("--invalid", is_flag=True, help="As known not to exist; this beats valid and `*`.")
LOCALS = click.argument("locals_", metavar="LOCALPART...", nargs=-1, required=True)


@click.group()
def command() -> None:
    """Who exists in a domain (with recipients=list). `*` is everybody."""


@command.command()
@domain_argument()
@LOCALS
@INVALID
@click.option(
    "--only-from", "acl", multiple=True, metavar="NETWORK", help="Takes mail from these clients alone."
)
def add(domain: str, locals_: tuple[str, ...], invalid: bool, acl: tuple[str, ...]) -> None:
    """Add recipients: `ann` or `ann@example.org`."""
    from gatepost.desk import recipients

    with at_desk() as desk:
        number = recipients.add(desk, domain, locals_, invalid=invalid, acl=acl or None)
    same = len(set(locals_)) - number
    click.echo(f"{domain}: {number} added{f', {same} there already' if same > 0 else ''}")


@command.command()
@domain_argument()
@LOCALS
def remove(domain: str, locals_: tuple[str, ...]) -> None:
    """Take recipients off the list."""
    from gatepost.desk import recipients

    with at_desk() as desk:
        number = recipients.remove(desk, domain, locals_)
    if number == 0:
        raise click.ClickException(f"{domain}: none of them is listed")
    click.echo(f"{domain}: {number} removed")


@command.command("list")
@domain_argument()
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
@click.option("--after", default="", metavar="LOCALPART", help="From the one behind this on.")
@as_json
def listing(domain: str, limit: int | None, after: str, as_json: bool) -> None:
    """List the recipients of a domain."""
    from gatepost.desk import recipients

    with at_desk() as desk:
        found = recipients.listing(desk, domain, after, -1 if limit is None else limit)
    if as_json:
        print_json([{"recipient": r.local, "kind": r.kind, "only_from": r.acl} for r in found])
        return
    print_table(
        ["recipient", "kind", "only from"],
        [(r.local, r.kind, ", ".join(r.acl) if r.acl else "") for r in found],
        empty="Nobody is listed.",
    )


@command.command("import")
@domain_argument()
@click.argument("file", metavar="[FILE|PATH...]", nargs=-1)
@INVALID
@click.option("--replace", is_flag=True, help="Whoever is not in the file goes off the list.")
@click.option("--found-in", "found_in", is_flag=True, help="PATH... is old mail: Maildirs, mboxes, messages.")
@click.option("--all", "everybody", is_flag=True, help="Found in mail: write all.")
@click.option("--at-least", type=click.IntRange(1), metavar="N", help="Write those with so many mails.")
@click.option("--since", metavar="TIME", help="Write those with mail since then: 2y, 90d, or a date.")
@click.option("--choose", multiple=True, metavar="LOCALPART", help="Write this one; may be repeated.")
@as_json
def import_(
    domain: str,
    file: tuple[str, ...],
    invalid: bool,
    replace: bool,
    found_in: bool,
    everybody: bool,
    at_least: int | None,
    since: str | None,
    choose: tuple[str, ...],
    as_json: bool,
) -> None:
    """Add recipients from a file, or those for whom old mail is there.

    FILE (`-` is stdin) has one a line, `#` begins a comment.

    With --found-in all mail below PATH... is read and each local part listed with its first and
    last use and its number of mails. Nothing is written until you say which: --all, --at-least,
    --since (both must hold), --choose; on a terminal you are asked.
    """
    if found_in:
        if not file:
            raise click.UsageError("--found-in wants the folders or files to look in: --found-in PATH...")
        if invalid or replace:
            raise click.UsageError("--found-in PATH... goes without --invalid and --replace")
        from gatepost.cli.found import import_found

        import_found(domain, file, everybody, at_least, since, choose, as_json)
        return
    if len(file) != 1 or everybody or at_least or since or choose or as_json:
        raise click.UsageError("one FILE, or --found-in PATH...")
    _from_file(domain, file[0], invalid, replace)


def _from_file(domain: str, file: str, invalid: bool, replace: bool) -> None:
    from gatepost.desk import recipients

    data = read_file(file)
    with at_desk() as desk:
        done = recipients.import_lines(desk, domain, data, invalid=invalid, replace=replace)
    for line in done.bad:
        click.echo(f"gatepost: {file}: {line}", err=True)
    more = done.bad_count - len(done.bad)
    if more > 0:
        click.echo(f"gatepost: {file}: and {more} more", err=True)
    gone = f", {done.removed} removed" if replace else ""
    click.echo(f"{domain}: {done.read} read, {done.added} new or changed{gone}")
    if done.bad_count:
        raise click.ClickException(f"{file}: {done.bad_count} lines could not be read")
