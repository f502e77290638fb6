"""Block lists in DNS (RFC 5782): how one is written down, what its answers mean, whether it is sane.

For checks that ask lists about clients or about names in a message. Lists answer in 127.0.0.0/8.
What is outside comes from a wildcard or a seized domain, and 127.255.255.x says "your query is
refused": taking that for a listing refuses all mail. So only documented answers count, and each
list is looked at now and then: one that knows 127.0.0.1, or does not know 127.0.0.2, is off.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from gatepost.dns.names import DnsError, DnsFailure
from gatepost.telemetry.conditions import HERE, LIST

PROBE_EVERY = 1_800.0
"""Seconds between two looks whether a list is in its right mind."""
PROBE_AGAIN = 60.0
"""Seconds until the next look when nobody answered."""
SILENT = 3
"""Looks in a row without an answer after which a list is in trouble."""
MAX_KNOWN = 10_000
"""Lists whose health is remembered in one process."""

ZONE = re.compile(r"(?!-)[A-Za-z0-9_\-]{1,63}(?:\.[A-Za-z0-9_\-]{1,63})*")
SHORT = re.compile(r"([^=&*\s]+)(?:=([^&*\s]+))?(?:&([^*\s]+))?(?:\*(\S+))?")
_RANGE = r"\d{1,3}(?:\.\.\d{1,3})?"
OCTET = re.compile(rf"\[({_RANGE}(?:;{_RANGE})*)\]|(\d{{1,3}})")

NEVER_V4, ALWAYS_V4 = "1.0.0.127", "2.0.0.127"
NEVER_V6, ALWAYS_V6 = (
    ".".join(reversed(IPv6Address(a).exploded.replace(":", ""))) for a in ("::ffff:7f00:1", "::ffff:7f00:2")
)
PROBES = (NEVER_V4, NEVER_V6, ALWAYS_V4, ALWAYS_V6)
"""RFC 5782, section 5: a list has an entry for 127.0.0.2 (or ::ffff:7f00:2) and none for .1."""
NAME_PROBES = (
    *(NEVER_V4, "invalid"),
    *(ALWAYS_V4, "test", "dbltest.com", "surbl-org-permanent-test-point.com"),
)
"""For lists of names: never `invalid`, always `test`, or what the known lists have in its place."""
NEVER = 2
"""Probes at the front that no list may know; of those behind, it must know one."""
NO_ADDRESSES = "127.0.1.255"
"""What a list of names answers to an address: it was the wrong question, and is no listing."""


class Zone(BaseModel):
    """One list: `zone`, `zone=127.0.0.[2..11]`, `zone&0.0.0.6`, each with `*weight` behind it."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    zone: str
    """The list's domain."""
    codes: tuple[str, ...] = ()
    """Answers that count, as `127.0.0.2` or `127.0.0.[2..4;10]`; none: all but 127.0.0.1."""
    mask: str = ""
    """Bits of which an answer must have one, as `0.0.0.6`."""
    weight: float = 1.0
    """What a listing weighs; negative for a list of good senders."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        found = SHORT.fullmatch(value.strip())
        if found is None:
            raise ValueError(f"{value!r:.80} is not zone[=codes][&mask][*weight]")
        zone, codes, mask, weight = found.groups()
        return {"zone": zone, "codes": (codes,) if codes else (), "mask": mask or "", "weight": weight or 1}

    @field_validator("zone")
    @classmethod
    def _domain(cls, value: str) -> str:
        value = value.lower().removesuffix(".")
        if not ZONE.fullmatch(value) or len(value) > 180:
            raise ValueError(f"{value!r:.80} is not a domain name")
        return value

    @field_validator("mask")
    @classmethod
    def _mask(cls, value: str) -> str:
        return str(IPv4Address(value)) if value else ""

    @field_validator("codes")
    @classmethod
    def _codes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for code in value:
            code_octets(code)
        return value

    @cached_property
    def octets(self) -> tuple[tuple[frozenset[int], ...], ...]:
        """The codes, read once per snapshot."""
        return tuple(code_octets(code) for code in self.codes)

    @cached_property
    def bits(self) -> int:
        """The mask as a number, 0 for none."""
        return int(IPv4Address(self.mask)) if self.mask else 0

    def counts(self, answer: str) -> bool:
        """Return True when an answer of the list is a listing."""
        if not is_code(answer):
            return False
        if self.bits:
            return bool(int(IPv4Address(answer)) & self.bits & 0x00FFFFFF)
        if self.codes:
            parts = [int(part) for part in answer.split(".")]
            return any(all(p in o for p, o in zip(parts, octets, strict=True)) for octets in self.octets)
        return answer != "127.0.0.1"


def refuses_us(answer: list[str]) -> bool:
    """Return True when a list says that it does not want our queries."""
    return any(one.startswith("127.255.255.") for one in answer)


def is_code(answer: str) -> bool:
    """Return True for an answer that a list may give about an address."""
    return answer.startswith("127.") and not answer.startswith("127.255.255.") and answer != NO_ADDRESSES


def code_octets(code: str) -> tuple[frozenset[int], ...]:
    """Return the numbers that each octet of `127.0.0.[2..4;10]` may have; ValueError if it is none."""
    octets: list[frozenset[int]] = []
    place = 0
    while place < len(code) and len(octets) < 4:
        found = OCTET.match(code, place)
        if found is None:
            break
        octets.append(_numbers(found.group(1) or found.group(2)))
        place = found.end()
        if len(octets) < 4 and code[place : place + 1] == ".":
            place += 1
    if len(octets) != 4 or place != len(code) or octets[0] != {127}:
        raise ValueError(f"{code!r:.40} is not an answer such as 127.0.0.2 or 127.0.0.[2..11]")
    return tuple(octets)


def _numbers(text: str) -> frozenset[int]:
    numbers: set[int] = set()
    for part in text.split(";"):
        first, _, last = part.partition("..")
        low, high = int(first), int(last or first)
        if not 0 <= low <= high <= 255:
            raise ValueError(f"{text!r:.40} is not a range of numbers up to 255")
        numbers.update(range(low, high + 1))
    return frozenset(numbers)


class Health:
    """What the last look at a list said."""

    __slots__ = ("again", "known", "sick", "silent")

    def __init__(self) -> None:
        self.again = 0.0
        self.known = False
        """It was looked at and answered; before that it refuses nobody."""
        self.sick = ""
        """Why the list is switched off, "" if it is not."""
        self.silent = 0
        """Looks in a row that nobody answered."""


class Clinic:
    """The health of all lists that this process asks. A list is looked at when it is asked."""

    def __init__(self) -> None:
        self._health: dict[str, Health] = {}

    def of(self, zone: str) -> Health:
        """Return what is known of a list."""
        health = self._health.get(zone)
        if health is None:
            if len(self._health) >= MAX_KNOWN:
                self._health.clear()
            health = self._health[zone] = Health()
        return health

    def due(self, zones: Sequence[Zone], now: float) -> list[str]:
        """Return the lists whose probes are to be asked along with the next question."""
        return [z for z in dict.fromkeys(zone.zone for zone in zones) if self.of(z).again <= now]

    def look_at(self, zone: str, answers: Sequence[list[str] | DnsError], now: float) -> str:
        """Take the answers to its probes; return what a person should know when the list's health changed."""
        health = self.of(zone)
        sick = diagnosis(answers)
        if sick is None:
            health.again = now + PROBE_AGAIN
            health.silent += 1
            if health.silent >= SILENT:
                HERE.ill(LIST, zone, "it does not answer", now)
            return ""
        health.known = True
        health.silent = 0
        if sick:
            HERE.ill(LIST, zone, sick, now)
        else:
            HERE.well(LIST, zone, now)
        health.again = now + PROBE_EVERY
        if sick == health.sick:
            return ""
        health.sick = sick
        return f"{zone} is switched off: {sick}" if sick else f"{zone} is well again"


