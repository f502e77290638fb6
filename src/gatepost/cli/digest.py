"""`gatepost digest`: what was kept, as the mail that tells of it."""

from __future__ import annotations

import click

from gatepost.cli.house import at_desk
from gatepost.cli.output import visible
from gatepost.cli.words import domain_argument


@click.command()
@domain_argument()
@click.option(
    "--to", "reader", metavar="MAILBOX", help="The digest of this mailbox, not of the whole domain."
)
@click.option("--since", metavar="TIME", help="From when on: 7d, 12h, or a date; else since the last one.")
@click.option("--print/--send", "only_print", default=True, help="Show it (the default), or send it now.")
def command(domain: str, reader: str | None, since: str | None, only_print: bool) -> None:
    """Show or send a digest: the mail that was kept since the last one.

    It is sent by the domain's own route to MAILBOX, or to those who get the domain's digest
    (digest.to). The next one that is due is made all the same. The links in one that is only shown
    open nothing.
    """
    from gatepost.desk import digest, digest_post, spans
    from gatepost.desk.errors import DeskError

    with at_desk() as desk:
        try:
            from gatepost.console import digest_mail
        except ImportError as error:
            raise DeskError(f"pip install 'gatepost[console]' ({error.name} is missing)") from error
        start = spans.since(since, desk.clock()) if since else None
        if only_print:
            one = digest.now(desk, domain, reader, since=start, example=True)
            click.echo(digest_mail.text(one, digest_mail.words_of(one, desk.clock())), nl=False)
            return
        for one in digest_post.send(desk, domain, reader, digest_mail.make, since=start):
            click.echo(f"{visible(one.reader)}: {one.number} kept, on its way")
