"""What a plugin is, and how it is run. An author imports everything from here."""

from gatepost.dns.names import DnsError, DnsFailure, NoData, NxDomain, reverse_labels
from gatepost.mail.address import Address, AddressError, parse_address
from gatepost.mail.automatic import Automatic, Kind, automatic
from gatepost.mail.verdict import AddHeader, Allow, Defer, Reject, Rewrite, Score, Take, Verdict
from gatepost.plugin.base import Cost, Plugin, PluginSettings, Scope
from gatepost.plugin.bounces import BatvTag
from gatepost.plugin.context import Context, client_net
from gatepost.plugin.tools import CannotAnswer, PluginMistake, ToolMissing, Tools
from gatepost.policy.policy import Action, DomainPolicy, Mode, OnFailure

__all__ = [
    "Action",
    "AddHeader",
    "Address",
    "AddressError",
    "Allow",
    "Automatic",
    "BatvTag",
    "CannotAnswer",
    "Context",
    "Cost",
    "Defer",
    "DnsError",
    "DnsFailure",
    "DomainPolicy",
    "Kind",
    "Mode",
    "NoData",
    "NxDomain",
    "OnFailure",
    "Plugin",
    "PluginMistake",
    "PluginSettings",
    "Reject",
    "Rewrite",
    "Scope",
    "Score",
    "Take",
    "ToolMissing",
    "Tools",
    "Verdict",
    "automatic",
    "client_net",
    "parse_address",
    "reverse_labels",
]
