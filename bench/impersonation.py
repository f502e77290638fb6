# ruff: noqa: E501 - lines of the page stand here as long as they are
"""How often `impersonation` is right: on real mail, each list host as a domain, in the order of time.

    .venv/bin/python -m bench.impersonation [--write]

The corpus (`modern-2019-2021`, read in place) is mail to public lists. A list host's registered part is the domain;
its own people are those who wrote wanted mail from an address of it before. What the check says of each message is
compared with the label, then the fate is told: wanted mail is accepted and teaches who writes, as it would live
(SPF is taken to pass for the envelope's sender). Lists see little of what the check is for, a fraud in the name
of the director, so what counts here is how seldom it is wrong; what it finds is shown by attacks that are made
and put in between.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from collections import Counter, defaultdict
from typing import Any

import idna

from bench.classifier import DATA, index, message_of
from bench.places import RESULTS
from bench.sections import write_page
from gatepost.dns.lookups import Records
from gatepost.dns.names import NxDomain
from gatepost.dns.zone import Zone
from gatepost.mail.address import AddressError, parse_address
from gatepost.mail.domains import registrable
from gatepost.mail.transaction import Recipient
from gatepost.mail.verdict import Score
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.people import author_of
from gatepost.plugin.registry import load
from gatepost.plugin.tools import Tools
from gatepost.policy.decide import Fate, Outcome
from gatepost.store.memory import MemoryRecords, MemoryState

CORPUS = "modern-2019-2021"
KEPT = RESULTS / "impersonation.json"
EVERY = 20
"""Messages between two made attacks."""


class Proof(Zone):
    """DNS in which every sender may send from everywhere."""

    async def look(self, name: str, kind: str) -> Records:
        """Return an SPF record for whatever name."""
        if kind == "TXT":
            return ("v=spf1 +all",)
        raise NxDomain(f"{name} does not exist")


class House:
    """One domain."""

    def __init__(self, name: str, clock: Any) -> None:
        self.name = name
        self.people: dict[str, None] = {}
        tools = Tools(dns=Proof(), state=MemoryState(clock), records=MemoryRecords(clock))
        self._bench = Bench(load(entries=False), tools, clock)
        self._policy: Any = None

    def knows(self, name: str) -> None:
        """Take somebody for one of the domain's own people."""
        if name not in self.people:
            self.people[name] = None
            self._policy = None

    async def says(self, raw: bytes, sender: str, *, spam: bool) -> Score | None:
        """Return what the check says; then its fate is told."""
        if self._policy is None:
            own = {"mode": "on", "known_names": False, "people": [*self.people][-2_000:]}
            self._policy = self._bench.policy(self.name, {"impersonation": own})
        case = Case(sender=sender)
        session, transaction = case.session(), case.transaction()
        address = parse_address(f"list@{self.name}")
        recipient = Recipient(address, address, policy=self._policy)
        transaction.recipients.append(recipient)
        run = self._bench.pipeline.run_message(session, transaction, [recipient], message_of(raw))
        (found,) = await run
        verdict = next((one.verdict for one in found if one.plugin == "impersonation"), None)
        if any(one.failure for one in found):
            raise RuntimeError(str(found))
        fate = Outcome(Fate.REJECT, "dnsbl", code=550) if spam else Outcome(Fate.ACCEPT)
        later = self._bench.pipeline.run_done(session, transaction, recipient, fate)
        if later is not None:
            await later
        return verdict if isinstance(verdict, Score) and verdict.points > 0 else None


async def measure() -> dict[str, Any]:
    """Run the corpus through; return the counts."""
    now = [0.0]
    lines = (DATA / CORPUS / "envelope.tsv").read_text("utf-8", "replace").split("\n")[1:-1]
    envelope = {row.split("\t")[0]: row.split("\t") for row in lines}
    houses: dict[str, House] = {}
    seen: Counter[str] = Counter()
    marked: Counter[str] = Counter()
    why: dict[str, Counter[str]] = defaultdict(Counter)
    made: Counter[str] = Counter()
    caught: Counter[str] = Counter()
    dice = random.Random(1)
    for number, (spam, path) in enumerate(index(CORPUS)):
        raw = path.read_bytes()
        message, row = message_of(raw), envelope[path.stem]
        author = author_of(message)
        to = (message.get("List-Id") or message.get("To") or "").rstrip("> \t").rpartition("<")[2]
        host = to.rpartition("@")[2].strip().lower()
        if author is None or "." not in host:
            seen["left out"] += 1
            continue
        name = registrable(host)
        try:
            parse_address(f"list@{name}")
            sender = str(parse_address(row[5]))
        except AddressError:
            seen["left out"] += 1
            continue
        now[0] = float(row[2])
        house = houses.setdefault(name, House(name, lambda: now[0]))
        kind = "spam" if spam else "ham"
        seen[kind] += 1
        verdict = await house.says(raw, sender, spam=spam)
        if verdict is not None:
            marked[kind] += 1
            why[kind][_kind_of(verdict.reason)] += 1
        if number % EVERY == 0 and house.people:
            await _attack(house, dice, made, caught)
        if not spam and registrable(author.address.domain) == name and " " in author.name:
            house.knows(author.name.replace("<", ""))
    return {
        "seen": dict(seen),
        "marked": dict(marked),
        "why": {kind: dict(counts) for kind, counts in why.items()},
        "domains": len(houses),
        "attacks": dict(made),
        "caught": dict(caught),
    }


