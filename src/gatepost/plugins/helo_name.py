"""Refuse clients whose HELO name cannot be a real mail server's."""

import re

from gatepost.plugin import Context, Mode, Plugin, PluginSettings, Reject, Verdict

BARE_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
PRIVATE_SUFFIXES = (".lan", ".local", ".internal", ".localdomain")


class Settings(PluginSettings):
    refuse_private_names: bool = True
    """Refuse names that end in .lan, .local, .internal or .localdomain."""


class HeloName(Plugin):
    """Look at the name that a client gives in HELO.

    Real mail servers give a full host name (RFC 5321, 4.1.1.1). Much spam
    comes from machines that give a bare IP address or a private name.
    """

    settings = Settings
    default_mode = Mode.ON

    def helo(self, ctx: Context[Settings]) -> Verdict | None:
        name = ctx.session.helo.lower()
        if "_" in name:
            return Reject("underscore in HELO name")
        if "." not in name:
            return Reject("HELO name is not fully qualified")
        if BARE_ADDRESS.fullmatch(name):
            return Reject("HELO name is a bare IP address")
        if ctx.settings.refuse_private_names and name.endswith(PRIVATE_SUFFIXES):
            return Reject("HELO name is private")
        return None
