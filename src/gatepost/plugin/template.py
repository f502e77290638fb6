"""The first version of a new plugin and of its test: thirty lines that work, to be changed."""

from __future__ import annotations

import re

from gatepost.plugin.base import snake_case

_PLUGIN = '''"""Refuse mail by words in its subject."""

from pydantic import Field

from gatepost.plugin import Context, DomainPolicy, Plugin, PluginSettings, Reject, Verdict


class Settings(PluginSettings):
    """What a domain can set."""

    words: tuple[str, ...] = Field(default=(), max_length=1000)
    """Words that a subject must not have, in any case."""


class {cls}(Plugin):
    """Look for words in the subject.

    Say here why it works: what real mail does, what spam does, when this errs.
    """

    settings = Settings

    def has_work(self, hook: str, settings: Settings, policy: DomainPolicy | None) -> bool:
        return bool(settings.words)

    def headers(self, ctx: Context[Settings]) -> Verdict | None:
        subject = ctx.message.subject.lower()
        for word in ctx.settings.words:
            if word.lower() in subject:
                return Reject(f"subject has {{word!r}}")
        return None
'''

_TEST = '''"""{name} refuses a subject with one of its words, and nothing else."""

import asyncio
from pathlib import Path

from gatepost.mail.message import Message
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.registry import load_file, the_plugin

PLUGIN = the_plugin(load_file(Path(__file__).with_name("{name}.py")))


def verdict(subject: str) -> object:
    """Return what the plugin says of a mail with this subject."""
    bench = Bench([PLUGIN])
    policy = bench.policy("example.org", {{"{name}": {{"mode": "on", "words": ["casino"]}}}})
    message = Message(f"Subject: {{subject}}\\r\\n\\r\\n".encode())
    (finding,) = asyncio.run(bench.ask_message(policy, message, Case()))
    return finding.verdict


def test_word_in_subject() -> None:
    """The reason names the word; case does not matter."""
    assert verdict("Best CASINO in town").reason == "subject has 'casino'"


def test_other_subject() -> None:
    """No opinion on anything else."""
    assert verdict("Minutes of the meeting") is None
'''


def names_of(name: str) -> tuple[str, str]:
    """Return (file and plugin name, class name) for what a person typed: `subject-words`, `SubjectWords`."""
    snake = snake_case(name.strip())
    if not re.fullmatch(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*", snake) or len(snake) > 40:
        raise ValueError(f"{name!r} is no name for a plugin: letters, digits and hyphens, a letter first")
    cls = "".join(part.capitalize() for part in snake.split("_"))
    return snake_case(cls), cls


def new_plugin(name: str) -> dict[str, str]:
    """Return file name -> text of a new plugin and its test."""
    snake, cls = names_of(name)
    return {
        f"{snake}.py": _PLUGIN.format(cls=cls),
        f"test_{snake}.py": _TEST.format(name=snake),
    }
