"""`gatepost explain ID`: every check of one mail, with its result and its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gatepost.cli.house import at_desk
from gatepost.cli.output import iso, print_facts, print_json, print_table, size, when
from gatepost.cli.words import as_json

if TYPE_CHECKING:
    from gatepost.desk.journal import Explained, Explanation
    from gatepost.desk.steps import Step
    from gatepost.store.base import SessionRow


@click.command()
@click.argument("id_", metavar="ID")
@as_json
def command(id_: str, as_json: bool) -> None:
    """Say what every check said of a mail. ID is the one that stands in the SMTP reply."""
    from gatepost.desk import journal

    with at_desk() as desk:
        found = journal.explain(desk, id_)
    if as_json:
        print_json(_as_json(found))
        return
    if found.session is not None:
        print_facts(_session(found.session, found.session_steps))
    for one in found.outcomes:
        click.echo()
        print_facts(_facts(one))
        print_steps(one.steps, one.folded)
    if not found.outcomes:
        click.echo("\nNo recipient was named in this session.")


def print_steps(steps: list[Step], folded: bool = False) -> None:
    """Print what each check said."""
    if steps:
        click.echo()
        print_table(
            ["check", "at", "said", "time", "because"],
            [(s.check, s.when, s.said, s.took, s.detail) for s in steps],
            right=["time"],
        )
    elif folded:
        click.echo("\nThe checks said the same as of a like refusal a moment before.")
    else:
        click.echo("\nNo check was asked.")


def _session(session: SessionRow, noticed: list[str]) -> dict[str, object]:
    facts: dict[str, object] = {
        "session": session.id,
        "began" if session.seconds else "ended": when(session.time - session.seconds),
        "client": f"{session.client} ({session.host or 'no name'}), HELO {session.helo or '-'}",
        "TLS": session.tls or "no",
        "ended by": session.outcome,
    }
    if noticed:
        facts["noticed"] = "; ".join(noticed)
    return facts


def _facts(one: Explained) -> dict[str, object]:
    row = one.row
    by = f" by {row.plugin}" if row.plugin else ""
    why = f": {row.reason}" if row.reason else ""
    facts: dict[str, object] = {
        "mail": row.id,
        "time": when(row.time),
        "from": row.sender or "<>",
        "to": row.recipient,
        "client": row.client,
        "outcome": f"{row.fate} {row.code or ''}".rstrip() + by + why,
    }
    if row.score:
        facts["points"] = f"{row.score:g}"
    if row.subject:
        facts["subject"] = row.subject
    if row.size:
        facts["size"] = size(row.size)
    if row.seconds:
        facts["took"] = f"{row.seconds:.2f} s"
    if row.archive_ref:
        facts["kept as"] = row.archive_ref
    return facts


def _as_json(found: Explanation) -> dict[str, object]:
    session = found.session
    return {
        "id": found.id,
        "session": None
        if session is None
        else {
            "id": session.id,
            "time": iso(session.time),
            "client": session.client,
            "host": session.host,
            "helo": session.helo,
            "tls": session.tls,
            "outcome": session.outcome,
            "transactions": session.transactions,
            "seconds": session.seconds,
            "noticed": found.session_steps,
        },
        "outcomes": [
            {
                "id": one.row.id,
                "time": iso(one.row.time),
                "from": one.row.sender,
                "recipient": one.row.recipient,
                "outcome": one.row.fate,
                "code": one.row.code,
                "plugin": one.row.plugin,
                "reason": one.row.reason,
                "score": one.row.score,
                "archive": one.row.archive_ref,
                "checks": [step_as_json(step) for step in one.steps],
            }
            for one in found.outcomes
        ],
    }


def step_as_json(step: Step) -> dict[str, object]:
    """Return one check's answer for programs."""
    return {
        "check": step.check,
        "hook": step.hook,
        "result": step.result,
        "said": step.said,
        "milliseconds": step.milliseconds,
        "detail": step.detail,
    }
