"""`gatepost rules`: patterns for addresses that nobody has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gatepost.cli.house import at_desk, read_file
from gatepost.cli.output import iso, print_json, print_table, visible, when
from gatepost.cli.words import as_json, domain_argument, part_scope, scope_words

if TYPE_CHECKING:
    from gatepost.desk.rules import Added
    from gatepost.plugins.localpart_rules import Rule

EVERYWHERE = click.option("--all", "everywhere", is_flag=True, help="For all domains.")
REGEX = click.option("--regex", is_flag=True, help="PATTERN is a regular expression (RE2), not text.")
WHOLE = click.option("--whole", is_flag=True, help="PATTERN is all of it, not a part.")
ADDRESS = click.option("--address", is_flag=True, help="Held against local@domain, not the local part.")
THEN = {"refuse": "refused", "later": "deferred", "pass": "let pass"}


@click.group()
def command() -> None:
    """Patterns for addresses that nobody has; refused at RCPT, whoever sends.

    PATTERN is text that stands anywhere in the local part, unless --whole, --regex or --address
    says otherwise; upper and lower case are the same. The first rule that matches decides.
    """


@command.command("list")
@scope_words("DOMAIN|--all", required=False)
@EVERYWHERE
@as_json
def listing(words: tuple[str, ...], everywhere: bool, as_json: bool) -> None:
    """List the rules of a domain with their hits."""
    from gatepost.desk import rules

    scope, _ = part_scope(words, everywhere, 0, "")
    with at_desk() as desk:
        found = rules.listing(desk, scope)
    if as_json:
        print_json(
            [
                {"id": one.rule.id, **one.rule.model_dump(), "hits_day": one.day, "hits_month": one.month,
                 "last_hit": iso(one.last)}
                for one in found
            ]
        )  # fmt: skip
        return
    print_table(
        ["id", "pattern", "how", "on", "then", "24 h", "30 days", "last", "says"],
        [
            (r.id, r.pattern, r.how, r.on, r.then, one.day, one.month, when(one.last), _says(r))
            for one in found
            for r in (one.rule,)
        ],
        right=["24 h", "30 days"],
        empty="There are no rules.",
    )


@command.command()
@scope_words("DOMAIN|--all PATTERN")
@EVERYWHERE
@REGEX
@WHOLE
@ADDRESS
@click.option("--later", is_flag=True, help="Defer (4xx) instead of refusing.")
@click.option("--pass", "let_pass", is_flag=True, help="Let it pass: an exception from the rules behind it.")
@click.option("--first", is_flag=True, help="Before the other rules, not behind them.")
@click.option("--text", default="", metavar="TEXT", help="What the sender reads.")
@click.option("--note", default="", metavar="TEXT", help="Why; for the owner.")
def add(
    words: tuple[str, ...],
    everywhere: bool,
    regex: bool,
    whole: bool,
    address: bool,
    later: bool,
    let_pass: bool,
    first: bool,
    text: str,
    note: str,
) -> None:
    """Add a rule; names the listed recipients that it would catch."""
    from gatepost.desk import rules

    scope, (pattern,) = part_scope(words, everywhere, 1, "PATTERN")
    then = "pass" if let_pass else "later" if later else "refuse"
    with at_desk() as desk:
        rule = rules.make(**_pattern(pattern, regex, whole, address), then=then, text=text, note=note)
        done = rules.add(desk, scope, [rule], first=first)
    for one in done.added:
        click.echo(f"{one.id}: {visible(str(one))}: {THEN[one.then]}")
    _tell(done)


@command.command()
@scope_words("DOMAIN|--all ID|PATTERN")
@EVERYWHERE
def remove(words: tuple[str, ...], everywhere: bool) -> None:
    """Take a rule away, by its id or its pattern."""
    from gatepost.desk import rules

    scope, (what,) = part_scope(words, everywhere, 1, "ID|PATTERN")
    with at_desk() as desk:
        gone = rules.remove(desk, scope, what)
    for rule in gone:
        click.echo(f"{rule.id}: {visible(str(rule))} removed")


@command.command()
@domain_argument()
@click.argument("addresses", metavar="ADDRESS...", nargs=-1, required=True)
@click.option("--pattern", metavar="PATTERN", help="Try this pattern instead of the rules in force.")
@REGEX
@WHOLE
@ADDRESS
@as_json
def test(
    domain: str,
    addresses: tuple[str, ...],
    pattern: str | None,
    regex: bool,
    whole: bool,
    address: bool,
    as_json: bool,
) -> None:
    """Say which rule decides about an address, without any mail."""
    from gatepost.desk import rules

    with at_desk() as desk:
        draft = None
        if pattern is not None:
            draft = (rules.make(**_pattern(pattern, regex, whole, address)),)
        found = rules.test(desk, domain, addresses, draft)
    if as_json:
        print_json(
            [
                {"address": t.address, "rule": t.rule.id if t.rule else None, "mode": t.mode,
                 "pattern": t.rule.pattern if t.rule else None, "then": t.rule.then if t.rule else None,
                 "refused": t.refused}
                for t in found
            ]
        )  # fmt: skip
        return
    for one in found:
        if one.rule is None:
            said = "no rule matches"
        else:
            said = f"{THEN[one.rule.then]} by {one.rule.id}: {one.rule}"
            if one.mode != "on" and draft is None:
                said += f" (but localpart_rules.mode is {one.mode})"
        click.echo(visible(f"{one.address}: {said}"))


@command.command("import")
@scope_words("DOMAIN|--all [FILE]", required=False)
@EVERYWHERE
@click.option("--six", is_flag=True, help="The six patterns of 2009 instead of a file.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["rcpt_regexp", "patterns"]),
    help="/regex/ CONSTANT comment, or pattern DENY reason; else it is seen from the lines.",
)
def import_(words: tuple[str, ...], everywhere: bool, six: bool, kind: str | None) -> None:
    """Take over a file of qpsmtpd's rcpt_regexp, or of lines `pattern DENY reason`."""
    from typing import cast

    from gatepost.desk import rules
    from gatepost.desk.rule_files import Format

    scope, rest = part_scope(words, everywhere, 0 if six else 1, "" if six else "FILE")
    data = b"" if six else read_file(rest[0])
    with at_desk() as desk:
        if six:
            done = rules.import_six(desk, scope)
        else:
            done = rules.import_file(desk, scope, data, cast("Format | None", kind))
    for rule in done.added:
        click.echo(f"{rule.id}: {visible(str(rule))}: {THEN[rule.then]}")
    for line in done.bad:
        click.echo(f"gatepost: not taken over: {visible(line)}", err=True)
    _tell(done)
    if done.bad:
        raise click.ClickException(f"{len(done.bad)} lines were not taken over")


def _tell(done: Added) -> None:
    for remark in done.remarks:
        click.echo(f"gatepost: {visible(remark)}", err=True)
    click.echo(f"{len(done.added)} added{f', {done.same} there already' if done.same else ''}")
    if done.caught_count:
        more = done.caught_count - len(done.caught)
        names = ", ".join(done.caught) + (f" and {more} more" if more else "")
        click.echo(f"gatepost: the rules refuse listed recipients: {visible(names)}", err=True)


def _pattern(pattern: str, regex: bool, whole: bool, address: bool) -> dict[str, str]:
    if regex and whole:
        raise click.UsageError("--regex and --whole exclude one another", click.get_current_context())
    how = "regex" if regex else "whole" if whole else "part"
    return {"pattern": pattern, "how": how, "on": "address" if address else "localpart"}


def _says(rule: Rule) -> str:
    return "; ".join(part for part in (rule.text, rule.note) if part)
