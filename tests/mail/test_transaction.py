"""What a transaction says of itself."""

from __future__ import annotations

import pytest

from gatepost.mail.address import parse_address
from gatepost.mail.transaction import Recipient, Transaction

PLAIN, ODD = parse_address("ann@example.org"), parse_address("j\u00f6rg@example.org")


@pytest.mark.parametrize(
    ("sender", "to", "head", "top", "expected"),
    [
        (PLAIN, PLAIN, b"Subject: x\r\n", b"", False),
        (None, PLAIN, b"", b"", False),
        (ODD, PLAIN, b"", b"", True),
        (PLAIN, ODD, b"", b"", True),
        (PLAIN, PLAIN, "Subject: j\u00f6rg\r\n".encode(), b"", True),
        (PLAIN, PLAIN, b"", "Received: for j\u00f6rg\r\n".encode(), True),
    ],
)
def test_international(sender: object, to: object, head: bytes, top: bytes, expected: bool) -> None:
    """Only what has something international in it; never where nobody asked for SMTPUTF8."""
    recipient = Recipient(to, to)  # type: ignore[arg-type]
    for asked in (True, False):
        mail = Transaction("X.1", sender, smtputf8=asked)  # type: ignore[arg-type]
        assert (asked and expected) is mail.international(lambda: head, top, [recipient])
