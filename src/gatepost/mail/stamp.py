"""The signed id on delivered mail, by which a training finds what it is about: `X-Gatepost-Id`.

    X-Gatepost-Id: 01KB7Z0S9QXYZ.1; s=Q2hhcmFjdGVycyBvZiBITUFD

The signature is an HMAC of the installation's secret over id, domain and recipient, so nobody guesses an
id of another's mail and what one domain got means nothing in another. Where one copy went to several
people of a domain it is made for `EVERYBODY`: a name would tell one of another who was in Bcc. No check
believes it; the intake takes out what strangers write under this name (`gatepost.auth.forged`). Pure.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import NamedTuple

from gatepost.mail.message import Message

HEADER = "X-Gatepost-Id"
EVERYBODY = "*"
"""Stands for the recipient where one copy went to several."""
MARK = 16
"""Octets of the HMAC that are written."""

_VALUE = re.compile(r"\s*([0-9A-Za-z.]{1,40}+)\s*;\s*s=([A-Za-z0-9_-]{22})(?![A-Za-z0-9_-])")
_LINE = re.compile(rf"(?im)^[>| \t]*{HEADER}:{_VALUE.pattern}")


class Stamp(NamedTuple):
    """What a header claims; whether it holds is another question."""

    id: str
    mark: str


def make(secret: bytes, id: str, domain: str, recipient: str) -> str:  # noqa: A002
    """Return the header's value."""
    return f"{id}; s={_mark(secret, id, domain, recipient)}"


def read(value: str) -> Stamp | None:
    """Return what a header's value claims, None for what is none."""
    found = _VALUE.match(value[:200])
    return Stamp(found[1], found[2]) if found is not None else None


def in_text(text: str, most: int = 5) -> list[Stamp]:
    """Return what is claimed by header lines that stand in a text, as some programs forward them."""
    found = []
    for match in _LINE.finditer(text):
        found.append(Stamp(match[1], match[2]))
        if len(found) >= most:
            break
    return found


def holds(stamp: Stamp, secret: bytes, domain: str, recipients: Iterable[str]) -> bool:
    """Say whether a claim was made by us for this domain and one of these recipients (or several)."""
    return any(
        hmac.compare_digest(_mark(secret, stamp.id, domain, one), stamp.mark)
        for one in (EVERYBODY, *recipients)
    )


def key_of(message: Message) -> str:
    """Return what makes a message the same one, for "already trained": its Message-ID, else its bytes."""
    said = (message.get("Message-ID") or "").strip()
    return key_of_id(said) if said else _key(message.body or message.head)


def key_of_id(message_id: str) -> str:
    """Return the same for a Message-ID that stands elsewhere (`References`), with its angle brackets."""
    return _key(message_id.encode("utf-8", "replace"))


def _key(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:24]


def _mark(secret: bytes, id: str, domain: str, recipient: str) -> str:  # noqa: A002
    said = f"gatepost-id-1\n{id}\n{domain}\n{recipient.lower()}".encode("utf-8", "surrogatepass")
    return base64.urlsafe_b64encode(hmac.digest(secret, said, "sha256")[:MARK]).rstrip(b"=").decode("ascii")
