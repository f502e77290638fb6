"""Takes out fields that pretend to be ours: who trusts our word must not read a stranger's (RFC 8601, 5).

An Authentication-Results with our name in any case, folding, comment or quoting, one whose name
cannot be read at all, and a Received-SPF that names us as its receiver. So are the lines that only
we write (`X-Gatepost-*`, the mark of released mail among them) and those that mail programs sort by
(`X-Spam-Flag` and its like, `X-Automatic-Mail`, `X-Counted-Address`): a stranger's word is no word,
whatever it says. Bytes in, bytes
out, by the same reading of fields as `gatepost.mail.message` has; other fields are not touched, not
by an octet.
"""

from __future__ import annotations

import re

from gatepost.auth.reading import read_authserv_id

_FIELD = re.compile(
    rb"(?:(authentication-results|received-spf)|x-gatepost-[!-9;-~]*"
    rb"|x-spam-(?:flag|status|level|score|report)|x-automatic-mail|x-counted-address)[ \t]*:",
    re.IGNORECASE,
)
_QUICK = (
    b"authentication-results",
    b"received-spf",
    b"x-spam-",
    b"x-gatepost-",
    b"x-automatic-",
    b"x-counted-",
)
MAX_FIELD = 16_384
"""Octets of one field that are looked at; who needs more to say a name is not honest."""
_RECEIVER = re.compile(r"receiver\s*=\s*\"?([^\s\";]{1,255})", re.IGNORECASE)


def without_forged(head: bytes, hostname: str) -> bytes:
    """Return the header block without fields that pretend to be from `hostname`; the same object if none."""
    lower = head.lower()
    if not any(word in lower for word in _QUICK):
        return head
    ours = _canonical(hostname)
    kept: list[bytes] = []
    field: list[bytes] = []
    dropped = False
    for line in head.split(b"\n"):
        if field and line[:1] not in (b" ", b"\t"):
            dropped = _finish(field, ours, kept) or dropped
            field = []
        field.append(line)
    dropped = _finish(field, ours, kept) or dropped
    return b"\n".join(kept) if dropped else head


def _finish(field: list[bytes], ours: str, kept: list[bytes]) -> bool:
    """Keep a field or drop it; True: dropped."""
    match = _FIELD.match(field[0])
    if match is None or (match[1] and not is_forged(match[1], b" ".join(field)[match.end() :], ours)):
        kept += field
        return False
    return True


def is_forged(name: bytes, value: bytes, ours: str) -> bool:
    """Return True for a field that claims to be from us, or from nobody that can be read."""
    text = value[:MAX_FIELD].decode("utf-8", "replace").replace("\r", " ")
    if name.lower() == b"received-spf":
        found = _RECEIVER.search(text)
        return found is not None and _canonical(found[1]) == ours
    authserv_id = read_authserv_id(text)
    if authserv_id is None:
        return True
    # `"mx.example.org 1"`: an old reader may split it where we do not.
    return ours in (_canonical(authserv_id), _canonical(authserv_id.partition(" ")[0]))


def _canonical(name: str) -> str:
    """Return a host name as it is compared: no case, no last dot, A-labels."""
    name = name.strip().strip(".").lower()
    if not name.isascii():
        try:
            return name[:255].encode("idna").decode("ascii")
        except UnicodeError:
            return name
    return name
