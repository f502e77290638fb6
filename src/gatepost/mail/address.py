"""Addresses of the envelope, by the strict grammar of RFC 5321 section 4.1.2 (and RFC 6531)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox of the envelope. Two addresses are equal when their `key` is."""

    local: str
    """Local part as a value: quotes and backslashes undone, case kept."""
    domain: str
    """Lower case; A-labels (`xn--`) for international names; `[192.0.2.1]` for a literal; "" for bare postmaster."""
    text: str
    """As it was given between the angle brackets, without source route: what is handed on."""
