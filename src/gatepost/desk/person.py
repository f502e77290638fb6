"""One person by the address: where texts name it, and what stands in its place afterwards. Pure.

The address counts without case, with a tag behind a plus, with BATV's tag before it, and only whole:
`joann@x.example` or `ann@x.example.org` is somebody else.
"""

from __future__ import annotations

import re
from typing import Any

from gatepost.mail.address import Address

ERASED = "erased.invalid"
"""Where nobody lives (RFC 2606)."""
_BEFORE = r"(?<![\w.!#$%&'*+/=?^`{|}~-])"
_BATV = r"(?:prvs=[0-9a-fA-F]{4,20}=)?"
_TAG = r"(?:\+[^\s@<>\"]{0,64})?"
_BEHIND = r"(?![\w-]|\.\w)"


class Person:
    """Who is looked for, in one domain."""

    def __init__(self, address: Address, token: str) -> None:
        local, domain = address.local, address.domain
        self.address = address
        self.local = local.lower()
        self.domain = domain.lower()
        self.pseudonym = f"erased-{token}@{ERASED}"
        self.word = f"@{self.domain}"
        """Stands in everything that names them: for a first, quick look."""
        pattern = f"{_BEFORE}{_BATV}{re.escape(local)}{_TAG}@{re.escape(domain)}{_BEHIND}"
        self._pattern = re.compile(pattern, re.IGNORECASE)
        self._whole = re.compile(f"{_BATV}{re.escape(local)}{_TAG}@{re.escape(domain)}", re.IGNORECASE)

    def is_them(self, address: str | None) -> bool:
        """Return whether an address is theirs."""
        return address is not None and self._whole.fullmatch(address) is not None

    def named_in(self, value: Any) -> bool:
        """Return whether a value (what JSON has) names them anywhere."""
        if isinstance(value, str):
            return self._pattern.search(value) is not None
        if isinstance(value, dict):
            return any(self.named_in(key) or self.named_in(inner) for key, inner in value.items())
        return isinstance(value, list | tuple) and any(self.named_in(inner) for inner in value)

    def without(self, value: Any) -> Any:
        """Return a value with a name that says nothing in the place of theirs."""
        if isinstance(value, str):
            return self._pattern.sub(self.pseudonym, value)
        if isinstance(value, dict):
            return {self.without(key): self.without(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.without(inner) for inner in value]
        return value