async def _attack(house: House, dice: random.Random, made: Counter[str], caught: Counter[str]) -> None:
    """Have somebody pretend, in each way."""
    person, name = dice.choice([*house.people]), house.name
    label, _, ending = name.partition(".")
    place = dice.randrange(len(label) - 1)
    fresh = f"{dice.randrange(10**9)}@mail{dice.randrange(10**6)}.example"
    ways = {
        "an own person's name": f'"{person}" <{fresh}>',
        "an own address in the name": f'"{person} ({dice.randrange(9)}x@{name})" <{fresh}>',
        "a letter left out": f"<ceo@{label[:place] + label[place + 1 :]}.{ending}>",
        "a letter doubled": f"<ceo@{label[: place + 1] + label[place:]}.{ending}>",
        "a letter that looks the same": f"<ceo@{_confused(label)}.{ending}>",
        "the own name in front": f"<ceo@{name}.login{dice.randrange(999)}.example>",
    }
    for way, author in ways.items():
        made[way] += 1
        raw = f"From: {author}\r\nSubject: urgent\r\n\r\nAre you at your desk?\r\n".encode()
        if await house.says(raw, "x@bulk.example", spam=True) is not None:
            caught[way] += 1


def _confused(label: str) -> str:
    """Return a label with its first letter that has a Cyrillic twin, or with a digit for a letter."""
    for latin, twin in (
        *zip("aeopcyx", "\u0430\u0435\u043e\u0440\u0441\u0443\u0445", strict=True),
        ("l", "1"),
        ("i", "1"),
    ):
        if latin in label:
            return (
                idna.encode(label.replace(latin, twin, 1)).decode()
                if not twin.isascii()
                else label.replace(latin, twin, 1)
            )
    return label + "-"


def _kind_of(reason: str) -> str:
    for words in ("is one of us", "stands in the name", "looks like", "looks the same", "is one letter away"):
        if words in reason:
            return words
    return "other"


def text(found: dict[str, Any]) -> str:
    """Return the figures as a page of RESULTS has them."""
    seen, marked = found["seen"], found["marked"]
    attacks, caught = sum(found["attacks"].values()), sum(found["caught"].values())
    right = marked.get("spam", 0) + caught
    both = right + marked.get("ham", 0)
    return (
        f"{seen['ham']} wanted and {seen['spam']} spam mails to {found['domains']} list hosts"
        f" ({seen.get('left out', 0)} left out: no author or host to be read): {marked.get('spam', 0)} spam and"
        f" {marked.get('ham', 0)} wanted were given points; with {caught} of {attacks} made attacks {100 * right / both:.1f} % of all points were right,"
        f" and {100 * marked.get('ham', 0) / seen['ham']:.2f} % of the wanted mail wrongly ({_counts(found['why'].get('ham', {}))})."
        f" Attacks made in between, caught: {_of(found)}."
    )


def section() -> list[str]:
    """Return the section of RESULTS.md; nothing where it was never measured."""
    if not KEPT.exists():
        return []
    return [
        "## Impersonation",
        "",
        f"`python -m bench.impersonation --write`. {text(json.loads(KEPT.read_text()))}",
        "",
    ]


def _counts(of: dict[str, int]) -> str:
    return ", ".join(f"{number} {words}" for words, number in sorted(of.items(), key=lambda one: -one[1]))


def _of(found: dict[str, Any]) -> str:
    return ", ".join(
        f"{way} {found['caught'].get(way, 0)} of {number}" for way, number in found["attacks"].items()
    )


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(prog="python -m bench.impersonation")
    parser.add_argument("--write", action="store_true", help=f"keep the figures in {KEPT.name}")
    arguments = parser.parse_args()
    found = asyncio.run(measure())
    print(text(found))
    if arguments.write:
        KEPT.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
        write_page()


if __name__ == "__main__":
    main()
