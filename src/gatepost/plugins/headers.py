"""Look at the form of a message: headers that are missing, doubled, odd or too many, and an empty body."""

from __future__ import annotations

from functools import cached_property

from pydantic import Field, field_validator

from gatepost.auth import facts
from gatepost.auth.author import authors
from gatepost.plugin import Context, DomainPolicy, Plugin, PluginSettings, Verdict
from gatepost.plugin.parts import MAX_LINES, Bounds, Oddity, oddities, shape, shown, troubles
from gatepost.plugin.patterns import MAX_PATTERNS, Pattern, PatternSet
from gatepost.plugin.proof import Answer, together

HOUR, DAY = 3_600.0, 86_400.0
MALFORMED = "5.6.0"
"""RFC 3463, 3.7: something is wrong with the message itself."""
OF_PARTS = ("ambiguous", "broken", "over_budget", "empty_body")
"""Findings for which the body is read."""


class Settings(PluginSettings):
    """What each finding becomes, and from where on it is one."""

    missing_date: Answer = 2.0
    """There is no Date."""
    odd_date: Answer = 1.0
    """The Date cannot be read."""
    future_date: Answer = 2.0
    """The Date lies ahead by more than `future_hours`."""
    future_hours: float = Field(default=24.0, gt=0, le=10_000)
    """Hours that a Date may lie ahead: clocks go wrong, and zones are forgotten."""
    old_date: Answer = 0.5
    """The Date lies back by more than `old_days`."""
    old_days: float = Field(default=30.0, gt=0, le=100_000)
    """Days that a Date may lie back; mail may wait in queues for a week."""
    missing_from: Answer = "refuse"
    """There is no From, or it is empty: RFC 5322, 3.6 demands one."""
    several_from: Answer = 3.0
    """There is more than one From: each program shows another one."""
    odd_from: Answer = 2.0
    """Programs differ on who From names; or an address begins with `-`, `|`, `_`, `!`, or has `@@`."""
    doubled: Answer = 1.0
    """A header that may stand once stands there more often."""
    missing_message_id: Answer = 1.0
    """There is no Message-ID: most servers add one where the sender's program did not."""
    odd_message_id: Answer = 1.0
    """The Message-ID is not of the form `<left@right>`."""
    bad_mailer: Answer = 0.5
    """The program that wrote the mail, as it says itself, is in `bad_mailers`."""
    bad_mailers: tuple[str, ...] = Field(default=("the bat", "^globomail$"), max_length=MAX_PATTERNS)
    """Regular expressions (RE2) for X-Mailer and User-Agent, whatever the case."""
    direct: Answer = 2.0
    """Written by one of `desktop_mailers`, but no server had it before us, signed it, or is in SPF."""
    desktop_mailers: tuple[str, ...] = Field(
        default=(
            *("outlook", "thunderbird", "the bat", "eudora", "foxmail", "incredimail", "becky"),
            *("windows (live )?mail", "(apple|iphone|ipad) mail", "k-?mail", "evolution"),
        ),
        max_length=MAX_PATTERNS,
    )
    """Regular expressions (RE2) for programs of people, which hand their mail to a server of their own."""
    mailman: Answer = "ignore"
    """A notice of Mailman that a post waits for approval (for domains whose people moderate no lists)."""
    empty_body: Answer = 1.0
    """Nothing stands behind the headers."""
    ambiguous: Answer = 2.0
    """Headers or parts can be read in more than one way: filters may see what readers do not."""
    broken: Answer = 1.0
    """Parts are not closed, or have a type or an encoding that nobody knows."""
    over_budget: Answer = "quarantine"
    """More headers, parts, depth, parameters or addresses than are read; the rest was not looked at."""
    most_lines: int = Field(default=MAX_LINES, ge=50, le=MAX_LINES)
    """Lines of headers, the empty one included, above which a message is over budget."""
    most_addresses: int = Field(default=2_000, ge=20, le=100_000)
    """Addresses in its headers."""
    most_parameters: int = Field(default=2_000, ge=20, le=100_000)
    """Parameters of all its parts (RFC 2231); mail servers behind have stumbled over many."""

    @field_validator("bad_mailers", "desktop_mailers")
    @classmethod
    def _usable(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        _patterns(value)
        return value

    @cached_property
    def mailers(self) -> tuple[PatternSet, PatternSet]:
        """Both lists, ready to be asked."""
        return _patterns(self.bad_mailers), _patterns(self.desktop_mailers)

    @cached_property
    def bounds(self) -> Bounds:
        """What is still taken."""
        return Bounds(self.most_lines, self.most_addresses, self.future_hours * HOUR, self.old_days * DAY)


def _patterns(listed: tuple[str, ...]) -> PatternSet:
    return PatternSet(Pattern(text, "regex") for text in listed)


class Headers(Plugin):
    """Look at the form of a message, which programs of real people get right.

    Every mail program writes Date, From and Message-ID, once each; what spams writes its headers by
    itself and gets some wrong: no date or one far ahead to stand on top of the list, two From, a name
    of a desktop program on what came straight from a stranger's address. A message that mail programs
    read in different ways is made to show a filter something else than the reader. Each finding is a
    setting. It errs with scripts, scanners and old list software, so most findings are points; those
    that no real mail has (no author) refuse. What is over budget was not read to its end, so it is held.
    """

    settings = Settings
    public = "Message is not well-formed"

    def has_work(self, hook: str, settings: Settings, policy: DomainPolicy | None) -> bool:
        """Where nothing is asked of the body it is not read."""
        return hook != "message" or any(getattr(settings, name) != "ignore" for name in OF_PARTS)

    def headers(self, ctx: Context[Settings]) -> Verdict | tuple[Verdict, ...] | None:
        settings = ctx.settings
        found = list(oddities(ctx.message, ctx.now, settings.bounds))
        ambiguous = authors(ctx.message).ambiguous
        if ambiguous and not ctx.message.ambiguous and not any(one.kind.endswith("_from") for one in found):
            found.append(Oddity("odd_from", f"From: {ambiguous} : {shown(ctx.message.get('From') or '')}"))
        found += self._mailers(ctx)
        return self._answer(settings, found)

    async def message(self, ctx: Context[Settings]) -> Verdict | tuple[Verdict, ...] | None:
        settings = ctx.settings
        said, parameters, empty = await shape(ctx)
        found = list(troubles(ctx.message, list(said), parameters, settings.most_parameters))
        if empty:
            found.append(Oddity("empty_body", "Empty body"))
        return self._answer(settings, found)

    def _mailers(self, ctx: Context[Settings]) -> list[Oddity]:
        message = ctx.message
        found: list[Oddity] = []
        bad, desktop = ctx.settings.mailers
        for name in ("X-Mailer", "User-Agent"):
            mailer = shown(message.get(name) or "")
            if not mailer:
                continue
            if bad.first(mailer) is not None:
                found.append(Oddity("bad_mailer", f"Bad mailer: {mailer}"))
            if desktop.first(mailer) is not None and message.get("Received") is None:
                spf = ctx.fact(facts.Spf)
                if message.get("DKIM-Signature") is None and (spf is None or spf.result != "pass"):
                    found.append(Oddity("direct", f"written by {mailer}, and came here without a server"))
        return found

    def _answer(self, settings: Settings, found: list[Oddity]) -> Verdict | tuple[Verdict, ...] | None:
        answers: list[tuple[Answer, str]] = [(getattr(settings, one.kind), one.text) for one in found]
        weighed = [one for one in answers if one[0] != "ignore"]
        return together(weighed or answers, self.public, MALFORMED, "", "4.7.1")
