"""Mails, keys and signatures for the tests of this room: signed by dkimpy, which is not our code."""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from collections.abc import Coroutine
from functools import cache
from typing import Any, TypeVar

import dkim
import nacl.signing
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gatepost.auth.dkim import verify
from gatepost.auth.facts import Dkim
from gatepost.auth.seal import Sealer, load_sealer, seal
from gatepost.dns.zone import Zone
from gatepost.mail.message import Message, find_border

T = TypeVar("T")
BODY = b"Hello Bob,\r\n\r\nsee you  at\tnoon. \r\n.dots too\r\n\r\n\r\n"
NAMES = (b"from", b"to", b"subject", b"date", b"message-id")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run to the end."""
    return asyncio.run(coroutine)


@cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    """Return a key, one for each size."""
    return rsa.generate_private_key(65537, bits)


@cache
def ed25519_key() -> nacl.signing.SigningKey:
    """Return a key."""
    return nacl.signing.SigningKey.generate()


def pem(bits: int = 2048) -> bytes:
    """Return the private RSA key as dkimpy reads it."""
    return rsa_key(bits).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def rsa_record(bits: int = 2048, more: str = "") -> str:
    """Return the key record."""
    der = rsa_key(bits).public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )  # fmt: skip
    return f"v=DKIM1; k=rsa;{more} p={b64encode(der).decode()}"


def ed25519_record() -> str:
    """Return the key record."""
    return f"v=DKIM1; k=ed25519; p={b64encode(bytes(ed25519_key().verify_key)).decode()}"


def mail(
    author: str = "Ann <ann@example.net>", body: bytes = BODY, subject: str = "Noon", more: str = ""
) -> bytes:
    """Return an unsigned mail."""
    head = (
        f"From: {author}\r\nTo: bob@example.org\r\nSubject: {subject}\r\n"
        f"Date: Mon, 2 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@example.net>\r\n{more}\r\n"
    )
    return head.encode() + body


def signed(
    raw: bytes | None = None,
    domain: str = "example.net",
    selector: str = "s1",
    names: tuple[bytes, ...] = NAMES,
    ed25519: bool = False,
    bits: int = 2048,
    **more: Any,
) -> bytes:
    """Return a mail with a DKIM signature on top."""
    raw = mail() if raw is None else raw
    algorithm = b"ed25519-sha256" if ed25519 else more.pop("algorithm", b"rsa-sha256")
    key = b64encode(bytes(ed25519_key())) if ed25519 else pem(bits)
    field = dkim.DKIM(raw, signature_algorithm=algorithm).sign(
        selector.encode(), domain.encode(), key, include_headers=list(names),
        **({"canonicalize": (b"relaxed", b"relaxed")} | more),
    )  # fmt: skip
    return bytes(field) + raw


def parsed(raw: bytes) -> Message:
    """Return a mail as our reader has it."""
    border = find_border(raw)
    return Message(raw[:border] if border >= 0 else raw, raw)


def zone(*lines: str, bits: int = 2048) -> Zone:
    """Return a zone with keys for s1 of example.net, and more records."""
    made = Zone("\n".join(lines))
    made.add("s1._domainkey.example.net", "TXT", rsa_record(bits))
    made.add("ed._domainkey.example.net", "TXT", ed25519_record())
    return made


def judged(raw: bytes, *lines: str) -> Dkim:
    """Return what our verifier says of a mail."""
    return run(verify(parsed(raw), zone(*lines), time.time()))


def sealed(raw: bytes, results: str, status: str = "none", domain: str = "lists.example.com") -> bytes:
    """Return a mail with an ARC set on top; its key is that of `zone`, at s1._domainkey.DOMAIN."""
    sealer: Sealer = load_sealer(domain, "s1", pem().decode())
    made = run(seal(parsed(raw), sealer, results, status, int(time.time())))
    return b"".join(f"{name}: {value}\r\n".encode() for name, value in made) + raw
