"""Puts our own ARC set on a message that we change on its way (RFC 8617, 5.1).

Only where a domain asks for it and gave a key: what we hand on unchanged needs no seal. A chain
that was already broken by a newest seal is not sealed again (5.1: it stays broken).
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gatepost.auth.arc import AAR, AMS, KINDS, MAX_SETS, SEAL, Broken, arrange, sealed
from gatepost.auth.canon import relaxed_header
from gatepost.auth.dkim import Hashes, OffLoop, unreadable
from gatepost.auth.keys import LEAST_BITS
from gatepost.auth.tags import TagProblem, read_tags
from gatepost.mail.message import Header, Message

SIGNED = (
    "from", "reply-to", "subject", "date", "to", "cc", "message-id", "in-reply-to", "references",
    "mime-version", "content-type", "content-transfer-encoding", "dkim-signature",
    "list-id", "list-post", "list-unsubscribe", "list-unsubscribe-post",
)  # fmt: skip
"""Fields that our seal covers where they stand (RFC 6376, 5.4.1)."""
NAMES = {AAR: "ARC-Authentication-Results", AMS: "ARC-Message-Signature", SEAL: "ARC-Seal"}

Field = tuple[str, str]


class SealProblem(ValueError):
    """A key that cannot seal; the text says why."""


@dataclass(frozen=True, slots=True)
class Sealer:
    """Who seals, and with which key."""

    domain: str
    selector: str
    key: RSAPrivateKey | Ed25519PrivateKey

    @property
    def algorithm(self) -> str:
        """The name of what the key does."""
        return "rsa-sha256" if isinstance(self.key, RSAPrivateKey) else "ed25519-sha256"

    def sign(self, digest: bytes) -> str:
        """Return the signature over a SHA-256 digest, as base64."""
        if isinstance(self.key, RSAPrivateKey):
            return b64encode(self.key.sign(digest, PKCS1v15(), Prehashed(SHA256()))).decode("ascii")
        return b64encode(self.key.sign(digest)).decode("ascii")


def load_sealer(domain: str, selector: str, pem: str) -> Sealer:
    """Return a sealer for a private key in PEM form; SealProblem says what is wrong with it."""
    try:
        key = load_pem_private_key(pem.strip().encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SealProblem("the key is no private key in PEM form without a password") from None
    if isinstance(key, RSAPrivateKey):
        if key.key_size < LEAST_BITS:
            raise SealProblem(f"an RSA key of {key.key_size} bits proves nothing (RFC 8301)")
        return Sealer(domain, selector, key)
    if isinstance(key, Ed25519PrivateKey):
        return Sealer(domain, selector, key)
    raise SealProblem("the key must be RSA or Ed25519")


async def seal(
    message: Message,
    sealer: Sealer,
    results: str,
    status: str,
    now: int,
    off_loop: OffLoop | None = None,
    names: Sequence[str] | None = None,
) -> tuple[Field, ...]:
    """Return the three fields of our set as (name, value), the topmost first; () where none may be added.

    `results` is what an Authentication-Results field of ours says, `status` the chain as it came
    (`none`, `pass` or `fail`).
    """
    chain = _chain(message, status)
    if chain is None or unreadable(message):
        return ()
    instance = len(chain) + 1 if status != "fail" else _after(message)
    if instance > MAX_SETS:
        return ()
    covered = names or [n for n in SIGNED for h in message.headers if h.name.lower() == n]
    hashes = Hashes(message)
    await hashes.make_bodies([True], off_loop)
    tail = f"d={sealer.domain}; {{}}i={instance}; s={sealer.selector}; t={now}"
    body_hash = b64encode(hashes.body(relaxed=True)[0]).decode("ascii")
    end = f"bh={body_hash}; c=relaxed/relaxed; " + tail.format(f"h={':'.join(covered)}; ")
    unsigned = f"a={sealer.algorithm}; b={{}}; {end}"
    signed = _header_digest(hashes, message, covered, unsigned.format(""))
    message_signature = unsigned.format(sealer.sign(signed))
    step = {
        AAR: _field(AAR, f"i={instance}; {results}"),
        AMS: _field(AMS, message_signature),
    }
    unsealed = f"a={sealer.algorithm}; b={{}}; cv={status}; " + tail.format("")
    step[SEAL] = _field(SEAL, unsealed.format(""))
    # A broken chain is sealed without what came before it (5.1.2).
    whole = [step] if status == "fail" else [*chain, step]
    sealing = unsealed.format(sealer.sign(hashlib.sha256(sealed(whole)).digest()))
    return (
        (NAMES[SEAL], sealing),
        (NAMES[AMS], message_signature),
        (NAMES[AAR], f"i={instance}; {results}"),
    )


def _chain(message: Message, status: str) -> list[dict[str, Header]] | None:
    """Return the sets there are; None where no further one may be added."""
    fields = [h for h in message.headers if h.name.lower() in KINDS]
    if not fields:
        return [] if status == "none" else None
    if status == "none":
        return None
    for one in fields:
        if one.name.lower() == SEAL and _said(one) == "fail":
            return None
    if status == "fail":
        return []
    try:
        return arrange(fields)
    except (Broken, TagProblem):
        return None


def _said(one: Header) -> str:
    try:
        return read_tags(one.raw.partition(b":")[2]).get("cv", "").lower()
    except TagProblem:
        return ""


def _after(message: Message) -> int:
    """Return the instance behind the highest seal of a chain that does not hold."""
    highest = 0
    for one in message.headers:
        if one.name.lower() == SEAL:
            try:
                text = read_tags(one.raw.partition(b":")[2]).get("i", "")
            except TagProblem:
                continue
            if text.isdecimal() and len(text) <= 3:
                highest = max(highest, int(text))
    return highest + 1


def _header_digest(hashes: Hashes, message: Message, names: Sequence[str], own: str) -> bytes:
    places: dict[str, list[int]] = {}
    for n, one in enumerate(message.headers):
        places.setdefault(one.name.lower(), []).append(n)
    digest = hashlib.sha256()
    for name in names:
        left = places.get(name)
        if left:
            digest.update(hashes.header(left.pop(), relaxed=True))
    digest.update(relaxed_header(AMS.encode(), own.encode()).removesuffix(b"\r\n"))
    return digest.digest()


def _field(kind: str, value: str) -> Header:
    return Header(NAMES[kind], f"{NAMES[kind]}: {value}\r\n".encode(), value)
