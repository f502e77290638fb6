"""The checks: which there are, what each does, a new one, one tried alone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.desk.steps import Step, of_findings
from gatepost.dns.resolver import Resolver
from gatepost.mail.address import AddressError
from gatepost.mail.message import Message, find_border
from gatepost.plugin.base import Scope, snake_case
from gatepost.plugin.bench import Case, Tried, try_plugin
from gatepost.plugin.faces import describe, sentence
from gatepost.plugin.registry import Loaded, PluginError, load_file, the_plugin
from gatepost.plugin.template import new_plugin
from gatepost.plugin.tools import Tools
from gatepost.store.memory import MemoryRecords, MemoryState

HEAD_LIMIT = 131_072
"""Bytes looked at for the headers, as the server does."""


@dataclass(frozen=True, slots=True)
class Line:
    """One check as it stands in the list."""

    name: str
    mode: str
    """For all domains, where nothing nearer is set."""
    origin: str
    """`built-in`, a file, an entry point."""
    does: str
    """What it does, or why it did not load."""
    error: bool


def listing(desk: Desk) -> list[Line]:
    """Return all checks, those that did not load too."""
    everywhere = desk.policy.settings("all")
    lines = []
    for one in desk.registry:
        own = "always" if one.plugin.scope is Scope.GATEWAY else str(one.plugin.default_mode)
        mode = str(everywhere.get(f"{one.name}.mode", own))
        does = f"did not load: {one.error}" if one.error else sentence(one.plugin)
        lines.append(Line(one.name, mode, one.origin, does, bool(one.error)))
    return lines


def problems(desk: Desk) -> list[str]:
    """Return what was found and is no plugin at all (a folder that anyone may write)."""
    return list(desk.registry.problems)


def show(desk: Desk, name: str) -> dict[str, Any]:
    """Return everything about one check, as plain values."""
    return describe(_named(desk, name))


def new(name: str, plugin_folder: Path, test_folder: Path) -> list[Path]:
    """Write a plugin of thirty lines that works, and its test; nothing that exists is overwritten."""
    try:
        files = new_plugin(name)
    except ValueError as error:
        raise DeskError(str(error)) from error
    made = {
        (test_folder if file.startswith("test_") else plugin_folder) / file: text
        for file, text in files.items()
    }
    for path in made:
        if path.exists():
            raise DeskError(f"{path} exists already")
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(made)


def try_on(
    desk: Desk, name: str, raw: bytes, settings: Mapping[str, Any], case: Case
) -> tuple[list[Step], Tried]:
    """Put one mail through one check alone, with memory that is forgotten; NAME may be a file."""
    loaded = _from_file(Path(name)) if name.endswith(".py") else _named(desk, name)
    prefix = f"{loaded.name}."
    own = {key.removeprefix(prefix): value for key, value in settings.items()}
    try:
        tried = asyncio.run(_try(desk, loaded, own, case, raw))
    except PluginError as error:
        raise DeskError(f"{loaded.name} did not load: {error}") from error
    except (AddressError, ValueError) as error:
        raise DeskError(str(error)) from error
    return of_findings(tried.findings), tried


async def _try(desk: Desk, loaded: Loaded, settings: Mapping[str, Any], case: Case, raw: bytes) -> Tried:
    resolver = Resolver(desk.dns_servers, desk.dns_timeout)
    tools = Tools(
        state=MemoryState(desk.clock),
        records=MemoryRecords(desk.clock),
        dns=resolver,
        hostname=desk.hostname,
        models=desk.models_in,
        commands=desk.commands,
    )
    try:
        return await try_plugin(loaded, settings, case, message_of(raw), tools)
    finally:
        await resolver.close()


def message_of(raw: bytes) -> Message:
    """Return a message with its body, from a file's bytes: line ends become CRLF as on the wire."""
    text = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    border = find_border(text)
    if border < 0:
        # Without an empty line all of it is headers.
        text = text.rstrip(b"\r\n") + b"\r\n\r\n"
        border = len(text)
    return Message(text[: min(border, HEAD_LIMIT)], text)


def _named(desk: Desk, name: str) -> Loaded:
    try:
        return desk.registry[snake_case(name)]
    except KeyError as error:
        raise NotFound(str(error.args[0])) from error


def _from_file(path: Path) -> Loaded:
    try:
        plugin = the_plugin(load_file(path))
    except FileNotFoundError as error:
        raise NotFound(f"{path} does not exist") from error
    except Exception as error:  # whatever the file does when it is run is its author's to see
        raise DeskError(f"{path} did not load: {type(error).__name__}: {error}") from error
    from gatepost.plugin.hooks import faults

    wrong = faults(plugin)
    if wrong:
        raise DeskError(f"{path} did not load: {'; '.join(wrong)}")
    return Loaded(plugin.name, plugin(), str(path), 1)
