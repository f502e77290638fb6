"""A field in our name is taken out however it is written, and nothing else is touched (T3.3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.auth.forged import without_forged

OURS = "mx.example.org"
FORGED = [
    "Authentication-Results: mx.example.org; dmarc=pass",
    "authentication-results: MX.EXAMPLE.ORG; dmarc=pass",
    "AUTHENTICATION-RESULTS:mx.example.org;dmarc=pass",
    "Authentication-Results:\r\n mx.example.org; dmarc=pass",
    "Authentication-Results:\r\n\t(c)\r\n mx.example.org\r\n 1; dmarc=pass",
    "Authentication-Results: (a (nested) comment) mx.example.org (b); dmarc=pass",
    'Authentication-Results: "mx.example.org"; dmarc=pass',
    'Authentication-Results: "mx\\.example\\.org"; dmarc=pass',
    'Authentication-Results: "mx.example.org 1"; dmarc=pass',
    "Authentication-Results: mx.example.org.; dmarc=pass",
    "Authentication-Results : mx.example.org; dmarc=pass",
    "Authentication-Results\t:mx.example.org 1; none",
    "Authentication-Results: mx.example.org",
    "Authentication-Results: (open comment mx.example.org; dmarc=pass",
    'Authentication-Results: "open quote mx.example.org; dmarc=pass',
    "Authentication-Results:",
    "Authentication-Results: ; dmarc=pass",
    "Received-SPF: pass client-ip=192.0.2.1; receiver=mx.example.org; identity=mailfrom",
    'Received-SPF: pass (x) receiver = "MX.example.org"',
    "X-Spam-Flag: NO",
    "x-spam-STATUS : No, score=-99\r\n tests=none\r\n\tautolearn=ham",
    "X-Spam-Level:",
    "X-Spam-Score: -9",
    "X-Spam-Report: x",
    "X-Gatepost-Release: v=1; x=1; s=x;\r\n id=x",
    "X-Gatepost-: x",
    "X-GATEPOST-Tags\t: score",
    "X-Automatic-Mail: bounce (forged)",
    "x-counted-address : shop: message 1 of 5",
]
HONEST = [
    "Authentication-Results: mx.example.net; dmarc=pass",
    "Authentication-Results: xmx.example.org; dmarc=pass",
    "Authentication-Results: mx.example.org.evil.example; dmarc=pass",
    "Authentication-Results: other; dmarc=pass reason=mx.example.org",
    "ARC-Authentication-Results: i=1; mx.example.org; dmarc=pass",
    "X-Authentication-Results: mx.example.org; dmarc=pass",
    "Authentication-Results-Original: mx.example.org; dmarc=pass",
    "Subject: Authentication-Results: mx.example.org; dmarc=pass",
    "Received-SPF: pass receiver=mx.example.net",
    "X-Spam-Flagged: yes",
    "XX-Spam-Flag: yes",
    "X-Gatepost: yes",
    "Subject: x\r\n X-Spam-Flag: NO",
]
BEFORE, AFTER = b"From: a@b.example\r\nX:\r\n folded\r\n", b"Subject: x\r\n\r\n"


@pytest.mark.parametrize("line", FORGED)
def test_forged(line: str) -> None:
    """All its lines go, the others stay to the octet."""
    field = line.encode() + b"\r\n"
    assert BEFORE + AFTER == without_forged(BEFORE + field + AFTER, OURS)
    assert BEFORE + AFTER == without_forged(field + BEFORE + field + field + AFTER, OURS)


@pytest.mark.parametrize("line", HONEST)
def test_honest(line: str) -> None:
    """What is another's stays, and the block is the very same object."""
    head = BEFORE + line.encode() + b"\r\n" + AFTER
    assert head is without_forged(head, OURS)


def test_international_name() -> None:
    """U-labels and A-labels are one name."""
    head = "Authentication-Results: mx.bücher.example; dmarc=pass\r\n\r\n".encode()
    assert b"\r\n" == without_forged(head, "mx.xn--bcher-kva.example")


def test_nothing_to_do() -> None:
    """The usual mail costs a search and no copy."""
    head = BEFORE + AFTER
    assert head is without_forged(head, OURS)


@given(st.lists(st.sampled_from([line.encode() for line in (*FORGED, *HONEST)] + [b"A: b", b" c", b"\tmx"])))
def test_twice_is_once(lines: list[bytes]) -> None:
    """What is left holds nothing more to take out."""
    head = b"".join(line + b"\r\n" for line in lines) + b"\r\n"
    once = without_forged(head, OURS)
    assert once is without_forged(once, OURS)
    assert once.endswith(b"\r\n")
