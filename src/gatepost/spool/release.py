"""The signed mark on released mail: so that nothing filters it a second time (CONTRACT 8).

`X-Gatepost-Release` names the kept mail, the one recipient, a hash of the body and an expiry, under
an HMAC of this installation's secret. A copy of it on another mail, to another recipient or later
does not hold. No check reads it, and the intake strips each (`gatepost.auth.forged`). Pure but for
the hashing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass

HEADER = "X-Gatepost-Release"
VALID_FOR = 7 * 86_400
"""Seconds: longer than the courier tries."""

_FIELD = re.compile(r"\s*([a-z]+)=([A-Za-z0-9_./@+=%-]*)\s*")


@dataclass(frozen=True, slots=True)
class Release:
    """What a mark that holds says."""

    id: str
    recipient: str
    expires: int


def body_hash(chunks: Iterable[bytes]) -> str:
    """Return the hash of what stands behind the first empty line (plain bytes, dots undone).

    Trailing empty lines do not count, since some servers add or drop one (as RFC 6376, 3.4.3).
    """
    digest = hashlib.sha256()
    border = b"\r\n"  # a message may begin with its empty line
    held: list[bytes] = []
    in_body = False
    for chunk in chunks:
        if not in_body:
            border += chunk
            at = border.find(b"\r\n\r\n")
            if at < 0:
                border = border[-3:]
                continue
            in_body = True
            chunk = border[at + 4 :]
        # Line ends are held back until something else stands behind them.
        text = chunk.rstrip(b"\r\n")
        if text:
            for line_ends in held:
                digest.update(line_ends)
            held.clear()
            digest.update(text)
        held.append(chunk[len(text) :])
    return _text(digest.digest())


def release_header(secret: bytes, id: str, recipient: str, hash_of_body: str, expires: int) -> bytes:  # noqa: A002
    """Return the header line, folded, ready to stand on top of the mail."""
    to = _text(recipient.encode("utf-8", "surrogatepass"))
    name = _text(id.encode("utf-8", "surrogatepass"))
    mark = _sign(secret, name, to, hash_of_body, expires)
    parts = [f"{HEADER}: v=1; x={expires}; s={mark};", f" id={name};", f" bh={hash_of_body};"]
    parts.append(f" to={to}")
    return ("\r\n".join(parts) + "\r\n").encode("ascii")


def check_release(secret: bytes, value: str, recipient: str, hash_of_body: str, now: float) -> Release | None:
    """Return what the header's value says if it holds for this recipient, body and moment, else None."""
    fields: dict[str, str] = {}
    if len(value) > 4000:
        return None
    for part in value.split(";"):
        found = _FIELD.fullmatch(part)
        if found is None or found[1] in fields:
            return None
        fields[found[1]] = found[2]
    if fields.keys() != {"v", "x", "s", "id", "bh", "to"} or fields["v"] != "1":
        return None
    if not fields["x"].isdecimal() or len(fields["x"]) > 12:
        return None
    expires = int(fields["x"])
    mark = _sign(secret, fields["id"], fields["to"], fields["bh"], expires)
    if not hmac.compare_digest(mark, fields["s"]):
        return None
    if fields["bh"] != hash_of_body or now >= expires:
        return None
    try:
        said = base64.urlsafe_b64decode(fields["to"] + "==").decode("utf-8", "surrogatepass")
        name = base64.urlsafe_b64decode(fields["id"] + "==").decode("utf-8", "surrogatepass")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return Release(name, said, expires) if said == recipient else None


def _sign(secret: bytes, name: str, to: str, hash_of_body: str, expires: int) -> str:
    said = f"gatepost-release-1\n{name}\n{to}\n{hash_of_body}\n{expires}".encode("ascii")
    return _text(hmac.digest(secret, said, "sha256"))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
