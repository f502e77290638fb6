"""What a refused sender reads: for each check in general words why, and what he can do about it.

The owner's remedies (`gatepost.desk.remedy`) are what the owner can do; these are what the sender can.
They say no more than the sentence of the reply did. A check without a line here has the general one.
"""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.console.text import mark


@dataclass(frozen=True, slots=True)
class Help:
    """Two sentences for the sender."""

    why: str
    mend: str


GENERAL = Help(
    mark("The rules of the recipient's domain do not let this message in."),
    mark("Ask the recipient by another way, or ask for a review below."),
)
_SERVER = mark(
    "Pass this page on to who runs the server that you send through. Until it is mended, send through"
    " another server or provider."
)
_SPAM = Help(
    mark("The message looks like spam to a filter. Filters err."),
    mark(
        "Write it again in plain words, with fewer links, pictures and attachments,"
        " or ask for a review below."
    ),
)
_FORGED = Help(
    mark("The message could not be shown to come from the domain that stands as its sender."),
    mark(
        "Send through the server that your address belongs to. If you did, its administrator has to put SPF"
        " and DKIM in order; a list or a forwarder on the way can have broken them, too."
    ),
)
_ADDRESS = Help(
    mark("The recipient's address does not take this message."),
    mark("Look whether the address is spelt right and still in use; ask the recipient by another way."),
)
_BOUNCE = Help(
    mark("The message looks like an automatic answer to a mail that was never sent from here."),
    mark("Nothing has to be done: somebody forged the sender of the mail that your server answered."),
)

HELP: dict[str, Help] = {
    "arc": _FORGED,
    "bounce": _BOUNCE,
    "bounce_storm": _BOUNCE,
    "clamav": Help(
        mark("A virus scanner found something harmful in the message."),
        mark("Look your computer through for viruses, and send the message without its attachments."),
    ),
    "classifier": _SPAM,
    "client_rate": Help(
        mark("The server that you send through comes too often."), mark("Wait an hour and send it again.")
    ),
    "counted_address": _ADDRESS,
    "deny_list": Help(
        mark("The recipient's domain takes no mail from your address or your server."),
        mark("Ask the recipient by another way, or ask for a review below."),
    ),
    "dkim": _FORGED,
    "dmarc": _FORGED,
    "dnsbl": Help(
        mark("The server that you send through stands on a public list of servers that send spam."),
        mark(
            "Pass this page on to who runs that server: such lists say on their own pages how to leave them."
            " Until then, send through another server or provider."
        ),
    ),
    "early_talker": Help(
        mark("The server that you send through does not keep to the rules of SMTP."), _SERVER
    ),
    "filter_command": _SPAM,
    "headers": Help(
        mark(
            "The message is not formed as mail has to be: a line of its head is missing, doubled or damaged."
        ),
        mark("Send it again with another mail program; who wrote the program that sent it has to mend it."),
    ),
    "helo_name": Help(mark("The server that you send through gives a name that is not its own."), _SERVER),
    "impersonation": Help(
        mark("The message names somebody as its sender from whom it does not seem to come."),
        mark("Write under your own name and address, from your own server, or ask for a review below."),
    ),
    "localpart_rules": _ADDRESS,
    "rdns": Help(
        mark("The server that you send through has no name in the DNS, or not that of a mail server."),
        _SERVER,
    ),
    "recipients": Help(
        mark("There is no such mailbox."),
        mark("Look whether the address is spelt right and still in use; ask the recipient by another way."),
    ),
    "reputation": Help(
        mark("Mail that came from the same place before was not wanted here."),
        mark("Ask the recipient by another way, or ask for a review below."),
    ),
    "rspamd": _SPAM,
    "score": _SPAM,
    "sender_domain": Help(
        mark("The domain of your address takes no mail itself, so nobody could answer you."),
        mark(
            "Look whether your own address is set right in your mail program; the domain needs a mail"
            " server (MX)."
        ),
    ),
    "spamassassin": _SPAM,
    "spf": _FORGED,
    "uribl": Help(
        mark("The message links to a domain that stands on a public list of domains that spam links to."),
        mark("Send it again without that link, or ask for a review below."),
    ),
}


def help_for(check: str) -> Help:
    """Return what a sender reads of a refusal."""
    return HELP.get(check, GENERAL)
