"""Refuse clients and senders that the domain, or the administrator, has on a deny list."""

import re
from functools import lru_cache

from gatepost.plugin import (
    Address,
    AddressError,
    Context,
    DomainPolicy,
    Mode,
    Plugin,
    PluginSettings,
    Reject,
    Scope,
    Verdict,
    parse_address,
)

MAX_FROM = 10
"""Addresses of a From header that are looked at."""
MAX_LINE = 2_000
ANGLED = re.compile(r"<([^<>\s]{3,320})>")
BARE = re.compile(r"[^\s<>,;:()\"]{1,64}@[^\s<>,;:()\"]{1,255}")

WHAT = {
    "ip": "client address {} is on the deny list",
    "net": "client network {} is on the deny list",
    "host": "client host {} is on the deny list",
    "tld": "client hosts under .{} are on the deny list",
    "helo": "HELO name {} is on the deny list",
    "sender": "sender {} is on the deny list",
    "sender_domain": "sender domain {} is on the deny list",
}


class Settings(PluginSettings):
    """What is looked up besides the envelope."""

    header_from: bool = False
    """Look up the addresses of the From header too, not only the envelope sender."""


class DenyList(Plugin):
    """Look up who is there in the deny lists of the mailbox, the domain and the machine.

    Somebody has seen unwanted mail from there and does not want more: no other check is so
    cheap and so sure. An entry is a client address or network, the client's whole rDNS name, the
    end of that name (`ru`, `com.br`), a HELO name, a sender's address, or a sender's domain with
    all its sub-domains. Which of several entries decides is one rule for all checks (CONTRACT 5):
    nearer level first, then the more exact one, then allow before deny. It errs where a whole
    country or provider is denied, so allow entries exist.
    """

    settings = Settings
    scope = Scope.RECIPIENT
    default_mode = Mode.ON
    public = "Mail from you is not accepted here"

    def has_work(self, hook: str, settings: Settings, policy: DomainPolicy | None) -> bool:
        return (policy is None or bool(policy.lists)) and (hook != "headers" or settings.header_from)

    def rcpt(self, ctx: Context[Settings]) -> Verdict | None:
        entry = ctx.list_entry()
        if entry is None or entry.kind != "deny":
            return None
        return _refusal(entry.field, entry.value, entry.note)

    def headers(self, ctx: Context[Settings]) -> Verdict | None:
        for address in from_addresses(ctx.message.get("From") or ""):
            entry = ctx.list_entry(sender=address)
            if entry is not None and entry.kind == "deny" and entry.field in ("sender", "sender_domain"):
                return _refusal(entry.field, entry.value, entry.note, "From header: ")
        return None


@lru_cache(maxsize=4_096)
def _refusal(field: str, value: str, note: str, where: str = "") -> Reject:
    """The same object for the same entry: the pipeline then knows a refusal that it has seen."""
    reason = where + WHAT[field].format(value)
    return Reject(f"{reason}: {note}" if note else reason)


def from_addresses(line: str) -> list[Address]:
    """Return the addresses in a From header, those in angle brackets or else bare ones; bounded, linear."""
    line = line[:MAX_LINE]
    found: list[Address] = []
    for text in (ANGLED.findall(line) or BARE.findall(line))[:MAX_FROM]:
        try:
            found.append(parse_address(text))
        except AddressError:
            continue  # not an address for us: nothing on a list is equal to it
    return found
