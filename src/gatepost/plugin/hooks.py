"""The eight hooks as a table, and the look at a plugin class that finds what is misspelt.

A public name in a plugin is a hook or one of the words of `base.Plugin`, nothing else; helpers
begin with an underscore and constants are in capitals. So a misspelt hook cannot be silent.
"""

from __future__ import annotations

import difflib
import inspect
import re
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic import ValidationError

from gatepost.mail.verdict import AddHeader, Allow, Defer, Reject, Rewrite, Score, Take
from gatepost.plugin.base import Cost, Plugin, PluginSettings, Scope
from gatepost.policy.policy import Action, Mode, OnFailure


class Hook(NamedTuple):
    """One moment at which a plugin may be asked."""

    name: str
    when: str
    may: frozenset[type]
    """The verdicts that mean something there; another one is nonsense."""


_ADDRESS = frozenset({Reject, Defer, Rewrite, Take})
_ENVELOPE = frozenset({Reject, Defer, Score, Allow, Take, AddHeader})

HOOKS: dict[str, Hook] = {
    hook.name: hook
    for hook in (
        Hook("address", "before the recipient is looked up; may say that it is really another", _ADDRESS),
        Hook("connect", "asked at the first RCPT: the client's address, rDNS, early talk, TLS", _ENVELOPE),
        Hook("helo", "asked at the first RCPT: the name that the client gave", _ENVELOPE),
        Hook("mail", "asked at the first RCPT of a transaction: the sender", _ENVELOPE),
        Hook("rcpt", "asked for each recipient", _ENVELOPE),
        Hook("headers", "the message has come; its headers are read", _ENVELOPE),
        Hook("message", "the message has come; headers and body", _ENVELOPE),
        Hook("done", "the fate is known; watches only", frozenset()),
    )
}

EARLY = ("connect", "helo", "mail")
"""Asked at the first RCPT and remembered; `rcpt` is asked for each recipient."""
GATEWAY_HOOKS = frozenset({"connect", "helo", "mail", "rcpt", "done"})
RESERVED = frozenset({"mode", "action", "on_failure", "lists"})
"""Keys that every plugin has; a settings model cannot have fields of these names."""
MAX_TIMEOUT = 60.0
"""All checks together have this long (CONTRACT 2, `final_reply`)."""

_WORDS = frozenset(name for name in vars(Plugin) if not name.startswith("_"))
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_ENUMS: dict[str, type] = {
    "scope": Scope,
    "default_mode": Mode,
    "default_action": Action,
    "on_failure": OnFailure,
}
_FLAGS = ("needs_host", "unskippable", "knows_recipients", "own_list", "reads_body", "done_accepted")


def hooks_of(plugin: Plugin | type[Plugin]) -> tuple[str, ...]:
    """Return the names of the hooks that a plugin has, in the order of a session."""
    cls: object = plugin if isinstance(plugin, type) else type(plugin)
    return _hooks_of(cls)


@lru_cache(1024)
def _hooks_of(cls: object) -> tuple[str, ...]:
    return tuple(name for name in HOOKS if callable(getattr(cls, name, None)))


