"""ARC chains are judged, and seals are made, as the published suite has them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from gatepost.auth.arc import arrange, verify
from gatepost.auth.seal import load_sealer, seal
from gatepost.auth.tags import read_tags, unfolded
from gatepost.dns.zone import Zone
from gatepost.mail.message import Message, find_border
from tests.conformance.suites import suite

STRICTER = {
    "ams_fields_h_empty": "a signature that does not cover From vouches for nobody (RFC 6376, 5.4)",
}
"""Cases that we refuse though the suite lets them pass."""
NO_OPINION = "fail"
"""Where the newest or an older seal says cv=fail the suite writes nothing; RFC 8617, 5.2 says fail."""


def sections(file: str) -> list[dict[str, Any]]:
    """Return the sections of a file of the suite."""
    return list(yaml.safe_load_all(suite("arc-valimail", "tests", file).read_text("utf-8")))


def cases(file: str) -> Iterator[Any]:
    """Yield (section, name, case)."""
    for section in sections(file):
        for name, case in section["tests"].items():
            yield pytest.param(section, name, case, id=name)


def message(text: str) -> Message:
    """Return a message of the suite as it would come over the wire."""
    raw = text.encode().replace(b"\n", b"\r\n")
    if find_border(raw) < 0:
        raw += b"\r\n"  # a message without a body
    return Message(raw[: find_border(raw)], raw)


def zone(section: dict[str, Any]) -> Zone:
    """Return the keys of a section."""
    made = Zone()
    for name, text in section["txt-records"].items():
        made.add(name, "TXT", text)
    return made


@pytest.mark.parametrize(("section", "name", "case"), list(cases("arc-draft-validation-tests.yml")))
def test_validation(section: dict[str, Any], name: str, case: dict[str, Any]) -> None:
    """Each chain gets the status that the suite gives it."""
    wanted = (case["cv"] or NO_OPINION).lower()
    found = asyncio.run(verify(message(case["message"]), zone(section)))
    if name in STRICTER:
        assert (wanted, found.result) == ("pass", "fail"), STRICTER[name]
        return
    assert wanted == found.result, found.why


@pytest.mark.parametrize(("section", "name", "case"), list(cases("arc-draft-sign-tests.yml")))
def test_signing(section: dict[str, Any], name: str, case: dict[str, Any]) -> None:
    """Each message gets the seal and the signature of the suite, to the last octet; a broken chain none.

    What the fields say of the message (AAR) is the suite's: ours are written by `results`.
    """
    results = " ".join(case["AAR"].partition(";")[2].split())
    status = "none"
    if results:
        status = results.partition("arc=")[2].partition(";")[0]
    sealer = load_sealer(section["domain"], section["sel"], section["privatekey"])
    made = asyncio.run(
        seal(
            message(case["message"]),
            sealer,
            results,
            status if results else "fail",
            case["t"],
            names=case["sig-headers"].split(":"),
        )
    )
    if not case["AS"]:
        assert () == made
        return
    assert tags(case["AS"]) == tags(made[0][1])
    assert tags(case["AMS"]) == tags(made[1][1])


def tags(value: str) -> dict[str, str]:
    """Return the tags of a field without white space."""
    return {name: unfolded(text) for name, text in read_tags(value).items()}


def test_what_we_seal_we_believe() -> None:
    """A message that we sealed twice has a chain that holds."""
    section = sections("arc-draft-sign-tests.yml")[0]
    case = next(iter(section["tests"].values()))
    sealer = load_sealer(section["domain"], section["sel"], section["privatekey"])
    one = message(case["message"])
    for status in ("none", "pass"):
        made = asyncio.run(
            seal(one, sealer, "mx.example.org; dmarc=pass header.from=d1.example", status, 12345)
        )
        top = b"".join(f"{name}: {value}\r\n".encode() for name, value in made)
        one = Message(top + one.head, top + (one.body or b""))
    assert 2 == len(arrange([h for h in one.headers if h.name.startswith("ARC-")]))
    assert "pass" == asyncio.run(verify(one, zone(section))).result
