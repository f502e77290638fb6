"""SPF gives the results of the published suites for RFC 7208 and RFC 4408, through the house's resolver."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import yaml

from gatepost.auth.spf import check
from gatepost.dns.lookups import Lookups, Records
from gatepost.dns.names import DnsError, DnsFailure, NoData, NxDomain
from tests.conformance.suites import suite

FILES = ("rfc7208-tests.yml", "rfc4408-tests.yml", "test.yml")
"""The two suites, and 16 cases more of pyspf; `doctest.yml` holds only zones."""
NOT_OURS = {
    "default-modifier": "default= is pyspf's own; an unknown modifier is ignored (RFC 7208, 6)",
    "default-modifier-harsh": "the same",
}
"""Cases that go beyond the RFC: their result by the RFC is neutral."""


class SuiteDns(Lookups):
    """Answers from a suite's zone data: SPF records hold for TXT too, unless TXT says NONE."""

    def __init__(self, zone: dict[str, list[Any]]) -> None:
        self._zone = {name.lower().rstrip("."): records for name, records in zone.items()}

    async def look(self, name: str, kind: str) -> Records:
        """Return the records of a name."""
        seen: set[str] = set()
        while True:
            name = name.lower().rstrip(".")
            records = self._zone.get(name)
            if records is None:
                raise NxDomain(name)
            found = answers(records, kind)
            if not found and "TIMEOUT" in records:
                raise DnsFailure(name)
            alias = [one["CNAME"] for one in records if isinstance(one, dict) and "CNAME" in one]
            if found or not alias or name in seen:
                break
            seen.add(name)
            name = str(alias[0])
        if not found:
            raise NoData(name)
        return found

    async def look_all(self, names: Sequence[str], kind: str) -> list[Records | DnsError]:
        """Ask all."""
        found: list[Records | DnsError] = []
        for name in names:
            try:
                found.append(await self.look(name, kind))
            except DnsError as error:
                found.append(error)
        return found


def answers(records: list[Any], kind: str) -> tuple[str, ...]:
    """Return a name's records of one type as our resolver gives them."""
    own = [text(one[kind], kind) for one in records if isinstance(one, dict) and kind in one]
    if kind == "TXT" and not own:
        own = [text(one["SPF"], "TXT") for one in records if isinstance(one, dict) and "SPF" in one]
    return tuple(one for one in own if one != "NONE")


def text(value: Any, kind: str) -> str:
    """Return one record as text: strings joined, MX as `10 host`."""
    if kind == "MX":
        return f"{value[0]} {value[1]}"
    return "".join(value) if isinstance(value, list) else str(value)


def cases() -> Iterator[Any]:
    """Yield (file, name, case, zone) of both suites."""
    for file in FILES:
        for section in yaml.safe_load_all(suite("spf-rfc7208", file).read_text("utf-8")):
            for name, case in section["tests"].items():
                yield pytest.param(file, name, case, section["zonedata"], id=f"{file[:7]}-{name}")


def parts(case: dict[str, Any]) -> tuple[str, str, str]:
    """Return local part, domain and HELO of a case."""
    helo, sender = str(case["helo"]), str(case["mailfrom"] or "")
    local, _, domain = sender.rpartition("@")
    return (local, domain, helo) if sender else ("", helo, helo)


@pytest.mark.parametrize(("file", "name", "case", "zone"), list(cases()))
def test_case(file: str, name: str, case: dict[str, Any], zone: dict[str, Any]) -> None:
    """Each case ends in one of the results that the suite allows, with its explanation where it has one."""
    local, domain, helo = parts(case)
    wanted = case["result"] if isinstance(case["result"], list) else [case["result"]]
    wanted = ["neutral"] if name in NOT_OURS else wanted
    found = asyncio.run(check(str(case["host"]), domain, local, helo, SuiteDns(zone)))
    assert found.result in wanted, f"{file} {name}: {found.why}"
    if "explanation" in case and case["explanation"] != "DEFAULT":
        assert case["explanation"].lower() == found.explanation.lower()  # DNS names have no case
