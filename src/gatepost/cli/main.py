"""The program `gatepost`: its commands as a table.

Nothing is imported here but click; a command's module imports the house when it is called.
"""

from __future__ import annotations

import click

from gatepost import __version__
from gatepost.cli.lazy import Commands, LazyGroup

COMMANDS: Commands = {
    "serve": ("gatepost.cli.serve", "Run everything on one machine."),
    "config": ("gatepost.cli.config", "Check or show the configuration of this machine."),
    "domain": ("gatepost.cli.domain", "Domains, their routes and settings."),
    "recipient": ("gatepost.cli.recipient", "Who exists in a domain."),
    "alias": ("gatepost.cli.alias", "Counted addresses: word.5.user@, good for a few mails."),
    "list": ("gatepost.cli.lists", "Allow and deny lists."),
    "rules": ("gatepost.cli.rules", "Patterns for addresses that nobody has."),
    "batv": ("gatepost.cli.batv", "Sign the return path of outgoing mail, to know forged bounces."),
    "review": ("gatepost.cli.review", "Requests of refused senders for a review."),
    "storm": ("gatepost.cli.storm", "Addresses that a storm of bounces has closed."),
    "journal": ("gatepost.cli.journal", "What became of each mail; --follow shows it live."),
    "stats": ("gatepost.cli.stats", 'What refused what, "no such user" apart from spam.'),
    "explain": ("gatepost.cli.explain", "Every check of one mail, with its result and time."),
    "archive": ("gatepost.cli.archive", "Kept mail: list, show, release, delete."),
    "digest": ("gatepost.cli.digest", "A mail that tells what was kept: show it, send it now."),
    "queue": ("gatepost.cli.queue", "Mail that waits to be handed on."),
    "privacy": ("gatepost.cli.privacy", "One person's data in a domain: hand it out, erase it."),
    "alarms": ("gatepost.cli.alarms", "What is in trouble, and whether anybody is told."),
    "check": ("gatepost.cli.check", "What would happen to a mail, without doing it."),
    "recheck": ("gatepost.cli.recheck", "What a draft setting would have changed."),
    "learn": ("gatepost.cli.learn", "Teach the classifier of a domain which mail its people want."),
    "greylist": ("gatepost.cli.greylist", "What putting strangers off costs a domain."),
    "forwarders": ("gatepost.cli.forwarders", "Who broke DMARC on wanted mail."),
    "plugin": ("gatepost.cli.plugin", "The checks: list, show, write a new one, try it."),
    "user": ("gatepost.cli.user", "Who may sign in to the console, and to which domains."),
    "token": ("gatepost.cli.token", "What programs send to the API instead of signing in."),
    "changes": ("gatepost.cli.changes", "Who changed what; undo a change."),
    "import": ("gatepost.cli.imports", "Take over the configuration of another system."),
    "srv": ("gatepost.cli.srv", "Policy as a tree of files: import, export."),
    "bypass": ("gatepost.cli.bypass", "Take the filter out and put it back."),
    "backup": ("gatepost.cli.backup", "Write everything that is remembered into one file."),
    "restore": ("gatepost.cli.restore", "Put a backup back."),
    "completion": ("gatepost.cli.completion", "Completion for bash, zsh or fish."),
}


@click.group(
    "gatepost",
    cls=LazyGroup,
    table=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog="Exit status: 0 ok, 1 error, 2 wrong words on the command line or in the configuration.",
)
@click.option(
    "--config",
    metavar="FILE",
    help="Configuration file; else $GATEPOST_CONFIG, ./gatepost.toml, /etc/gatepost/gatepost.toml.",
)
@click.version_option(__version__, message="gatepost %(version)s")
def cli(config: str | None) -> None:
    """Gatepost, an inbound mail filter for many domains."""


def main() -> None:
    """Run the program."""
    cli.main(prog_name="gatepost")
