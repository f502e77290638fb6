"""DMARC: is the author that people see the one whom SPF or DKIM proved? (RFC 9989)

Own evaluator, since no library does the tree walk of 2026. A fact and not a verdict: `p=reject`
alone is no reason to refuse (RFC 9989, 7.4); the check `dmarc` weighs it with what the
domain knows of forwarders. Several authors are judged one by one and the worst counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gatepost.auth.asks import Dns
from gatepost.auth.author import Authors
from gatepost.auth.dmarc_records import (
    Record,
    organizational_domain,
    read_record,
    walk_names,
    walked,
)
from gatepost.auth.facts import Asked, Dkim, Dmarc, Spf, shown
from gatepost.dns.lookups import Records
from gatepost.dns.names import DnsError, DnsFailure, NxDomain

MAX_WALKS = 12
"""Names whose organizational domain is looked for about one mail."""
SOFTER = {"reject": "quarantine", "quarantine": "none", "none": "none"}
"""What t=y asks for (4.7)."""
_WORST = ("fail reject", "fail quarantine", "permerror none", "fail none", "temperror none", "none none")


class Silent(Exception):
    """Nobody answered where an answer was needed."""


class Tree:
    """The records that were asked for about one mail, each name once."""

    __slots__ = ("_dns", "_failed", "_records", "_walks", "asked")

    def __init__(self, dns: Dns) -> None:
        self._dns = dns
        self._records: dict[str, Record | None] = {}
        self._failed: set[str] = set()
        self._walks: dict[str, tuple[str, list[Record]]] = {}
        self.asked: list[Asked] = []

    async def record(self, name: str) -> Record | None:
        """Return the record of one name."""
        await self._ask([name])
        if name in self._failed:
            raise Silent(name)
        return self._records[name]

    async def walk(self, start: str) -> tuple[str, list[Record]]:
        """Return the organizational domain of a name and the records that the walk met."""
        known = self._walks.get(start)
        if known is None:
            if len(self._walks) >= MAX_WALKS:
                raise Silent("too many names")
            names = walk_names(start)
            await self._ask(names)
            met = walked(start, self._records)
            end = len(names) if not met or met[-1].psd == "u" else names.index(met[-1].at) + 1
            silent = self._failed.intersection(names[:end])
            if silent:
                raise Silent(min(silent))
            known = self._walks[start] = organizational_domain(start, met), met
        return known

    async def exists(self, name: str) -> bool:
        """Return False for a name that does not exist (NXDOMAIN)."""
        (answer,) = await self._dns.look_all([name], "A")
        self.asked.append(Asked(name, "A", shown(answer)))
        if isinstance(answer, DnsFailure):
            raise Silent(name)
        return not isinstance(answer, NxDomain)

    async def _ask(self, names: Iterable[str]) -> None:
        new = [name for name in names if name not in self._records]
        if not new:
            return
        answers = await self._dns.look_all([f"_dmarc.{name}" for name in new], "TXT")
        for name, answer in zip(new, answers, strict=True):
            self._records[name] = self._read(name, answer)

    def _read(self, name: str, answer: Records | DnsError) -> Record | None:
        self.asked.append(Asked(f"_dmarc.{name}", "TXT", shown(answer)))
        if isinstance(answer, DnsFailure):
            self._failed.add(name)
        return None if isinstance(answer, DnsError) else read_record(name, answer)


async def evaluate(authors: Authors, spf: Spf, dkim: Dkim, dns: Dns) -> Dmarc:
    """Return what DMARC says of a message."""
    if not authors.domains:
        why = authors.ambiguous or authors.problem
        return Dmarc("permerror", ambiguous=bool(authors.ambiguous), why=why)
    tree = Tree(dns)
    each = [await _evaluate_one(author, spf, dkim, tree) for author in authors.domains]
    worst = min(each, key=_badness)
    if len(each) > 1:
        worst = replace(worst, why=f"{worst.why} (the worst of {len(each)} authors)")
    if authors.ambiguous:
        result = worst.result if worst.result == "fail" else "permerror"
        policy = worst.policy if result == "fail" else "none"
        worst = replace(
            worst, result=result, policy=policy, ambiguous=True, why=f"{authors.ambiguous}; {worst.why}"
        )
    return replace(worst, asked=tuple(tree.asked))


def _badness(one: Dmarc) -> int:
    word = f"{one.result} {one.policy}"
    return _WORST.index(word) if word in _WORST else len(_WORST)


async def _evaluate_one(author: str, spf: Spf, dkim: Dkim, tree: Tree) -> Dmarc:
    try:
        record, organization = await _policy(author, tree)
        if record is None:
            return Dmarc("none", author, why="no policy is published")
        # Who does not exist is asked only where np= would say something else.
        exists = record.at == author or not record.absent or await tree.exists(author)
    except Silent as silent:
        return Dmarc("temperror", author, why=f"no answer about {silent}")
    tag, asked = record.for_author(author, exists)
    found = Dmarc(
        result="fail",
        author=author,
        policy=SOFTER[asked] if record.testing else asked,
        published=f"{tag}={asked}{' t=y' if record.testing else ''}",
        record_at=record.at,
        organization=organization,
    )
    candidates = _identifiers(spf, dkim, record)
    silent_about = ""
    aligned: list[str] = []
    for method, domain, strict in candidates:
        try:
            if await is_aligned(author, domain, strict, tree):
                aligned.append(f"{method} {domain}")
                break
        except Silent as silent:
            silent_about = str(silent)
    if aligned:
        return replace(found, result="pass", aligned=tuple(aligned), why=f"proved by {aligned[0]}")
    for method, result in (("spf", spf.result), ("dkim", dkim.result)):
        if result == "temperror":
            silent_about = silent_about or method
    if silent_about:
        return replace(found, result="temperror", policy="none", why=f"no answer about {silent_about}")
    return replace(found, why=_nobody(spf, dkim))


async def _policy(author: str, tree: Tree) -> tuple[Record | None, str]:
    """Return the record that holds for an author domain (4.10.1), and whom the author belongs to."""
    record = await tree.record(author)
    if record is not None:
        return record, ""
    organization, met = await tree.walk(author)
    for one in met:
        if one.at == organization:
            return one, organization
    return next((one for one in met if one.psd == "y"), None), organization


def _identifiers(spf: Spf, dkim: Dkim, record: Record) -> list[tuple[str, str, bool]]:
    found = [("dkim", domain, record.strict_dkim) for domain in dkim.passed()]
    if spf.result == "pass":
        found.append(("spf", spf.domain, record.strict_spf))
    return found


async def is_aligned(author: str, domain: str, strict: bool, tree: Tree) -> bool:
    """Return True when what was proved is the author's (4.10.2).

    Two names have one organizational domain only when both end in it: names that do not are not
    asked about, so that a stranger's signature costs no look-ups.
    """
    if author == domain:
        return True
    if strict or not domain:
        return False
    organization, _ = await tree.walk(author)
    if domain != organization and not domain.endswith("." + organization):
        return False
    other, _ = await tree.walk(domain)
    return organization == other


def _nobody(spf: Spf, dkim: Dkim) -> str:
    proved = list(dkim.passed())
    if spf.result == "pass":
        proved.append(spf.domain)
    if proved:
        return f"proved is only {_some(proved)}"
    return f"neither SPF ({spf.result}) nor DKIM ({dkim.result}) proves anybody"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (" and others" if len(names) > 3 else "")
