"""What a plugin is, and how it is run. An author imports everything from here."""

from gatepost.mail.address import Address, parse_address
from gatepost.mail.verdict import AddHeader, Allow, Defer, Reject, Rewrite, Score, Take, Verdict
from gatepost.plugin.base import Cost, Plugin, PluginSettings, Scope
from gatepost.plugin.context import Context
from gatepost.policy.policy import Action, Mode, OnFailure

__all__ = [
    "Action",
    "AddHeader",
    "Address",
    "Allow",
    "Context",
    "Cost",
    "Defer",
    "Mode",
    "OnFailure",
    "Plugin",
    "PluginSettings",
    "Reject",
    "Rewrite",
    "Scope",
    "Score",
    "Take",
    "Verdict",
    "parse_address",
]
