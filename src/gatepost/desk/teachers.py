"""Other filters of a domain that learn what its people teach: those that run as commands."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gatepost.desk.desk import Desk
from gatepost.desk.domains import resolved
from gatepost.desk.scopes import hosted
from gatepost.plugin.outside import OutsideError
from gatepost.policy.policy import Mode

COMMAND_FILTER = "filter_command"
"""Taught at once, since its data lie here; what is asked over a network is taught by the keeper."""
Teacher = Callable[[bytes, bool], object]
"""Takes a message and whether it is spam; OSError or OutsideError where that did not work."""


def teachers_of(desk: Desk, domain: str) -> list[Teacher]:
    """Return who else is to be taught for a domain: its filter, where it is on or watched."""
    name = hosted(desk, domain)
    plugin = resolved(desk, name)[0].plugins.get(COMMAND_FILTER)
    if plugin is None or plugin.mode is Mode.OFF or not plugin.settings.filter:
        return []

    def teach_command(raw: bytes, spam: bool) -> object:
        return desk.commands.teach(plugin.settings.filter, name, raw, spam=spam)

    return [teach_command]


def teach(teachers: Iterable[Teacher], raws: Iterable[bytes], *, spam: bool) -> list[str]:
    """Teach each message to each; return what went wrong, which never takes the training back."""
    troubles: list[str] = []
    for raw in raws:
        for teacher in teachers:
            try:
                teacher(raw, spam)
            except (OSError, OutsideError) as error:
                troubles.append(str(error))
    return troubles
