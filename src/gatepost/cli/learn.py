"""`gatepost learn`: teach the classifier of a domain from files, take it back, and see what was taught."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gatepost.cli.bar import progress_bar
from gatepost.cli.house import at_desk
from gatepost.cli.output import iso, print_facts, print_json, print_table, visible, when
from gatepost.cli.words import as_json, domain_argument

if TYPE_CHECKING:
    from gatepost.store.trainings import Training


@click.group()
def command() -> None:
    """Teach the classifier of a domain which mail its people want."""


@command.command()
@domain_argument()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
def spam(domain: str, paths: tuple[str, ...]) -> None:
    """Learn messages as spam: single files, mboxes, Maildirs."""
    _teach(domain, paths, is_spam=True)


@command.command()
@domain_argument()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
def ham(domain: str, paths: tuple[str, ...]) -> None:
    """Learn messages as wanted: single files, mboxes, Maildirs."""
    _teach(domain, paths, is_spam=False)


@command.command()
@domain_argument()
@click.argument("numbers", metavar="[NUMBER...]", nargs=-1, type=int)
@click.option("--by", default="", metavar="WHO", help="All that this person taught.")
@click.option("--day", default="", metavar="YYYY-MM-DD", help="All of this day (UTC).")
def undo(domain: str, numbers: tuple[int, ...], by: str, day: str) -> None:
    """Take trainings back: the model is exactly as if they had never been.

    The numbers are those of `gatepost learn log`.
    """
    from gatepost.desk import training

    if not (numbers or by or day):
        raise click.UsageError("say which: numbers, --by WHO, or --day YYYY-MM-DD")
    with at_desk() as desk:
        gone = training.undo(desk, domain, numbers, by=by, day=day)
    click.echo(f"{domain}: {len(gone)} taken back")


@command.command()
@domain_argument()
@click.option("--limit", default=50, show_default=True, help="How many, the newest first.")
@as_json
def log(domain: str, limit: int, as_json: bool) -> None:
    """Show what was taught: what, by whom, when, and what the model thought before."""
    from gatepost.desk import training

    with at_desk() as desk:
        found = training.log(desk, domain, limit)
        spams, hams = training.counts(desk, domain)
    if as_json:
        print_json([_as_json(one) for one in found])
        return
    print_table(
        ["number", "time", "by", "how", "as", "thought before", "mail", "taken back"],
        [
            (t.seq, when(t.time), visible(t.by), t.how, "spam" if t.spam else "wanted", f"{t.before:+.1f}",
             t.what or "-", "yes" if t.undone else "")
            for t in found
        ],
        right=["number", "thought before"],
        empty="Nothing was taught yet.",
    )  # fmt: skip
    click.echo(f"{domain} has learnt {spams} spam and {hams} wanted messages.")


@command.command()
@domain_argument()
@click.argument("person", metavar="LOCALPART")
@as_json
def address(domain: str, person: str, as_json: bool) -> None:
    """Show the training addresses of one person, with the secret that proves who writes.

    `training.generation` counted up makes all that were given out void.
    """
    from gatepost.desk import train_addresses

    with at_desk() as desk:
        found = train_addresses.of_person(desk, domain, person)
    if as_json:
        print_json({"spam": found.spam, "ham": found.ham})
        return
    print_facts({"spam": found.spam, "wanted": found.ham})


@command.command()
@click.argument("domains", metavar="DOMAIN...", nargs=-1, required=True)
def base(domains: tuple[str, ...]) -> None:
    """Make the shared base of what these domains taught; all domains lean on it.

    Name only domains whose owners agree: what is shared are weights of hashed words, no mail.
    """
    from gatepost.desk import training

    with at_desk() as desk:
        version, count = training.make_base(desk, domains)
    click.echo(f"base {version}: {count} trainings of {len(domains)} domains")


def _teach(domain: str, paths: tuple[str, ...], *, is_spam: bool) -> None:
    from gatepost.desk import training
    from gatepost.desk.mail_whole import files, messages

    unreadable: list[str] = []
    with at_desk() as desk:
        found = files(paths)
        with progress_bar("Learning", lambda: sum(path.stat().st_size for path in found)) as progress:
            lessons = (training.Lesson(raw) for raw in messages(found, unreadable, progress))
            done = training.train(desk, domain, lessons, spam=is_spam)
        spams, hams = training.counts(desk, domain)
    for line in (*unreadable[:10], *done.troubles[:10]):
        click.echo(visible(f"gatepost: {line}"), err=True)
    already = f", {done.already} were known" if done.already else ""
    kind = "spam" if is_spam else "wanted"
    click.echo(
        f"{domain}: {len(done.learnt)} learnt as {kind}{already}; {spams} spam and {hams} wanted in all"
    )


def _as_json(t: Training) -> dict[str, object]:
    return {
        "number": t.seq,
        "time": iso(t.time),
        "by": t.by,
        "how": t.how,
        "as": "spam" if t.spam else "ham",
        "before": t.before,
        "id": t.what or None,
        "weight": t.weight,
        "undone": t.undone,
    }
