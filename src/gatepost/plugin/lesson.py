"""What a check is given that shall teach the filter behind it: a message, and the ways to that filter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from gatepost.plugin.base import PluginSettings
from gatepost.plugin.tools import ToolMissing, Tools
from gatepost.policy.policy import DomainPolicy, Mode
from gatepost.store.errands import Errands

S = TypeVar("S", bound=PluginSettings)


@dataclass(frozen=True, slots=True)
class Lesson(Generic[S]):
    """One message that a domain's people called spam or wanted."""

    settings: S
    domain: str
    raw: bytes
    spam: bool
    tools: Tools

    def scanner(self, name: str) -> tuple[str, ...]:
        """Return where a scanner is, by gatepost.toml, as in a context; ToolMissing where it is nowhere."""
        address = self.tools.scanners.get(name, "")
        if not address:
            raise ToolMissing(f"{name} is not available here: no address is set")
        return (address,)

    @property
    def stream(self) -> Callable[[str], AbstractAsyncContextManager[Any]]:
        """`async with lesson.stream("unix:/path") as (reader, writer)`, as in a context."""
        if self.tools.stream is None:
            raise ToolMissing("lesson.stream is not available here")
        return self.tools.stream

    @property
    def http(self) -> Callable[..., Awaitable[Any]]:
        """`await lesson.http("POST", url, headers, body)`, as in a context."""
        if self.tools.http is None:
            raise ToolMissing("lesson.http is not available here")
        return self.tools.http

    @property
    def commands(self) -> Any:
        """Filters that run as commands."""
        if self.tools.commands is None:
            raise ToolMissing("lesson.commands is not available here")
        return self.tools.commands


def learners(policy: DomainPolicy) -> list[str]:
    """Return the checks of a domain that teach what stands behind them."""
    return [
        name
        for name, one in policy.plugins.items()
        if one.mode is not Mode.OFF and getattr(one.settings, "wants_lessons", False)
    ]


def hand_out(
    errands: Errands, policy: DomainPolicy, names: Iterable[str], raws: Iterable[bytes], *, spam: bool
) -> str:
    """Write down what other filters shall learn; returns what went wrong: that takes no training back."""
    wanted = list(names)
    try:
        for raw in raws:
            for name in wanted:
                errands.put(policy.domain, name, raw, spam=spam)
    except OSError as error:
        return f"{', '.join(wanted)}: {error.strerror or error}"
    return ""
