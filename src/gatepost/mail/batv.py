"""Tags that prove that a bounce answers mail of ours: `prvs=KDDDSSSSSS=local@domain` (BATV).

K is the number of the key, DDD the last three digits of the day (since 1970) on which the tag
expires, SSSSSS the first three octets of an HMAC-SHA1 over K, DDD and the address exactly as it is
written (draft-levine-smtp-batv-01, section 3; Exim's `prvs`). Three digits wrap after 1,000 days,
so days are compared on the circle; a comparison of numbers lets tags of 500 days ago live again.

Pure: keys and the clock are arguments.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from typing import NamedTuple

from gatepost.mail.address import MAX_LOCAL, Address, AddressError, fold, needs_quotes, parse_address

LIFETIME = 7
"""Days for which a tag is good: as long as servers try to deliver (RFC 5321, 4.5.4.1), and a little."""
CIRCLE = 1_000
DAY = 86_400
MAX_KEY = 64
"""Octets of a key: the block of SHA-1, and what Exim takes."""
LONGEST = MAX_LOCAL - len("prvs=0000000000=")
"""Octets of a local part that still has room for a tag."""
_TAG = re.compile(r"prvs=([0-9])([0-9]{3})([0-9a-f]{6})=(.+)", re.IGNORECASE | re.DOTALL)


class Tag(NamedTuple):
    """A tag as it stands in a local part; whether it is good is another question."""

    number: int
    """Of the key, 0 to 9."""
    day: int
    """Of expiry, 0 to 999."""
    mark: str
    """Six hexadecimal digits, lower case."""
    local: str
    """The local part that was signed."""


class Checked(NamedTuple):
    """Whether a tag is good, and why, in words for the owner."""

    valid: bool
    reason: str


def read(local: str) -> Tag | None:
    """Return the tag in a local part, None where there is none."""
    if local[:5].lower() != "prvs=":
        return None
    found = _TAG.fullmatch(local)
    if found is None:
        return None
    number, day, mark, inner = found.groups()
    return Tag(int(number), int(day), mark.lower(), inner)


def plain(address: Address) -> Address:
    """Return the address that a tagged one leads to; one without a tag is returned as it is."""
    tag = read(address.local)
    if tag is None:
        return address
    try:
        return parse_address(f"{tag.local}@{_domain(address)}")
    except AddressError:  # what stands behind the tag is no local part: then it is no tag
        return address


def fits(local: str) -> bool:
    """Return whether a local part can have a tag: it has room, needs no quotes, and has none already."""
    return len(local.encode()) <= LONGEST and not needs_quotes(local) and read(local) is None


def make(address: Address, number: int, key: bytes, now: float) -> Address | None:
    """Return the address with a tag that is good for seven days; the same for a whole day.

    None where it can have none (`fits`). `now`: seconds since 1970.
    """
    local, domain = address.local, _domain(address)
    if not fits(local):
        return None
    text = f"{local}@{domain}"  # quotes that are not needed are not signed
    day = (day_of(now) + LIFETIME) % CIRCLE
    tag = f"prvs={number}{day:03}{mark_of(key, number, day, text)}="
    return Address(tag + local, address.domain, tag + text)


def check(address: Address, tag: Tag, keys: Mapping[int, bytes], now: float) -> Checked:
    """Say whether one of our keys made the tag of this address, and whether it is still good.

    The mark is compared first, in constant time, so that nobody learns which days we would take.
    Servers on the way may have changed capitals of the address, so the folded one is tried too.
    """
    key = keys.get(tag.number)
    if key is None:
        return Checked(False, f"no key {tag.number}")
    text = f"{tag.local}@{_domain(address)}"
    ways = dict.fromkeys((text, f"{tag.local}@{address.domain}", f"{fold(tag.local)}@{address.domain}"))
    good = [hmac.compare_digest(mark_of(key, tag.number, tag.day, way), tag.mark) for way in ways]
    if not any(good):
        return Checked(False, f"not made with key {tag.number}")
    left = (tag.day - day_of(now)) % CIRCLE
    if left > LIFETIME:
        return Checked(False, f"expired {CIRCLE - left} days ago")
    return Checked(True, f"made with key {tag.number}, good for {left} days more")


def mark_of(key: bytes, number: int, day: int, address: str) -> str:
    """Return the six digits that prove the key."""
    return hmac.new(key, f"{number}{day:03}{address}".encode(), "sha1").hexdigest()[:6]


def day_of(now: float) -> int:
    """Return the day since 1970, in UTC."""
    return int(now // DAY)


def _domain(address: Address) -> str:
    return address.text.rpartition("@")[2]