def suggestion(word: str, known: Any) -> str:
    """Return `; did you mean 'x'?` for a word that is near a known one, or ""."""
    near = difflib.get_close_matches(word, list(known), 1, 0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def faults(cls: type[Plugin]) -> list[str]:
    """Return what is wrong with a plugin class, one sentence each; an empty list is a good plugin."""
    found = _faults_of_names(cls) + _faults_of_words(cls) + _faults_of_settings(cls)
    if not hooks_of(cls) and not found:
        found.append(f"{cls.__name__} has no hook; the hooks are {', '.join(HOOKS)}")
    if not (cls.__doc__ or "").strip():
        found.append(f"{cls.__name__} has no docstring that says what it does and why it works")
    return found


def _faults_of_names(cls: type[Plugin]) -> list[str]:
    found: list[str] = []
    for owner in cls.__mro__:
        if owner in (Plugin, object):
            continue
        for name, value in vars(owner).items():
            if name.startswith("_") or name.isupper() or name in _WORDS:
                continue
            where = f"{cls.__name__}.{name}"
            function = value.__func__ if isinstance(value, staticmethod | classmethod) else value
            if name in HOOKS:
                found += _faults_of_hook(where, value)
            elif (callable(function) and not isinstance(value, type)) or isinstance(value, property):
                near = suggestion(name, (*HOOKS, "has_work", "cost_in"))
                rule = "" if near else "; the name of a helper begins with an underscore"
                found.append(f"{where} is not a hook{near or rule}")
            else:
                near = suggestion(name, _WORDS)
                rule = "" if near else "; a constant is written in capitals"
                found.append(f"{where} is not a setting of a plugin{near or rule}")
    return found


def _faults_of_hook(where: str, value: Any) -> list[str]:
    if not inspect.isfunction(value):
        return [f"{where} must be a method, `def` or `async def`"]
    if inspect.isgeneratorfunction(value) or inspect.isasyncgenfunction(value):
        return [f"{where} must return its verdict, not yield it"]
    try:
        inspect.signature(value).bind(object(), object())
    except TypeError:
        return [f"{where} must take one argument, the context"]
    return []


def _faults_of_words(cls: type[Plugin]) -> list[str]:
    found: list[str] = []
    name = cls.__name__
    if not isinstance(cls.name, str) or not _NAME.fullmatch(cls.name):
        found.append(f"{name}.name {cls.name!r} must be lower-case letters, digits and underscores")
    for word, kind in _ENUMS.items():
        value = getattr(cls, word)
        try:
            setattr(cls, word, kind(value))
        except ValueError:
            allowed = ", ".join(repr(str(v)) for v in kind)  # type: ignore[attr-defined]
            near = suggestion(str(value), [str(v) for v in kind])  # type: ignore[attr-defined]
            found.append(f"{name}.{word} {value!r} is none of {allowed}{near}")
    found += [
        f"{name}.{word} must be True or False" for word in _FLAGS if type(getattr(cls, word)) is not bool
    ]
    if not isinstance(cls.cost, Cost):
        found.append(f"{name}.cost must be one of {', '.join(f'Cost.{c.name}' for c in Cost)}")
    limit = cls.timeout
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 < limit <= MAX_TIMEOUT:
        found.append(f"{name}.timeout {limit!r} must be more than 0 and at most {MAX_TIMEOUT:.0f} seconds")
    for word, value in (("needs", cls.needs), ("tells", cls.tells)):
        if not isinstance(value, tuple) or not all(isinstance(kind, type) for kind in value):
            found.append(f"{name}.{word} must be a tuple of types")
    if not isinstance(cls.public, str) or not cls.public.isprintable():
        found.append(f"{name}.public must be one printable sentence")
    if cls.scope == Scope.GATEWAY:
        found += [
            f"{name}.{hook} cannot be asked under Scope.GATEWAY (only {', '.join(sorted(GATEWAY_HOOKS))})"
            for hook in hooks_of(cls)
            if hook not in GATEWAY_HOOKS
        ]
    return found


def _faults_of_settings(cls: type[Plugin]) -> list[str]:
    model = cls.settings
    if not (isinstance(model, type) and issubclass(model, PluginSettings)):
        return [f"{cls.__name__}.settings must be a class made from PluginSettings"]
    found = [
        f"{cls.__name__}: a setting cannot be called {field!r}, every plugin has that key"
        for field in model.model_fields
        if field in RESERVED
    ]
    try:
        model()
    except ValidationError as error:
        found += [f"{cls.__name__}: default of {_place(e)}: {e['msg']}" for e in error.errors()]
    return found


def _place(error: Any) -> str:
    return ".".join(str(part) for part in error["loc"]) or "the settings"
