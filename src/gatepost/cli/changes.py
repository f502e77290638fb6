"""`gatepost changes`: who changed what, when; and back again."""

from __future__ import annotations

import click

from gatepost.cli.house import at_desk
from gatepost.cli.output import iso, print_json, print_table, visible, when
from gatepost.cli.words import as_json, domain_argument


@click.command()
@domain_argument(required=False)
@click.option("--roll-back", "number", type=int, metavar="ID", help="Undo one change.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@as_json
def command(domain: str | None, number: int | None, limit: int, as_json: bool) -> None:
    """Show who changed what, the newest first; undo a change.

    A roll back is a change too. It is refused where somebody has built on what would be undone.
    """
    from gatepost.desk import changes

    with at_desk() as desk:
        if number is not None:
            undone = changes.roll_back(desk, number)
            said = f"{visible(undone.scope)}: {visible(changes.in_words(undone))}"
            click.echo(f"change {number} undone: {said}")
            return
        found = changes.listing(desk, domain, limit=limit)
    if as_json:
        print_json(
            [
                {
                    "id": c.id,
                    "version": c.version,
                    "time": iso(c.time),
                    "by": c.by,
                    "scope": c.scope,
                    "what": c.what,
                    "before": changes.told(c.before),
                    "after": changes.told(c.after),
                    "undoes": c.undoes,
                }
                for c in found
            ]
        )
        return
    print_table(
        ["id", "time", "by", "what"],
        [(c.id, when(c.time), c.by, f"{_place(c.scope)}: {changes.in_words(c)}") for c in found],
        right=["id"],
        empty="Nothing was changed yet.",
    )


def _place(scope: str) -> str:
    return "all domains" if scope == "all" else scope.partition(":")[2]
