"""`gatepost plugin`: the checks."""

from __future__ import annotations

from pathlib import Path

import click

from gatepost.cli.explain import print_steps, step_as_json
from gatepost.cli.house import at_desk, complaints, read_file
from gatepost.cli.output import compact, print_facts, print_json, print_table, visible
from gatepost.cli.words import as_json, plugin_argument, read_values


@click.group()
def command() -> None:
    """The checks: list, show, write a new one, try one alone."""


@command.command("list")
@as_json
def listing(as_json: bool) -> None:
    """List all checks; MODE is what holds for all domains."""
    from gatepost.desk import plugins

    with at_desk() as desk:
        found = plugins.listing(desk)
        problems = plugins.problems(desk)
    if as_json:
        print_json(
            [
                {"name": p.name, "mode": p.mode, "origin": p.origin, "does": p.does, "error": p.error}
                for p in found
            ]
        )
    else:
        print_table(
            ["name", "mode", "does"],
            [(p.name, "error" if p.error else p.mode, _does(p.origin, p.does)) for p in found],
        )
    for problem in problems:
        click.echo(f"gatepost: {problem}", err=True)
    if any(p.error for p in found):
        raise click.ClickException("a plugin did not load; its on_failure is followed where it is on")


@command.command()
@plugin_argument()
@as_json
def show(name: str, as_json: bool) -> None:
    """Show what a check does, why it works, and its settings."""
    from gatepost.desk import plugins

    with at_desk() as desk:
        about = plugins.show(desk, name)
    if as_json:
        print_json(about)
        return
    print_facts(
        {
            "name": about["name"],
            "from": about["origin"],
            **({"did not load": about["error"]} if about["error"] else {}),
            "does": about["does"],
            "hooks": ", ".join(about["hooks"]),
            "scope": about["scope"],
            "cost": about["cost"],
            "time limit": f"{about['seconds']:g} s",
        }
    )
    if about["why"]:
        click.echo()
        click.echo(click.wrap_text(about["why"], 78, preserve_paragraphs=True))
    click.echo()
    print_table(
        ["setting", "default", "meaning"],
        [
            (one["key"], compact(one["default"]), f"{one['text']} ({_values(one['type'], one['bounds'])})")
            for one in about["settings"]
        ],
    )


@command.command()
@click.argument("name", metavar="NAME")
@click.option("--folder", metavar="DIR", help="Where to write it; else here.")
def new(name: str, folder: str | None) -> None:
    """Write a new plugin of thirty lines that works, and its test."""
    from gatepost.desk import plugins

    where = Path(folder) if folder is not None else Path()
    with complaints():
        made = plugins.new(name, where, where)
    for path in made:
        click.echo(path)
    click.echo(
        f"Try it: gatepost plugin try {made[0]} MAIL --set words='[\"casino\"]'\n"
        "Then put it into the folder [plugins] folder names, and send HUP.",
        err=True,
    )


@command.command("try")
@plugin_argument()
@click.argument("file", metavar="FILE")
@click.option("--set", "values", multiple=True, metavar="KEY=VALUE", help="A setting of the plugin.")
@click.option("--from", "sender", default="sender@example.net", show_default=True, metavar="ADDRESS")
@click.option("--to", "recipient", default="ann@example.org", show_default=True, metavar="ADDRESS")
@click.option("--ip", default="192.0.2.1", show_default=True, metavar="ADDRESS")
@click.option("--helo", default="mail.example.net", show_default=True, metavar="NAME")
@click.option("--host", metavar="NAME", help="The client's confirmed rDNS name.")
@as_json
def try_(
    name: str,
    file: str,
    values: tuple[str, ...],
    sender: str,
    recipient: str,
    ip: str,
    helo: str,
    host: str | None,
    as_json: bool,
) -> None:
    """Put the mail in FILE (`-` is stdin) through one check alone, switched on.

    NAME is a check, or a file: gatepost plugin try ./subject_words.py mail.eml
    """
    raw = read_file(file)
    settings = read_values(values)
    from gatepost.desk import plugins
    from gatepost.desk.steps import brief
    from gatepost.plugin.bench import Case

    case = Case(client=ip, helo=helo, host=host, sender="" if sender == "<>" else sender, recipient=recipient)
    with at_desk() as desk:
        steps, tried = plugins.try_on(desk, name, raw, settings, case)
    if as_json:
        print_json([step_as_json(step) for step in steps])
        return
    took = f"   took {sum(step.milliseconds for step in steps):.1f} ms"
    click.echo((visible(", ".join(brief(v) for v in tried.verdicts)) or "no opinion") + took)
    print_steps(steps)


def _does(origin: str, does: str) -> str:
    return does if origin == "built-in" else f"{does} ({origin})"


def _values(kind: str, bounds: str) -> str:
    return f"{kind}, {bounds}" if bounds else kind