def diagnosis(answers: Sequence[list[str] | DnsError]) -> str | None:
    """Return what is wrong with a list by its answers, "" for nothing, None if it is silent."""
    if any(isinstance(answer, DnsFailure) for answer in answers):
        return None
    said = [[] if isinstance(answer, DnsError) else answer for answer in answers]
    if any(refuses_us(one) for one in said):
        codes = ", ".join([code for one in said for code in one][:2])
        return f"it refuses our queries ({codes})"
    if any(code != NO_ADDRESSES for one in said[:NEVER] for code in one):
        return "it lists 127.0.0.1, so it lists everything"
    if not any(is_code(code) for one in said[NEVER:] for code in one):
        return "it does not list 127.0.0.2, so it lists nothing"
    return ""


@dataclass(frozen=True, slots=True)
class Sum:
    """What several lists say of one subject; lists that did not answer leave a range."""

    low: float
    high: float
    listed: list[str]
    """Who lists it, with the code."""
    silent: list[str]
    """Why some did not answer."""
    off: list[str]
    """Which are switched off, and why."""


def weigh(zones: Sequence[Zone], answers: Sequence[list[str] | DnsError], clinic: Clinic) -> Sum:
    """Sum up what lists answered, one answer for each."""
    low = high = 0.0
    listed: list[str] = []
    silent: list[str] = []
    off: list[str] = []
    for zone, answer in zip(zones, answers, strict=True):
        health = clinic.of(zone.zone)
        if health.sick:
            off.append(f"{zone.zone} is switched off: {health.sick}")
            continue
        known = [] if isinstance(answer, DnsError) else answer
        code = next((a for a in known if zone.counts(a)), None)
        if isinstance(answer, DnsFailure) or refuses_us(known) or (code and not health.known):
            low += min(zone.weight, 0)
            high += max(zone.weight, 0)
            silent.append(str(answer) if isinstance(answer, DnsError) else f"{zone.zone} is not sane")
        elif code:
            low += zone.weight
            high += zone.weight
            listed.append(f"{zone.zone} ({code})")
    return Sum(low, high, listed, silent, off)
