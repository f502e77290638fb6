"""The lines of an envelope: MAIL and RCPT with what the next hop understands of their parameters.

What it cannot take at all is said before anything is sent: a message that is international
(RFC 6531) or too large (RFC 1870) for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from gatepost.mail.address import Address, is_printable
from gatepost.relay.results import REFUSED, MailParams, Result, To
from gatepost.smtp.client import Capabilities
from gatepost.smtp.errors import OutboundError


def mail_line(sender: Address | None, params: MailParams, offered: Capabilities, prdr: bool) -> bytes:
    """Return `MAIL FROM:<...>` with the parameters that the next hop offers.

    8-bit mail goes as it is to a server without 8BITMIME: taking it apart would break its signature,
    and every server of this century takes it.
    """
    line = f"MAIL FROM:<{_text(sender)}>" if sender is not None else "MAIL FROM:<>"
    if params.size and offered.size is not None:
        line += f" SIZE={params.size}"
    if params.body == "8BITMIME" and offered.eightbit:
        line += " BODY=8BITMIME"
    if params.smtputf8:
        line += " SMTPUTF8"
    if offered.dsn:
        if params.ret:
            line += f" RET={_word(params.ret)}"
        if params.envid:
            line += f" ENVID={_word(params.envid)}"
    if prdr:
        line += " PRDR"
    return (line + "\r\n").encode("utf-8")


def rcpt_line(to: To, offered: Capabilities) -> bytes:
    """Return `RCPT TO:<...>`, with NOTIFY and ORCPT where they mean something."""
    address, notify, orcpt = to
    line = f"RCPT TO:<{_text(address)}>"
    if (notify or orcpt) and offered.dsn:
        if notify:
            line += f" NOTIFY={_word(notify)}"
        if orcpt:
            line += f" ORCPT={_word(orcpt)}"
    return (line + "\r\n").encode("utf-8")


def unable(
    offered: Capabilities | None,
    params: MailParams,
    sender: Address | None,
    recipients: Sequence[To],
    where: str,
) -> Result | None:
    """Return the refusal of what the next hop cannot take, None if it can."""
    assert offered is not None
    if offered.size and params.size > offered.size:
        return Result(REFUSED, 552, "5.3.4", "Message is too large for the recipient's server", where)
    if offered.utf8:
        return None
    international = params.smtputf8 or (sender is not None and not sender.text.isascii())
    if not international:
        for to in recipients:
            if not to.address.text.isascii():
                international = True
    if international:
        text = "The recipient's server does not take international mail (SMTPUTF8)"
        return Result(REFUSED, 550, "5.6.7", text, where)
    return None


def _text(address: Address) -> str:
    """Return the address; the grammar let no control character in, and none goes out if it did."""
    text = address.text
    if not is_printable(text):
        raise OutboundError("a control character in an address")
    return text


def _word(value: str) -> str:
    if not is_printable(value) or " " in value:
        raise OutboundError("a space or control character in a parameter")
    return value
