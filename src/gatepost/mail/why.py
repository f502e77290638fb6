"""The token behind `public_url/why/`: it names one refusal, and nobody makes one up.

    0DQ3N7V5K2F8T.1-3M9QZ0V41CTR8D2JH5WAF6EX

Ids are short and sortable, so whoever has one can guess its neighbours. The token adds to the
transaction's id eight characters of an HMAC that tell its recipients apart (and say nothing of them),
and sixteen more, 80 bits, that only the installation's secret makes. The last ones are looked at
first: what is made up costs one HMAC and no look at the journal. Pure.
"""

from __future__ import annotations

import hmac
from typing import NamedTuple

from gatepost.mail.ids import ALPHABET, clean

PATH = "/why/"
TAG, MARK = 8, 16
LONGEST = 64
"""Characters of a token."""


class Token(NamedTuple):
    """What a token says."""

    id: str
    """Of the transaction."""
    tag: str
    """Which of its refused recipients."""


def make(secret: bytes, id: str, domain: str, recipient: str) -> str:  # noqa: A002
    """Return the token of one recipient's refusal."""
    tag = tag_of(secret, id, domain, recipient)
    return f"{id}-{tag}{_mark(secret, id, tag)}"


def read(secret: bytes, text: str) -> Token | None:
    """Return what a token says, None for what `make` did not make; as typed by a person, too."""
    head, dash, tail = text[: LONGEST + 1].upper().partition("-")
    id = clean(head) if dash and head.isascii() else None  # noqa: A001
    if id is None or len(text) > LONGEST or len(tail) != TAG + MARK or not tail.isascii():
        return None
    tag, mark = tail[:TAG], tail[TAG:]
    return Token(id, tag) if hmac.compare_digest(_mark(secret, id, tag), mark) else None


def tag_of(secret: bytes, id: str, domain: str, recipient: str) -> str:  # noqa: A002
    """Return what tells a recipient of a transaction from its others."""
    return _digits(secret, f"gatepost-why-tag-1\n{id}\n{domain}\n{recipient.lower()}", TAG)


def _mark(secret: bytes, id: str, tag: str) -> str:  # noqa: A002
    return _digits(secret, f"gatepost-why-1\n{id}\n{tag}", MARK)


def _digits(secret: bytes, said: str, length: int) -> str:
    """Return so many characters of an HMAC, five bits each, as ids are written."""
    number = int.from_bytes(hmac.digest(secret, said.encode("utf-8", "surrogatepass"), "sha256"))
    return "".join(ALPHABET[(number >> (5 * at)) & 31] for at in range(length))
