"""Finds the plugins: shipped ones, files in a folder, entry points.

A plugin that does not load never stops the others and does not vanish: it stands in the list
with its error, and where a domain has it on, its `on_failure` is followed for each mail. The
folder must not be writable by the service, or who breaks into a worker stays for good.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import pkgutil
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from gatepost.plugin.base import Plugin, PluginSettings, Scope, snake_case
from gatepost.plugin.context import Context
from gatepost.plugin.hooks import RESERVED, faults, suggestion
from gatepost.policy.lists import Lists
from gatepost.policy.policy import Action, Mode, OnFailure, PluginPolicy
from gatepost.policy.settings import PluginDefaults, is_secret

BUILT_IN = "built-in"
PACKAGE = "gatepost.plugins"
MOST = 200
"""Plugins that stand in the list for a folder which is refused."""
GROUP = "gatepost.plugins"
"""Entry points of other distributions."""


class PluginError(Exception):
    """A plugin did not load."""


class BrokenPlugin(Plugin):
    """Stands in for a plugin that did not load: it cannot answer, so `on_failure` is followed."""

    settings = PluginSettings

    def __init__(self, error: str) -> None:
        self._error = error
        self.known = False
        """It loaded before, or its class is there: `unskippable` is its author's word."""

    def rcpt(self, _ctx: Context[PluginSettings]) -> None:
        raise PluginError(f"did not load: {self._error}")


@dataclass(frozen=True, slots=True)
class Loaded:
    """One plugin as it was found."""

    name: str
    plugin: Plugin
    origin: str
    """`built-in`, a file, or `entry point NAME`."""
    index: int
    """From 1; what a worker's board shows while it runs."""
    built_in: bool = False
    error: str = ""
    """Why it did not load; shown in red."""

    @property
    def may_be_unskippable(self) -> bool:
        """False where an allow entry surely leads past it; of what never loaded nobody knows."""
        return self.plugin.unskippable or (isinstance(self.plugin, BrokenPlugin) and not self.plugin.known)


class Registry:
    """All plugins of a process, in a fixed order. Frozen: a re-load makes a new one."""

    def __init__(self, found: Iterable[tuple[str, Plugin, str, str]]) -> None:
        self.problems: list[str] = []
        """What has no plugin's name: a folder, a second plugin of the same name, a shipped one replaced."""
        kept: dict[str, tuple[str, Plugin, str, str]] = {}
        for one in found:
            name, _, origin, _ = one
            first = kept.setdefault(name, one)
            if first is one:
                continue
            if first[2] == BUILT_IN and origin.endswith(".py"):
                kept[name] = one  # /etc goes before what is shipped, as everywhere
                self.problems.append(f"{origin} stands in the place of the shipped plugin {name!r}")
            else:
                self.problems.append(f"{origin}: there is a plugin {name!r} already, from {first[2]}")
        self._loaded = tuple(
            Loaded(name, plugin, origin, n, origin == BUILT_IN, error)
            for n, (name, plugin, origin, error) in enumerate(kept.values(), 1)
        )
        self._by_name = {one.name: one for one in self._loaded}
        self.unskippable = frozenset(one.name for one in self._loaded if one.plugin.unskippable)
        """Plugins that a general allow entry does not lead past."""

    def __iter__(self) -> Iterator[Loaded]:
        return iter(self._loaded)

    def __len__(self) -> int:
        return len(self._loaded)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> Loaded:
        """Return a plugin; KeyError with a suggestion."""
        try:
            return self._by_name[name]
        except KeyError:
            raise KeyError(f"no plugin {name!r}{suggestion(name, self._by_name)}") from None

    def get(self, name: str) -> Loaded | None:
        """Return a plugin or None."""
        return self._by_name.get(name)

    def by_index(self, index: int) -> str:
        """Return the name of the plugin that a board shows, "" for none."""
        return self._loaded[index - 1].name if 0 < index <= len(self._loaded) else ""

    def gateway(self) -> tuple[Loaded, ...]:
        """Return the plugins without a switch per domain."""
        return tuple(one for one in self._loaded if one.plugin.scope is Scope.GATEWAY)

    def errors(self) -> dict[str, str]:
        """Return plugin (or place) -> why it did not load."""
        return {one.name: one.error for one in self._loaded if one.error}

    def defaults(self) -> Mapping[str, PluginDefaults]:
        """Return what the policy needs to know of each plugin."""
        return {
            one.name: PluginDefaults(
                name=one.name,
                mode=one.plugin.default_mode,
                action=one.plugin.default_action,
                on_failure=one.plugin.on_failure,
                validate=_anything if one.error else one.plugin.settings.model_validate,
                fields=tuple(one.plugin.settings.model_fields),
                scope=str(one.plugin.scope),
            )
            for one in self._loaded
        }


