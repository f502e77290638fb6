"""The mails of the bench that have to prove their sender do so, before another verifier than ours."""

import sys
from base64 import b64encode
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # bench is not installed with the package

from bench.load import Load
from bench.resolver import signed, signed_mail


@pytest.mark.parametrize("size", [4096, 102_400])
def test_the_signature_holds(size: int) -> None:
    """Dkimpy verifies it, and not when a byte differs; the mail has about the size that was asked for."""
    key = rsa.generate_private_key(65537, 2048)
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    record = b"v=DKIM1; k=rsa; p=" + b64encode(public)
    mail = signed(size, key)
    assert size * 0.94 < len(mail) <= size
    assert b"\r\n." not in mail
    assert dkim.verify(mail, dnsfunc=lambda *_, **__: record)
    assert not dkim.verify(mail.replace(b"ferry", b"merry"), dnsfunc=lambda *_, **__: record)


def test_the_generator_sends_it() -> None:
    """A load of signed mail names the file."""
    words = Load(signed=True).arguments(25, 1, 1)
    assert str(signed_mail(4096)) == words[words.index("-f") + 1]
