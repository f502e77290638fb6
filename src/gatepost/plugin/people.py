"""Who a message says it is from, in the words that a reader sees; and whom that looks like."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gatepost.auth import facts
from gatepost.mail.address import Address, AddressError, parse_address
from gatepost.mail.message import Message, decode_words
from gatepost.plugin.tools import CannotAnswer

MISSING = "impersonation needs idna, publicsuffixlist and confusable-homoglyphs: the extra `content`"
OTHER_ENDING = "has another ending"
"""As `mail.lookalike` says it, which is not imported before it is needed."""
MAX_FROM = 1_000
"""Characters of From that are looked at."""
_ADDRESS = re.compile(r"[^\s<>()\",;:@]{1,64}@[^\s<>()\",;:@]{1,255}")


@dataclass(frozen=True, slots=True)
class Author:
    """The first address of From, and the name before it."""

    name: str
    """Decoded; "" where there is none."""
    address: Address


def author_of(message: Message) -> Author | None:
    """Return the author as most mail programs show it; None where From cannot be read."""
    value = (message.get("From") or "")[:MAX_FROM]
    before, bracket, rest = value.rpartition("<")
    text = rest.partition(">")[0] if bracket else value
    found = _ADDRESS.search(text)
    if found is None:
        return None
    try:
        address = parse_address(found[0])
    except AddressError:
        return None
    return Author(decode_words(before).strip().strip('"').strip(), address)


def addresses_in(name: str) -> list[str]:
    """Return what looks like an address in a display name, in lower case."""
    return [found.lower() for found in _ADDRESS.findall(name)]


def proven(domain: str, spf: facts.Spf | None, dkim: facts.Dkim | None) -> bool:
    """Return True when SPF or a signature proves a domain with the same registered part."""
    proofs = [spf.domain] if spf is not None and spf.result == "pass" else []
    proofs += dkim.passed() if dkim is not None else []
    looks = _looks()
    wanted = looks.registrable(domain)
    return any(looks.registrable(one) == wanted for one in proofs)


def own(name: str) -> str:
    """Return the registered part of a domain."""
    return str(_looks().registrable(name))


def alike(name: str, known: Iterable[str]) -> tuple[str, str]:
    """`mail.lookalike.alike`."""
    found: tuple[str, str] = _looks().alike(name, known)
    return found


def wears(name: str, ours: str) -> str:
    """`mail.lookalike.wears`."""
    return str(_looks().wears(name, ours))


def words_of(name: str) -> tuple[str, ...]:
    """`mail.lookalike.words_of`."""
    found: tuple[str, ...] = _looks().words_of(name)
    return found


def _looks() -> Any:
    try:
        from gatepost.mail import lookalike
    except ImportError as error:
        raise CannotAnswer(MISSING) from error
    return lookalike