def own_policy(loaded: Loaded) -> PluginPolicy:
    """Return a plugin as its author made it, where nobody set anything."""
    plugin = loaded.plugin
    return PluginPolicy(
        loaded.name,
        plugin.default_mode,
        plugin.default_action,
        plugin.on_failure,
        plugin.settings(),
        "{}",
        Lists.EMPTY,
    )


def _anything(_values: dict[str, Any]) -> PluginSettings:
    """Settings of a plugin that did not load are kept unread: they are right again when it loads."""
    return PluginSettings()


def explain_faults(name: str, model: type[PluginSettings], error: ValueError) -> list[str]:
    """Return a sentence for each fault in settings: key, reason, what is allowed, suggestion."""
    if not isinstance(error, ValidationError):
        return [f"{name}: {error}"]
    said: list[str] = []
    for fault in error.errors():
        place = ".".join(str(part) for part in fault["loc"])
        key = f"{name}.{place}" if place else name
        if fault["type"] == "extra_forbidden" and len(fault["loc"]) == 1:
            near = suggestion(place, (*model.model_fields, *RESERVED))
            allowed = "" if near else f"; its settings are {', '.join(sorted(model.model_fields)) or 'none'}"
            said.append(f"{key}: {name} has no setting {place!r}{near or allowed}")
        else:
            given = "" if is_secret(place.partition(".")[0]) else f", not {fault['input']!r:.80}"
            said.append(f"{key}: {fault['msg']}{given}")
    return said


# -- finding -----------------------------------------------------------------------------------


def load(
    folder: str | Path | None = None,
    *,
    entries: bool = True,
    previous: Registry | None = None,
    check_folder: bool = True,
) -> Registry:
    """Find all plugins. `previous` is the registry before a re-load: one that broke keeps its defaults."""
    found: list[tuple[str, Plugin, str, str]] = []
    problems: list[str] = []
    refused: list[tuple[str, Plugin, str, str]] = []
    found += [_try(name, origin, loader, previous) for name, origin, loader in _built_in()]
    if folder:
        place = Path(folder)
        problem = folder_problem(place) if check_folder else ""
        if problem:
            problems.append(problem)
            refused = list(_not_read(place, problem, previous))
        else:
            found += [_try(name, origin, loader, previous) for name, origin, loader in _files(place)]
    if entries:
        found += [_try(name, origin, loader, previous) for name, origin, loader in _entries()]
    there = {name for name, *_ in found}
    registry = Registry([*found, *(one for one in refused if one[0] not in there)])
    registry.problems += problems
    return registry


def _not_read(
    folder: Path, problem: str, previous: Registry | None
) -> Iterator[tuple[str, Plugin, str, str]]:
    """Yield what stands for the plugins of a folder that is refused: they do not vanish, nor run.

    Who may write there gets no more by a file's name: it takes no other plugin's place.
    """
    if folder.is_dir():
        for name, origin, _ in islice(_files(folder), MOST):
            yield name, _broken(name, problem, None, previous), origin, problem


Loader = Callable[[], type[Plugin]]


def _built_in() -> Iterator[tuple[str, str, Loader]]:
    package = importlib.import_module(PACKAGE)
    for module in pkgutil.iter_modules(package.__path__):
        if not module.name.startswith("_"):
            yield module.name, BUILT_IN, _from_module(f"{PACKAGE}.{module.name}")


