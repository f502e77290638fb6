"""DMARC policy records, and the walk up the DNS tree that finds them (RFC 9989, 4.7 to 4.10).

Pure: names and texts in, records out. There is no list of public suffixes any more; a domain says
itself (`psd=`) whether the names below it belong to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gatepost.mail.address import MAX_DOMAIN

POLICIES = ("none", "quarantine", "reject")
MAX_RECORD = 8_192
SHORTENED = 7
"""Labels to which a long name is cut after the first question, so that a walk has at most eight."""

_VERSION = re.compile(r"v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)")
_NAME = re.compile(r"[A-Za-z0-9]{1,20}")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[!#-+\--:<-~]+")


@dataclass(frozen=True, slots=True)
class Record:
    """What a domain publishes."""

    at: str
    """The domain, without `_dmarc.`."""
    policy: str
    sub: str = ""
    """sp=, "" if not given."""
    absent: str = ""
    """np=, "" if not given."""
    psd: str = "u"
    testing: bool = False
    strict_dkim: bool = False
    strict_spf: bool = False

    def for_author(self, author: str, exists: bool) -> tuple[str, str]:
        """Return tag and value of the policy for an author domain (4.7)."""
        if author == self.at:
            return "p", self.policy
        if not exists and self.absent:
            return "np", self.absent
        return ("sp", self.sub) if self.sub else ("p", self.policy)


def read_record(at: str, texts: Sequence[str]) -> Record | None:
    """Return the record among the texts at `_dmarc.AT`; None when there is none, or more than one."""
    found = [text for text in texts if _VERSION.match(text)]
    if len(found) != 1 or len(found[0]) > MAX_RECORD:
        return None
    tags: dict[str, str] = {}
    for spec in found[0].split(";")[1:]:
        name, equals, value = spec.partition("=")
        name = name.strip(" \t").lower()
        if equals and _NAME.fullmatch(name):
            tags.setdefault(name, value.strip(" \t"))
    policy = _policy(tags, "p")
    sub, absent = _policy(tags, "sp"), _policy(tags, "np")
    if not policy or sub is None or absent is None:
        if not _has_report_address(tags.get("rua", "")):
            return None
        policy, sub, absent = "none", "", ""
    psd = tags.get("psd", "u").lower()
    return Record(
        at=at,
        policy=policy,
        sub=sub,
        absent=absent,
        psd=psd if psd in ("y", "n") else "u",
        testing=tags.get("t", "n").lower() == "y",
        strict_dkim=tags.get("adkim", "r").lower() == "s",
        strict_spf=tags.get("aspf", "r").lower() == "s",
    )


def _policy(tags: Mapping[str, str], name: str) -> str | None:
    """Return the value of a policy tag in lower case; "" when it is not given, None when it is none."""
    value = tags.get(name, "").lower()
    return value if value in POLICIES or (not value and name not in tags) else None


def _has_report_address(value: str) -> bool:
    return any(_URI.fullmatch(uri.strip(" \t")) for uri in value.split(","))


def walk_names(start: str) -> list[str]:
    """Return the names that a walk from `start` may ask, in order: never more than eight (4.10)."""
    if not start or len(start) > MAX_DOMAIN:
        return []
    labels = start.split(".")
    shorter = labels[1:] if len(labels) <= SHORTENED else labels[-SHORTENED:]
    return [start, *(".".join(shorter[n:]) for n in range(len(shorter)))]


def walked(start: str, records: Mapping[str, Record | None]) -> list[Record]:
    """Return the records that a walk meets, from the longest name; it stops where psd= says so."""
    met: list[Record] = []
    for name in walk_names(start):
        record = records.get(name)
        if record is not None:
            met.append(record)
            if record.psd != "u":
                break
    return met


def organizational_domain(start: str, met: Sequence[Record]) -> str:
    """Return whom a name belongs to, by the records of its walk (4.10.2)."""
    for record in met:
        if record.psd == "n":
            return record.at
        if record.psd == "y" and record.at != start:
            below = start.removesuffix(record.at).rstrip(".").rpartition(".")[2]
            return f"{below}.{record.at}"
    return met[-1].at if met else start
