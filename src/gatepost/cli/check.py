"""`gatepost check FILE|--interactive`: what would happen to a mail, without doing it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from gatepost.cli.check_dialogue import Told, ask, client_address
from gatepost.cli.explain import print_steps, step_as_json
from gatepost.cli.house import at_desk, read_file
from gatepost.cli.output import print_facts, print_json
from gatepost.cli.words import as_json

if TYPE_CHECKING:
    from gatepost.desk.trial import Answer


@click.command()
@click.argument("file", metavar="FILE", required=False)
@click.option("--interactive", "-i", is_flag=True, help="Ask for what is not said here, line by line.")
@click.option("--from", "sender", metavar="ADDRESS", help="Envelope sender, or <>.")
@click.option("--to", "recipients", multiple=True, metavar="ADDRESS", help="May be repeated.")
@click.option("--ip", default="", metavar="ADDRESS", help="The client's address; else 192.0.2.1.")
@click.option("--helo", default="", metavar="NAME", help="What it says in HELO; else the sender's domain.")
@as_json
def command(
    file: str | None,
    interactive: bool,
    sender: str | None,
    recipients: tuple[str, ...],
    ip: str,
    helo: str,
    as_json: bool,
) -> None:
    """Say what would happen to the mail in FILE (`-` is stdin), without doing it.

    Every check of each recipient's domain is really asked; nothing is kept, counted or sent.
    """
    if interactive and file == "-":
        raise click.UsageError("- and --interactive both want stdin", click.get_current_context())
    if not interactive:
        _require({"FILE": file is not None, "--from": sender is not None, "--to": bool(recipients)})
    try:
        client = client_address(ip) if ip else ""
    except click.BadParameter as error:
        error.param_hint = "--ip"
        raise
    told = Told(read_file(file) if file else None, sender, recipients, client, helo)
    if interactive:
        try:
            told = ask(told)
        except click.Abort:
            if sys.stdin.isatty():  # somebody pressed ^C
                raise
            click.echo(err=True)
            raise click.ClickException("the input ended before the last answer") from None
        click.echo(err=True)
    from gatepost.desk.check import check
    from gatepost.desk.trial import NOBODY, Mail

    with at_desk() as desk:
        mail = Mail(told.raw, told.sender or "", told.recipients, told.ip or NOBODY, told.helo)
        answers = check(desk, mail)
    if as_json:
        print_json([_as_json(answer) for answer in answers])
        return
    for number, answer in enumerate(answers):
        if number:
            click.echo()
        print_facts(_facts(answer))
        print_steps(answer.steps)


def _require(words: dict[str, bool]) -> None:
    missing = [word for word, said in words.items() if not said]
    if missing:
        what = f"missing: {', '.join(missing)} (or --interactive)"
        raise click.UsageError(what, click.get_current_context())


def _facts(answer: Answer) -> dict[str, object]:
    by = f" by {answer.plugin}" if answer.plugin else ""
    why = f": {answer.reason}" if answer.reason else ""
    accepted = answer.fate == "accepted"
    facts: dict[str, object] = {
        "to": answer.recipient,
        "would be": f"{answer.fate}{by}{why}",
        "reply": "that of the domain's server" if accepted else f"{answer.reply}, at {answer.at}",
    }
    if answer.routes:
        facts["goes to"] = ", ".join(answer.routes)
    if answer.score:
        facts["points"] = f"{answer.score:g}"
    if answer.tags:
        facts["tagged by"] = ", ".join(answer.tags)
    if answer.watched:
        facts["on watch"] = f"{', '.join(answer.watched)} would refuse it"
    if answer.allowed_by:
        facts["allowed by"] = answer.allowed_by
    if answer.entry is not None:
        note = f", {answer.entry.note}" if answer.entry.note else ""
        facts["list entry"] = f"#{answer.entry.id}: {answer.entry}{note}"
    if answer.kept:
        facts["kept"] = "a copy in the archive"
    return facts


def _as_json(answer: Answer) -> dict[str, object]:
    return {
        "recipient": answer.recipient,
        "outcome": answer.fate,
        "at": answer.at,
        "reply": answer.reply,
        "plugin": answer.plugin,
        "reason": answer.reason,
        "score": answer.score,
        "tags": answer.tags,
        "watched": answer.watched,
        "allowed_by": answer.allowed_by,
        "entry": None if answer.entry is None else {"id": answer.entry.id, "text": str(answer.entry)},
        "kept": answer.kept,
        "routes": answer.routes,
        "checks": [step_as_json(step) for step in answer.steps],
    }
