"""`gatepost archive`: kept mail."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from gatepost.cli.house import at_desk
from gatepost.cli.output import iso, print_facts, print_json, print_table, size, visible, when
from gatepost.cli.words import as_json, domain_option

if TYPE_CHECKING:
    from gatepost.desk.archive import Release
    from gatepost.spool.index import Kept

COPY = click.option("--recipient", "-r", metavar="ADDRESS", help="Only the copy of this recipient.")


@click.group()
def command() -> None:
    """Kept mail: what was refused or is held. ID stands in the SMTP reply and in the journal."""


@command.command("list")
@domain_option("Only of this domain.")
@click.option("--since", metavar="TIME", help="1h, 7d, or a date.")
@click.option("--outcome", type=click.Choice(["rejected", "quarantined", "refused_by_backend"]))
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True)
@click.argument("text", required=False)
@as_json
def listing(
    domain: str | None, since: str | None, outcome: str | None, limit: int, text: str | None, as_json: bool
) -> None:
    """List what is kept, newest first; TEXT looks in addresses, subject and reason."""
    from gatepost.desk import archive, spans

    with at_desk() as desk:
        start = spans.since(since, desk.clock()) if since else 0.0
        found = archive.listing(desk, domain, since=start, outcome=outcome, text=text or "", limit=limit)
        states = [archive.state(desk, kept) for kept in found] if as_json else []
    if as_json:
        print_json([_as_json(kept, state) for kept, state in zip(found, states, strict=True)])
        return
    print_table(
        ["id", "kept", "outcome", "mail"],
        [(kept.id, when(kept.time), kept.outcome, _mail(kept)) for kept in found],
        empty="Nothing is kept.",
    )


@command.command()
@click.argument("id_", metavar="ID")
@domain_option("Only of this domain.")
@COPY
@click.option("--facts", is_flag=True, help="What is known of it, without the message.")
@as_json
def show(id_: str, domain: str | None, recipient: str | None, facts: bool, as_json: bool) -> None:
    """Print a kept mail.

    On a terminal, what cannot be printed is written out; into a file or pipe go the bytes as
    received.
    """
    from gatepost.desk import archive

    with at_desk() as desk:
        copies = archive.find(desk, id_, domain, recipient)
        if as_json:
            print_json([_as_json(kept, archive.state(desk, kept)) for kept in copies])
        elif facts:
            for kept in copies:
                print_facts(_facts(kept, archive.state(desk, kept)))
        else:
            _print_bytes(archive.opened(desk, copies[0]))


@command.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@domain_option("Only of this domain.")
@COPY
@click.option("--again", is_flag=True, help="Also what was delivered before.")
@click.option("--train", is_flag=True, help="Teach the classifier in one go that it is no spam.")
@click.option(
    "--all-the-same",
    is_flag=True,
    help="Also what the domain's virus check refuses, or cannot look at now; it is not asked.",
)
@as_json
def release(
    ids: tuple[str, ...],
    domain: str | None,
    recipient: str | None,
    again: bool,
    train: bool,
    all_the_same: bool,
    as_json: bool,
) -> None:
    """Deliver kept mail to the domain's own server, unchanged and unfiltered.

    The domain's virus check looks into it first. It is tried at once while the server runs;
    `gatepost queue list` shows what waits. A mail that was released twice is delivered once.
    """
    from gatepost.desk import archive, training
    from gatepost.desk.releasing import Doubtful, Releasing

    faults: list[str] = []
    with at_desk() as desk:
        copies = [kept for one in ids for kept in archive.find(desk, one, domain, recipient)]
        releasing = Releasing(desk, again=again, all_the_same=all_the_same)
        done = []
        for kept in copies:
            try:
                done.append(releasing.release(kept))
            except Doubtful as error:  # the others are released
                faults.append(visible(str(error)))
        if train and done:
            training.train_kept(desk, [one.kept for one in done], spam=False)
    if as_json:
        print_json([_as_json(one.kept, one) for one in done])
    else:
        for one in done:
            click.echo(f"{one.kept.id} for {visible(one.kept.recipient)}: {_SAID[one.state]}")
    if faults:
        raise click.ClickException("; ".join([*faults, "--all-the-same releases it unseen"]))


@command.command()
@click.argument("kind", metavar="spam|ham", type=click.Choice(["spam", "ham"]))
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@domain_option("Only of this domain.")
@COPY
def train(kind: str, ids: tuple[str, ...], domain: str | None, recipient: str | None) -> None:
    """Teach kept mail to the classifier of the domains it is kept for.

    A correction: afterwards the classifier is on the side that was taught. `gatepost learn undo`
    takes it back.
    """
    from gatepost.desk import archive, training

    with at_desk() as desk:
        copies = [kept for one in ids for kept in archive.find(desk, one, domain, recipient)]
        done = training.train_kept(desk, copies, spam=kind == "spam")
    already = f", {done.already} were known" if done.already else ""
    click.echo(f"{len(done.learnt)} learnt as {'spam' if kind == 'spam' else 'wanted'}{already}")


@command.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@domain_option("Only of this domain.")
@COPY
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(ids: tuple[str, ...], domain: str | None, recipient: str | None, yes: bool) -> None:
    """Delete kept mail for good."""
    from gatepost.desk import archive

    with at_desk() as desk:
        copies = [kept for one in ids for kept in archive.find(desk, one, domain, recipient)]
        if len(copies) > len(ids) and not yes:
            click.confirm(f"Delete {len(copies)} copies?", abort=True, err=True)
        for kept in copies:
            archive.delete(desk, kept)
            click.echo(f"{kept.id} for {visible(kept.recipient)}: deleted")


@command.command()
@click.argument("id_", metavar="ID")
@domain_option("Only of this domain.")
@as_json
def deeds(id_: str, domain: str | None, as_json: bool) -> None:
    """Show who opened, released or deleted a kept mail."""
    from gatepost.desk import archive
    from gatepost.desk.deeds import deeds_of

    with at_desk() as desk:
        copies = archive.find(desk, id_, domain)
        found = [deed for kept in copies for deed in deeds_of(desk, kept.domain, kept.ref)]
    if as_json:
        print_json(
            [{"time": iso(d.time), "by": d.by, "what": d.what, "recipient": d.recipient} for d in found]
        )
        return
    print_table(
        ["time", "by", "what", "recipient"],
        [(when(d.time), d.by, d.what, d.recipient) for d in found],
        empty="Nobody touched it.",
    )


_SAID = {
    "waiting": "released, on its way",
    "failed": "released, and refused by the domain's server; it will be tried again",
    "delivered": "was delivered before (--again delivers it once more)",
    "": "not released",
}


def _mail(kept: Kept) -> str:
    subject = f" {kept.subject!r}" if kept.subject else ""
    why = f" ({kept.plugin}: {kept.reason})" if kept.reason else ""
    return f"{kept.sender or '<>'} -> {kept.recipient}{subject}{why}"


def _facts(kept: Kept, state: Release) -> dict[str, object]:
    return {
        "id": kept.id,
        "kept": when(kept.time),
        "outcome": kept.outcome,
        "from": kept.sender or "<>",
        "to": kept.recipient,
        "subject": kept.subject,
        "client": f"{kept.ip} ({kept.host or 'no name'}), HELO {kept.helo}",
        "reason": f"{kept.plugin}: {kept.reason}",
        "score": f"{kept.score:g}",
        "size": size(kept.size),
        "file": kept.ref,
        "release": state.state or "-",
        "last reply": state.last or "-",
    }


def _as_json(kept: Kept, state: Release) -> dict[str, object]:
    return {
        "id": kept.id,
        "time": iso(kept.time),
        "from": kept.sender or "",
        "recipient": kept.recipient,
        "domain": kept.domain,
        "ip": kept.ip,
        "host": kept.host,
        "helo": kept.helo,
        "outcome": kept.outcome,
        "plugin": kept.plugin,
        "reason": kept.reason,
        "score": kept.score,
        "subject": kept.subject,
        "message-id": kept.message_id,
        "size": kept.size,
        "filename": kept.ref,
        "release": state.state,
        "last_reply": state.last,
    }


def on_terminal() -> bool:
    """Return whether a person looks."""
    return sys.stdout.isatty()


def _print_bytes(blocks: Iterable[bytes]) -> None:
    """Raw into a pipe; on a terminal nothing of a stranger reaches the terminal as control."""
    if not on_terminal():
        for block in blocks:
            click.echo(block, nl=False)
        return
    rest = ""
    for block in blocks:
        lines = (rest + block.decode("utf-8", "backslashreplace")).split("\n")
        rest = lines.pop()
        for line in lines:
            click.echo(visible(line.removesuffix("\r").expandtabs()))
    if rest:
        click.echo(visible(rest))