def _from_module(name: str) -> Loader:
    return lambda: the_plugin(importlib.import_module(name))


def _files(folder: Path) -> Iterator[tuple[str, str, Loader]]:
    for path in sorted(folder.glob("*.py")):
        if not path.name.startswith(("_", ".", "test_")):
            yield snake_case(path.stem), str(path), _from_file(path)


def _from_file(path: Path) -> Loader:
    return lambda: the_plugin(load_file(path))


def _entries() -> Iterator[tuple[str, str, Loader]]:
    for point in entry_points(group=GROUP):

        def loader(point: Any = point) -> type[Plugin]:
            thing = point.load()
            if isinstance(thing, ModuleType):
                return the_plugin(thing)
            if isinstance(thing, type) and issubclass(thing, Plugin):
                return thing
            raise PluginError(f"{point.value} is no Plugin")

        yield snake_case(point.name), f"entry point {point.name}", loader


def load_file(path: Path) -> ModuleType:
    """Run a plugin's file and return its module."""
    name = f"gatepost_plugin_{snake_case(path.stem)}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PluginError(f"{path} cannot be read as Python")
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(name)
    sys.modules[name] = module
    try:
        # Never from a cached .pyc: a file changed twice within a second must be read again.
        source = path.read_bytes()
        exec(compile(source, str(path), "exec"), module.__dict__)  # noqa: S102 - running the file is the purpose
    except BaseException:
        if before is not None:
            sys.modules[name] = before
        else:
            del sys.modules[name]
        raise
    return module


def the_plugin(module: ModuleType) -> type[Plugin]:
    """Return the one plugin class of a module."""
    own = [
        thing
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, Plugin) and thing.__module__ == module.__name__
    ]
    if not own:
        raise PluginError("there is no class made from Plugin in it")
    if len(own) > 1:
        raise PluginError(f"one file is one plugin, here are {', '.join(c.__name__ for c in own)}")
    return own[0]


def _try(name: str, origin: str, loader: Loader, previous: Registry | None) -> tuple[str, Plugin, str, str]:
    cls: type[Plugin] | None = None
    try:
        cls = loader()
        wrong = faults(cls)
        if wrong:
            raise PluginError("; ".join(wrong))
        return cls.name, cls(), origin, ""
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a plugin that does not load must not stop the server
        text = str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
        if cls is not None and isinstance(cls.name, str) and cls.name != "plugin":
            name = cls.name
        return name, _broken(name, text, cls, previous), origin, text


def _broken(name: str, error: str, cls: type[Plugin] | None, previous: Registry | None) -> BrokenPlugin:
    """Return a stand-in with the switches of the plugin that it stands for, as far as they are known."""
    plugin = BrokenPlugin(error)
    before = previous.get(name) if previous is not None else None
    model: Any = cls if cls is not None else before.plugin if before is not None else None
    plugin.name = name  # type: ignore[misc]  # this one instance speaks for the missing class
    for word, kind in (("default_mode", Mode), ("default_action", Action), ("on_failure", OnFailure)):
        try:
            setattr(plugin, word, kind(getattr(model, word)))
        except (ValueError, AttributeError):
            pass  # the very word is what is wrong, or nothing is known: the careful default of `Plugin`
    said = getattr(model, "unskippable", None)
    plugin.known = isinstance(said, bool) and getattr(model, "known", True)
    plugin.unskippable = said is True  # type: ignore[misc]
    return plugin


def folder_problem(folder: Path) -> str:
    """Return why plugins are not read from a folder, "" when they may be (or when there is none)."""
    if not folder.exists():
        return ""
    if not folder.is_dir():
        return f"{folder}: not a folder"
    for path in (folder, *sorted(folder.glob("*.py"))):
        mode = path.stat().st_mode
        if mode & stat.S_IWOTH:
            return f"{path}: anyone can write it, so no plugin is read from {folder} (chmod o-w)"
        if os.geteuid() != 0 and os.access(path, os.W_OK):
            return f"{path}: the service itself can write it, so no plugin is read from {folder} (chmod a-w)"
    return ""
