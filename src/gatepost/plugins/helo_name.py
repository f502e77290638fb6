"""Refuse clients whose HELO name cannot be a real mail server's."""

import re

from gatepost.plugin import Context, Mode, Plugin, PluginSettings, Reject, Verdict

BARE_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
BARE_IPV6 = re.compile(r"[0-9a-f]{0,4}(:[0-9a-f]{0,4}){2,7}")
NAME = re.compile(r"[a-z0-9][a-z0-9.\-]{0,253}(?<!-)")
DIGITS = tuple("0123456789")
PRIVATE_SUFFIXES = (".lan", ".local", ".internal", ".localdomain")


class Settings(PluginSettings):
    """Which names are refused."""

    refuse_private_names: bool = True
    """Refuse names that end in .lan, .local, .internal or .localdomain."""
    refuse_our_name: bool = True
    """Refuse clients that give our own host name: they are not us."""
    refuse_own_domain: bool = False
    """Refuse clients that give the recipient's domain as their name; the domain's own hosts may do so."""
    refuse_literals: bool = False
    """Refuse address literals such as [192.0.2.1], which RFC 5321, 4.1.3 allows and few servers use."""


class HeloName(Plugin):
    """Look at the name that a client gives in HELO.

    Real mail servers give a full host name (RFC 5321, 4.1.1.1). Much spam
    comes from machines that give a bare IP address or a private name, or the
    name of the server that they talk to, in the hope that it trusts itself.
    It errs with scanners, printers and web hosts that were never given a
    name: so it stands on watch until an owner switches it on.
    """

    settings = Settings
    default_mode = Mode.WATCH
    public = "Your server gives a HELO name that is not its own"

    def helo(self, ctx: Context[Settings]) -> Verdict | None:
        settings = ctx.settings
        name = ctx.session.helo.lower().removesuffix(".")
        if NAME.fullmatch(name) is None:
            return _odd(name, settings)
        if name.endswith(DIGITS) and BARE_ADDRESS.fullmatch(name):
            return Reject("HELO name is a bare IP address")
        if "." not in name:
            return Reject("HELO name is not fully qualified")
        if settings.refuse_private_names and name.endswith(PRIVATE_SUFFIXES):
            return Reject("HELO name is private")
        if settings.refuse_our_name and name == ctx.hostname:
            return Reject("HELO name is our own")
        if settings.refuse_own_domain and name == ctx.domain:
            return Reject("HELO name is the recipient's domain")
        return None


def _odd(name: str, settings: Settings) -> Verdict | None:
    """Say what a name is that is no host name (RFC 1123, 2.1)."""
    if name.startswith("["):
        return Reject("HELO name is an address literal") if settings.refuse_literals else None
    if "_" in name:
        return Reject("underscore in HELO name")
    if BARE_IPV6.fullmatch(name):
        return Reject("HELO name is a bare IP address")
    return Reject("HELO name is not a host name")
