"""The three presets of a domain: the defaults of modes, actions and points, in one table.

`usual` is what each check says of itself. `careful` lets every check look and write down and act
not at all, but for those that an owner asked for by name (recipients, lists) and those that keep
the machine alive; a new domain may start so for its first week. `strict` switches more on and
refuses at fewer points. What somebody set by hand, at whatever level, goes before a preset.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gatepost.policy.policy import Action, Mode


@dataclass(frozen=True, slots=True)
class Preset:
    """Defaults that differ from what a check says of itself."""

    name: str
    sentence: str
    modes: Mapping[str, Mode] = field(default_factory=dict)
    """check -> its switch; a check that is not named here has the one of `mode`."""
    actions: Mapping[str, Action] = field(default_factory=dict)
    values: Mapping[str, object] = field(default_factory=dict)
    """Core settings (points)."""
    on_becomes: Mode = Mode.ON
    """What a check that is on by itself becomes, where `modes` does not name it."""

    def mode(self, plugin: str, own: Mode) -> Mode:
        """Return the switch of a check whose own default is `own`."""
        named = self.modes.get(plugin)
        if named is not None:
            return named
        return self.on_becomes if own is Mode.ON else own

    def action(self, plugin: str, own: Action) -> Action:
        """Return what the refusal of a check becomes."""
        return self.actions.get(plugin, own)


_ALWAYS = dict.fromkeys(("recipients", "deny_list", "client_rate"), Mode.ON)
_LOOKS = dict.fromkeys(("rdns", "sender_domain", "reputation", "headers"), Mode.WATCH)
"""Checks that are off by themselves since they ask DNS, remember or read, and refuse nobody on watch."""
_MORE = dict.fromkeys(
    (
        "helo_name",
        "dnsbl",
        "early_talker",
        "rdns",
        "sender_domain",
        "greylist",
        "reputation",
        "bounce",
        "bounce_storm",
        "headers",
        "attachments",
    ),
    Mode.ON,
)

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "careful",
            "all checks look and write down; only recipients, lists and limits refuse",
            modes=_ALWAYS | _LOOKS,
            values={"score.tag_at": 5.0, "score.quarantine_at": "off", "score.reject_at": "off"},
            on_becomes=Mode.WATCH,
        ),
        Preset(
            "usual",
            "each check as its author made it",
            values={"score.tag_at": 5.0, "score.quarantine_at": "off", "score.reject_at": 15.0},
        ),
        Preset(
            "strict",
            "more checks refuse, and at fewer points",
            modes=_ALWAYS | _MORE,
            values={"score.tag_at": 4.0, "score.quarantine_at": "off", "score.reject_at": 10.0},
        ),
    )
}

DEFAULT_PRESET = "usual"
