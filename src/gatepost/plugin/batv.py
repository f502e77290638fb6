"""Which addresses of a domain are signed by BATV, and with which keys: read by two.

The check `bounce` asks here whether a tag is good; the door for outgoing mail makes the tags. Both
read the settings of `bounce`, so there is one list of addresses and one of keys. A key is a secret:
it is written `NUMBER:SECRET`, and the last one of the list signs.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from pydantic import Field, field_validator

from gatepost.mail import batv as tags
from gatepost.mail.address import Address
from gatepost.plugin.base import PluginSettings

PLUGIN = "bounce"
"""The check whose settings and records these are."""
EVERYBODY = "*"
MAX_KEYS = 10
"""A key's number has one digit."""


class BatvSettings(PluginSettings):
    """What a domain says of BATV (draft-levine-smtp-batv)."""

    batv: bool = False
    """Refuse bounces with a bad or expired tag, and those without one to addresses that are signed."""
    batv_keys: tuple[str, ...] = ()
    """Keys as `NUMBER:SECRET`; the last one signs (`gatepost batv key` makes them). Not shown unasked."""
    batv_addresses: tuple[str, ...] = ()
    """Local parts whose outgoing mail is all signed: a bounce without a tag is forged; `*` for all."""
    batv_grace_days: int = Field(default=tags.LIFETIME, ge=0, le=365)
    """Days of signing before bounces without a tag are refused; 0: at once, whoever signs."""

    @field_validator("batv_keys")
    @classmethod
    def _keys(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        numbers = set()
        for text in value:
            number, colon, secret = text.partition(":")
            # What is wrong is said without the secret: errors are shown and logged.
            if not colon or len(number) != 1 or number not in "0123456789":
                raise ValueError("a key is NUMBER:SECRET, its number one digit")
            if not 1 <= len(secret.encode()) <= tags.MAX_KEY:
                raise ValueError(f"the secret of a key has 1 to {tags.MAX_KEY} octets")
            if number in numbers:
                raise ValueError(f"two keys have the number {number}")
            numbers.add(number)
        return value

    @field_validator("batv_addresses")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        folded = tuple(one.strip().lower() for one in value)
        if any(not one or "@" in one for one in folded):
            raise ValueError("give local parts, without the domain")
        return folded

    @cached_property
    def keys(self) -> Mapping[int, bytes]:
        """Number -> secret."""
        return {int(text[0]): text[2:].encode() for text in self.batv_keys}

    @cached_property
    def _signed(self) -> frozenset[str]:
        return frozenset(self.batv_addresses)

    def signs(self, address: Address) -> bool:
        """Return whether mail from this address is signed, so that its bounces must have a tag."""
        if not self.batv_keys or not (address.key[0] in self._signed or EVERYBODY in self._signed):
            return False
        return tags.fits(address.local)  # what goes out without a tag may come back without one

    def tagged(self, address: Address, now: float) -> Address | None:
        """Return a sender's address with its tag of today; None where it is not signed."""
        if not self.signs(address):
            return None
        last = int(self.batv_keys[-1][0])
        return tags.make(address, last, self.keys[last], now)


def since_key(local: str) -> str:
    """Return the key of the record that says since when an address (folded local part) is signed."""
    return f"signed {local}"


def check_tag(settings: BatvSettings, named: Address, now: float) -> tags.Checked | None:
    """Say whether the tag of an address is good; None where it has none, or the domain has no keys."""
    tag = tags.read(named.local) if settings.batv_keys else None
    return tags.check(named, tag, settings.keys, now) if tag is not None else None
