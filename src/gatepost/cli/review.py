"""`gatepost review`: what refused senders ask on their page, and what is decided."""

from __future__ import annotations

import click

from gatepost.cli.house import at_desk
from gatepost.cli.output import iso, print_json, print_table, visible, when
from gatepost.cli.words import as_json, domain_argument

DECISIONS = ("release", "allow", "decline")


@click.group()
def command() -> None:
    """Requests of refused senders for a review (why.page)."""


@command.command("list")
@domain_argument(required=False)
@click.option("--decided", is_flag=True, help="What was decided, instead of what waits.")
@click.option(
    "-n", "limit", type=click.IntRange(1, 500), default=50, show_default=True, help="At most so many."
)
@as_json
def listing(domain: str | None, decided: bool, limit: int, as_json: bool) -> None:
    """List what waits for a decision, of one domain or of all, the newest first."""
    from gatepost.desk import reviews
    from gatepost.desk.scopes import hosted

    with at_desk() as desk:
        names = [hosted(desk, domain)] if domain else None
        found = reviews.listing(desk, names, waiting=not decided, limit=limit)
    if as_json:
        print_json(
            [
                {"number": r.id, "domain": r.domain, "id": r.mail, "recipient": r.recipient,
                 "sender": r.sender, "check": r.plugin, "asked": iso(r.asked), "network": r.network,
                 "contact": r.contact, "text": r.text, "state": r.state,
                 "decided": iso(r.decided) if r.decided else None,
                 "decided_by": r.decided_by}
                for r in found
            ]
        )  # fmt: skip
        return
    print_table(
        ["number", "asked", "sender", "recipient", "refused by", "id", "wrote", "decided"],
        [(r.id, when(r.asked), r.sender or "<>", r.recipient, r.plugin, r.mail, _cut(r.text),
          f"{r.state} by {r.decided_by}" if r.decided else "")
         for r in found],
        right=["number"],
        empty="Nothing was decided yet." if decided else "Nobody waits for a review.",
    )  # fmt: skip


@command.command("decide")
@domain_argument()
@click.argument("number", type=click.IntRange(0, 1 << 62), metavar="NUMBER")
@click.argument("decision", type=click.Choice(DECISIONS))
@click.option(
    "--all-the-same",
    is_flag=True,
    help="Also what the domain's virus check refuses, or cannot look at now.",
)
def decide(domain: str, number: int, decision: str, all_the_same: bool) -> None:
    """Release the mail, let its sender in from now on (and release), or decline."""
    from gatepost.desk import reviews
    from gatepost.desk.scopes import hosted

    with at_desk() as desk:
        done = reviews.decide(desk, hosted(desk, domain), number, decision, all_the_same=all_the_same)
    click.echo(visible(f"{done.sender or '<>'} for {done.recipient}: {done.state}"))


def _cut(text: str) -> str:
    return text.replace("\n", " ")[:60]
