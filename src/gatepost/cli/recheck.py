"""`gatepost recheck DOMAIN --set KEY=VALUE`: what a draft setting would have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gatepost.cli.house import at_desk
from gatepost.cli.output import iso, print_json, print_table
from gatepost.cli.words import as_json, domain_argument, read_values

if TYPE_CHECKING:
    from gatepost.desk.recheck import Changed


@click.command()
@domain_argument()
@click.option("--since", default="7d", show_default=True, metavar="TIME", help="7d, or a date.")
@click.option(
    "--set", "values", multiple=True, required=True, metavar="KEY=VALUE", help="The draft; may be repeated."
)
@click.option(
    "--limit",
    default=1000,
    show_default=True,
    type=click.IntRange(1, 100_000),
    help="Copies that are judged again, the newest.",
)
@as_json
def command(domain: str, since: str, values: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Judge a domain's mail of the last days again, under a draft setting; nothing is changed or sent.

    Each mail that the draft would have treated otherwise is listed: what became of it, what would
    have, and why. What could not be judged as it was is said at the end.
    """
    from gatepost.desk import spans
    from gatepost.desk.recheck import caveats, recheck

    draft = read_values(values)
    with at_desk() as desk:
        found = recheck(desk, domain, draft, since=spans.since(since, desk.clock()), limit=limit)
    judged = found.whole + found.partly
    if as_json:
        print_json(
            {
                "domain": found.domain,
                "since": iso(found.since),
                "draft": draft,
                "judged": judged,
                "whole": found.whole,
                "without_message": found.partly,
                "without_helo": found.nameless,
                "left_out": found.left_out,
                "otherwise_anyway": found.otherwise,
                "more": found.more,
                "changed": [_as_json(one) for one in found.changed],
                "caveats": list(caveats(found)),
            }
        )
        return
    print_table(
        ["mail", "from", "to", "then -> now", "why"],
        [
            (
                one.row.id,
                one.row.sender or "<>",
                one.row.recipient.rpartition("@")[0],
                f"{one.row.fate} -> {_now(one)}",
                one.why,
            )
            for one in found.changed
        ],
    )
    click.echo(f"{len(found.changed)} of {judged} would have fared otherwise.")
    for sentence in caveats(found):
        click.echo(f"- {sentence}", err=True)


def _now(one: Changed) -> str:
    """Return what would become of a copy, in few words; a star where its message was not kept."""
    star = "" if one.whole else "*"
    draft = one.draft
    if draft.fate == "accepted" and draft.tags:
        return f"tagged by {', '.join(draft.tags)}{star}"
    return f"{draft.fate}{star}" if draft.fate != one.today.fate else f"{draft.fate} at {draft.at}{star}"


def _as_json(one: Changed) -> dict[str, object]:
    row, draft = one.row, one.draft
    return {
        "id": row.id,
        "time": iso(row.time),
        "from": row.sender,
        "recipient": row.recipient,
        "client": row.client,
        "then": row.fate,
        "today": one.today.fate,
        "now": draft.fate,
        "at": draft.at,
        "reply": draft.reply,
        "plugin": draft.plugin,
        "tags": draft.tags,
        "why": one.why,
        "whole": one.whole,
    }
