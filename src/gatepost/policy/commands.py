"""Classic filters as commands (bogofilter, CRM114, SpamBayes): what one is, and what its answer means. Pure.

An administrator writes them down in gatepost.toml, `[scanner.commands.NAME]`; `plugin/commands.py` runs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal, get_args

Side = Literal["spam", "ham", "unsure"]
SIDES: tuple[Side, ...] = get_args(Side)


class AnswerError(ValueError):
    """A filter's answer is none."""


@dataclass(frozen=True)
class Command:
    """One filter, as the administrator wrote it down."""

    name: str
    classify: tuple[str, ...]
    """Program and arguments; `{data}` is the domain's folder, `{domain}` its name."""
    spam: tuple[str, ...] = ()
    """The same to teach it spam, and wanted mail; empty: it is not taught."""
    ham: tuple[str, ...] = ()
    prepare: tuple[str, ...] = ()
    """Run once, in the new folder of a domain."""
    exits: Mapping[int, Side] = field(default_factory=lambda: MappingProxyType({}))
    """What an exit status means; one that is not here is a failure, where no pattern is given."""
    pattern: str = ""
    """A regular expression on what it prints, with a group `verdict`, `score` or both."""
    spam_from: float = 0.9
    """Scores from which, and up to which, it is spam or wanted, where there is no group `verdict`."""
    ham_to: float = 0.1
    seconds: float = 10.0
    processes: int = 2
    """At once, in each worker."""
    memory: int = 512 << 20
    """Bytes of address space."""
    max_size: int = 1 << 20
    """Bytes of a message that it gets."""

    @cached_property
    def compiled(self) -> Any:
        """The pattern in linear time (RE2); ValueError where it cannot be."""
        import re2

        options = re2.Options()
        options.log_errors = False
        options.max_mem = 1 << 20
        try:
            return re2.compile("(?im)" + self.pattern, options)
        except re2.error as error:
            raise ValueError(f"{self.pattern!r:.80} is not a pattern: {error}") from None

    def judge(self, status: int, said: bytes) -> tuple[Side, float | None]:
        """Return what an answer means; AnswerError for what is none."""
        if not self.pattern:
            if status in self.exits:
                return self.exits[status], None
            raise AnswerError(f"{self.name} ended with status {status}")
        found = self.compiled.search(said.decode("utf-8", "replace"))
        if found is None:
            raise AnswerError(f"{self.name} ended with status {status} and said {said[:100]!r}")
        groups: dict[str, str | None] = found.groupdict()
        try:
            score = float(groups["score"] or "") if "score" in groups else None
        except ValueError:
            raise AnswerError(f"{self.name} gave no number: {groups['score']!r:.60}") from None
        if "verdict" in groups:
            return self._side(groups["verdict"] or ""), score
        assert score is not None  # a pattern without either is refused when the configuration is read
        return "spam" if score >= self.spam_from else "ham" if score <= self.ham_to else "unsure", score

    def _side(self, word: str) -> Side:
        for side in SIDES:
            if word and side.startswith(word.lower()):
                return side
        raise AnswerError(f"{self.name} said {word!r:.60}, not spam, ham or unsure")
