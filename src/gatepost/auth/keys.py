"""Public keys of signers, as they stand in DNS (RFC 6376, 3.6.1), and what they verify.

Bounds come first: RSA below 1024 bits proves nothing (RFC 8301, 3.2), and a key of many thousand
bits or with a huge exponent would cost us seconds for each mail. SHA-1 is gone (RFC 8301, 3.1);
Ed25519 signs the SHA-256 of the header (RFC 8463, 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from gatepost.auth.tags import TagProblem, base64_value, read_tags, unfolded

LEAST_BITS = 1024
MOST_BITS = 8192
MOST_EXPONENT = 1 << 33
MAX_RECORD = 4_096
"""Characters of a key record; 8192 bits of RSA need 1,500."""

_PADDING = PKCS1v15()
_DIGEST = Prehashed(SHA256())


class KeyProblem(ValueError):
    """A key record that cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key record."""

    kind: str
    """`rsa` or `ed25519`."""
    key: RSAPublicKey | Ed25519PublicKey
    bits: int
    testing: bool
    """t=y: the signer only tries it out."""
    exact: bool
    """t=s: i= must have the very domain of d=."""

    def verifies(self, signature: bytes, digest: bytes) -> bool:
        """Return True when the signature over this SHA-256 digest is the key's."""
        try:
            if isinstance(self.key, RSAPublicKey):
                self.key.verify(signature, digest, _PADDING, _DIGEST)
            else:
                self.key.verify(signature, digest)
        except InvalidSignature:
            return False
        return True


def read_key(record: str) -> Key:
    """Return the key of a TXT record; KeyProblem when there is none that may be used."""
    if len(record) > MAX_RECORD:
        raise KeyProblem("key record is too long")
    return _read_key(record)


@lru_cache(1_024)
def _read_key(record: str) -> Key:
    try:
        tags = read_tags(record)
    except TagProblem as problem:
        raise KeyProblem(f"key record: {problem}") from None
    if tags.get("v", "DKIM1") != "DKIM1" or ("v" in tags and next(iter(tags)) != "v"):
        raise KeyProblem("key record is not of version DKIM1")
    if "p" not in tags:
        raise KeyProblem("key record has no p=")
    if not tags["p"]:
        raise KeyProblem("key is revoked")
    if "sha256" not in _names(tags.get("h", "sha256")):
        raise KeyProblem("key is not for SHA-256")
    if not {"*", "email"} & set(_names(tags.get("s", "*"))):
        raise KeyProblem("key is not for mail")
    flags = _names(tags.get("t", ""))
    kind = tags.get("k", "rsa").lower()
    try:
        data = base64_value(tags["p"])
    except TagProblem as problem:
        raise KeyProblem(f"key: {problem}") from None
    if kind == "rsa":
        key: RSAPublicKey | Ed25519PublicKey = _rsa(data)
        bits = key.key_size if isinstance(key, RSAPublicKey) else 0
    elif kind == "ed25519":
        key, bits = _ed25519(data), 256
    else:
        raise KeyProblem(f"key of unknown kind {kind[:20]!r}")
    return Key(kind, key, bits, "y" in flags, "s" in flags)


def _names(value: str) -> list[str]:
    return [name.lower() for name in unfolded(value).split(":")]


def _rsa(data: bytes) -> RSAPublicKey:
    """RFC 6376 says RSAPublicKey, everybody publishes SubjectPublicKeyInfo; both are read."""
    if len(data) * 8 < LEAST_BITS:
        raise KeyProblem(f"RSA key of less than {LEAST_BITS} bits (RFC 8301, 3.2)")
    try:
        key = load_der_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyProblem("RSA key cannot be read") from None
    if not isinstance(key, RSAPublicKey):
        raise KeyProblem("key is not an RSA key")
    if key.key_size < LEAST_BITS:
        raise KeyProblem(f"RSA key of {key.key_size} bits, less than {LEAST_BITS} (RFC 8301, 3.2)")
    if key.key_size > MOST_BITS or key.public_numbers().e > MOST_EXPONENT:
        raise KeyProblem(f"RSA key of {key.key_size} bits is larger than we verify")
    return key


def _ed25519(data: bytes) -> Ed25519PublicKey:
    if len(data) != 32:
        raise KeyProblem("Ed25519 key is not 32 octets long")
    return Ed25519PublicKey.from_public_bytes(data)
