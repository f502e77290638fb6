"""Header lines that we write, and the few questions asked of those that came.

Everything that a stranger said is cleaned before it stands in a line of ours: no value can end the
line, add a field or close a comment (T3.4). Pure: the clock is an argument.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from functools import lru_cache

from gatepost.mail.address import is_printable
from gatepost.mail.session import Session
from gatepost.mail.transaction import Transaction

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNSAFE = re.compile(r"[^A-Za-z0-9.\-_:\[\]]")
"""What may not stand as a name in Received; all of it becomes `?`."""
_MARKED = re.compile(r"[^!-'*-\[\]-~ ]")
"""What may not stand in a comment: controls, 8-bit, parentheses, backslash."""
_SUBJECT = re.compile(rb"^subject[ \t]*:[^\r\n]*(?:\r\n[ \t][^\r\n]*)*", re.IGNORECASE | re.MULTILINE)
MAX_NAME = 255
MAX_LINE = 78
"""Characters of a line that we write (RFC 5322, 2.1.1)."""


def received(
    session: Session, transaction: Transaction, hostname: str, when: float, for_: str | None
) -> bytes:
    """Return our Received field (RFC 5321, 4.4), folded.

    `for_` names the recipient and must be None when the copy goes to more than one: that would
    tell each of them who else was written to (Bcc).
    """
    name = _name(session.host) if session.host and session.host_confirmed else "unknown"
    tls = f"\r\n\t(using {_comment(session.tls)})" if session.tls else ""
    to = f"\r\n\tfor <{for_}>" if for_ and _may_stand(for_, transaction.smtputf8) else ""
    return (
        f"Received: from {_name(session.helo)} ({name} [{_literal(session.client)}]){tls}\r\n"
        f"\tby {hostname} (Gatepost) with {_protocol(session, transaction)}\r\n"
        f"\tid {transaction.id}{to};\r\n"
        f"\t{date(int(when))}\r\n"
    ).encode()


def date_header(when: float) -> bytes:
    """Return a Date field for a message of ours."""
    return f"Date: {date(int(when))}\r\n".encode("ascii")


@lru_cache(8)
def date(when: int) -> str:
    """Return a moment as RFC 5322, 3.3 writes it, in UTC: the same in every language of the machine."""
    t = time.gmtime(when)
    return (
        f"{_DAYS[t.tm_wday]}, {t.tm_mday:02} {_MONTHS[t.tm_mon - 1]} {t.tm_year:04}"
        f" {t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02} +0000"
    )


def count_received(head: bytes) -> int:
    """Return how many Received fields a header block has (a loop has many: RFC 5321, 6.3)."""
    lower = head.lower()
    return lower.count(b"\nreceived:") + lower.startswith(b"received:")


def strip_headers(head: bytes, names: Iterable[str]) -> bytes:
    """Return the header block without the fields of these names (any case), all their lines included."""
    wanted = {name.lower().encode("ascii") for name in names}
    out: list[bytes] = []
    dropping = False
    for line in head.splitlines(keepends=True):
        if line[:1] not in (b" ", b"\t"):
            dropping = line.partition(b":")[0].rstrip(b" \t").lower() in wanted
        if not dropping:
            out.append(line)
    return b"".join(out)


def add_to_subject(head: bytes, words: str) -> bytes:
    """Return the header block with words behind its first Subject; with one that has none, on top of it."""
    text = words.encode("ascii", "replace")
    found = _SUBJECT.search(head)
    if found is None:
        return b"Subject: " + text + b"\r\n" + head
    last = len(found[0]) - found[0].rfind(b"\n") - 1
    fold = b"\r\n " if last + len(text) > MAX_LINE else b" "
    return head[: found.end()] + fold + text + head[found.end() :]


def _protocol(session: Session, transaction: Transaction) -> str:
    """RFC 3848, RFC 6531 section 4.3."""
    if transaction.smtputf8:
        return "UTF8SMTPS" if session.tls else "UTF8SMTP"
    if not session.esmtp:
        return "SMTP"
    return "ESMTPS" if session.tls else "ESMTP"


def _name(text: str) -> str:
    return _UNSAFE.sub("?", text[:MAX_NAME]) or "unknown"


def _comment(text: str) -> str:
    return _MARKED.sub("?", text[:MAX_NAME])


def _literal(client: str) -> str:
    """RFC 5321, 4.1.3: IPv6 carries its tag."""
    client = _name(client)
    return f"IPv6:{client}" if ":" in client else client


def _may_stand(address: str, utf8: bool) -> bool:
    """Only what the line can hold as it is: printable, international only with SMTPUTF8 (RFC 6531)."""
    return is_printable(address) and (utf8 or address.isascii()) and len(address) <= MAX_NAME
