"""An envelope comes back as it was written; whatever else lies on the disk is our own error."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.spool.envelope import BadEnvelope, Envelope, Rcpt, read_envelope

FIXTURES = Path(__file__).parent / "fixtures"

ENVELOPE = Envelope(
    id="ab12",
    sender="j\u00f6rg@b\u00fccher.example",
    recipients=(
        Rcpt("ann@example.org", "SUCCESS", "rfc822;ann", "451 4.3.0 later"),
        Rcpt("bob@example.org", failed=True),
    ),
    created=1.5,
    due=2.5,
    domain="example.org",
    routes=("smtp://127.0.0.1:25",),
    reason="deferred",
    proven=True,
    attempts=3,
    body="8BITMIME",
    smtputf8=True,
    extra={"ref": "2026-11-23/example.org/x.eml.zst"},
)


def test_round_trip() -> None:
    """Written and read is the same; one line of ASCII."""
    data = ENVELOPE.as_json()
    assert ENVELOPE == read_envelope(data)
    assert data.isascii()
    assert 1 == data.count(b"\n")
    assert (ENVELOPE.recipients[0],) == ENVELOPE.waiting


@given(st.text(), st.none() | st.text(), st.text())
def test_any_text(address: str, sender: str | None, reason: str) -> None:
    """Whatever stands in an address (quotes, controls, lone surrogates) comes back equal."""
    envelope = Envelope("a", sender, (Rcpt(address),), 0.0, 0.0, reason=reason)
    assert envelope == read_envelope(envelope.as_json())


def test_first_version_is_read() -> None:
    """What the first release wrote is read by this one (L13); words of a later one are passed over."""
    envelope = read_envelope((FIXTURES / "envelope-v1.json").read_bytes())
    assert ("ab12", "a@b.example", "ann@example.org") == (
        envelope.id,
        envelope.sender,
        envelope.recipients[0].address,
    )
    said = json.loads(ENVELOPE.as_json())
    said["colour"] = "blue"
    assert ENVELOPE == read_envelope(json.dumps(said).encode())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"v":2}',
        b'{"v":1}',
        b'{"v":1,"id":5,"sender":null,"recipients":[],"created":0,"due":0}',
        b'{"v":1,"id":"a","sender":null,"recipients":[1],"created":0,"due":0}',
        b'{"v":1,"id":"a","sender":null,"recipients":[{"address":5}],"created":0,"due":0}',
        b'{"v":1,"id":"a","sender":null,"recipients":null,"created":0,"due":0}',
        b'{"v":1,"id":"a","sender":null,"recipients":[],"created":"x","due":0}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_garbage(data: bytes) -> None:
    """Only BadEnvelope comes out."""
    with pytest.raises(BadEnvelope):
        read_envelope(data)


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    """Any bytes give an envelope or our own error."""
    try:
        read_envelope(data)
    except BadEnvelope:
        pass


def test_not_judged_yet() -> None:
    """What judges wrote down comes back; what lay there before that was thought of may go on."""
    waits = replace(ENVELOPE, unjudged={"findings": [{"said": 1.5}], "hosts": None}, top="X-A: b\r\n")
    assert waits == read_envelope(waits.as_json())
    said = json.loads(ENVELOPE.as_json())
    del said["unjudged"], said["top"]
    assert (None, "") == (read_envelope(json.dumps(said).encode()).unjudged, ENVELOPE.top)
    with pytest.raises(BadEnvelope):
        read_envelope(json.dumps(said | {"unjudged": "yes"}).encode())
