"""A notice to the sender that his mail was not delivered, or was relayed without a promise (RFC 3464).

Made only for mail that we said 250 to, and sent only to senders that SPF or DKIM proved (T8.4): whether
that is so the caller has to know. The notice quotes headers only, never the body, and holds nothing
that a stranger wrote but as cleaned ASCII.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from gatepost.mail.reply import visible

QUOTED = 8192
"""Bytes of the original's headers that are quoted."""
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Fate:
    """What is to be said of one recipient."""

    recipient: str
    action: str
    """`failed`, `delayed` or `relayed` (RFC 3464, 2.3.3)."""
    status: str
    """Enhanced code, `5.1.1`."""
    diagnostic: str
    """The next hop's own words."""
    orcpt: str = ""


_WORDS = {
    "failed": (
        "Undelivered mail",
        "Your mail could not be delivered to the following recipients:",
    ),
    "delayed": ("Delayed mail", "Your mail could not be delivered yet; it will be tried again:"),
    "relayed": (
        "Relayed mail",
        "Your mail was handed to a server that gives no notices of delivery:",
    ),
}


def make_notice(
    *,
    hostname: str,
    id: str,  # noqa: A002 - the word of the house
    to: str,
    fates: Sequence[Fate],
    head: bytes,
    now: float,
    arrived: float,
    envid: str = "",
) -> bytes:
    """Return the whole notice: plain bytes with CRLF, ready for the queue."""
    action = fates[0].action
    title, sentence = _WORDS[action]
    border = f"=_gatepost_{id.replace('.', '_')}"
    told = "\r\n".join(
        f"  <{visible(fate.recipient)}>\r\n    {visible(fate.status)} {visible(fate.diagnostic)}"
        for fate in fates
    )
    report = [f"Reporting-MTA: dns; {visible(hostname)}"]
    if envid:
        report.append(f"Original-Envelope-Id: {visible(envid)}")
    report.append(f"Arrival-Date: {date(arrived)}")
    for fate in fates:
        report.append("")
        if fate.orcpt:
            report.append(f"Original-Recipient: {visible(fate.orcpt)}")
        report += [
            f"Final-Recipient: {_address_type(fate.recipient)}; {visible(fate.recipient)}",
            f"Action: {fate.action}",
            f"Status: {visible(fate.status)}",
            f"Diagnostic-Code: smtp; {visible(fate.diagnostic)}",
        ]
    lines = [
        f"From: Mail Delivery System <postmaster@{visible(hostname)}>",
        f"To: <{visible(to)}>",
        f"Subject: {title}",
        f"Date: {date(now)}",
        f"Message-ID: <{id}.notice@{visible(hostname)}>",
        "Auto-Submitted: auto-replied",  # RFC 3834: nobody answers an answer
        "MIME-Version: 1.0",
        "Content-Type: multipart/report; report-type=delivery-status;",
        f'\tboundary="{border}"',
        "",
        f"--{border}",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        sentence,
        "",
        told,
        "",
        f"--{border}",
        "Content-Type: message/delivery-status",
        "",
        *report,
        "",
        f"--{border}",
        "Content-Type: text/rfc822-headers",
        "",
        quoted(head),
        f"--{border}--",
        "",
    ]
    return "\r\n".join(lines).encode("ascii", "replace")


def quoted(head: bytes) -> str:
    """Return the original's headers as harmless ASCII, whole lines, bounded."""
    end = head.find(b"\r\n\r\n")
    part = (head[: end + 2] if end >= 0 else head)[:QUOTED]
    text = part.decode("ascii", "replace")
    # A line that begins with two hyphens could be taken for the border of the report.
    lines = ["".join(c if " " <= c <= "~" or c == "\t" else "?" for c in line) for line in text.split("\r\n")]
    return "\r\n".join(" " + line if line.startswith("--") else line[:900] for line in lines)


def date(moment: float) -> str:
    """Return a date as RFC 5322 has it, in UTC."""
    t = time.gmtime(moment)
    day, month = _DAYS[t.tm_wday], _MONTHS[t.tm_mon - 1]
    return f"{day}, {t.tm_mday} {month} {t.tm_year} {t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02} +0000"


def _address_type(address: str) -> str:
    return "rfc822" if address.isascii() else "utf-8"
