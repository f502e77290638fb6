"""Let SpamAssassin give points."""

from __future__ import annotations

import re

from pydantic import Field

from gatepost.plugin import Context, Cost, Plugin, PluginSettings, Score, Verdict
from gatepost.plugin.base import MACHINE
from gatepost.plugin.lesson import Lesson
from gatepost.plugin.outside import OutsideError
from gatepost.plugin.scanners import Breaker, ScannerAddress, read_all

MAX_ANSWER = 65_536
_SPAM = re.compile(
    rb"^Spam: (?:True|False|Yes|No) ; (-?[0-9]{1,6}(?:\.[0-9]+)?) / (-?[0-9.]{1,8})\s*$", re.MULTILINE | re.I
)
_HEAD = re.compile(rb"SPAMD/[0-9.]+ (\d+) (\S+)")


class Settings(PluginSettings):
    """Where spamd is, and what its points are worth."""

    addresses: tuple[ScannerAddress, ...] = Field(default=(), max_length=10, json_schema_extra=MACHINE)
    """Where spamd listens, `host:port` or `unix:/path`; the first that works.

    Empty: that of gatepost.toml."""
    factor: float = Field(default=1.0, ge=0, le=10)
    """Points here for one point there."""
    most: float = Field(default=15.0, ge=0, le=100)
    """Points that it gives at most, either way."""
    max_size: int = Field(default=512_000, ge=1024, le=10 << 20)
    """Bytes of the message that it gets: spam is small, and rules are slow."""
    user: str = Field(default="", max_length=200, json_schema_extra=MACHINE)
    """User whose preferences and Bayes it takes; empty: the domain's name."""
    seconds: float = Field(default=20.0, gt=0, le=120)
    """How long one spamd may take."""
    learn: bool = False
    """Teach its Bayes what the domain's people train (spamd needs `--allow-tell`)."""

    @property
    def wants_lessons(self) -> bool:
        return self.learn


class Spamassassin(Plugin):
    """Ask spamd what SpamAssassin's rules and its Bayes make of the message, with the domain as the user.

    Hundreds of rules that people wrote over twenty years see what a learner has not met yet. It errs
    with newsletters and odd programs, so it gives points here and does not refuse by itself.
    """

    settings = Settings
    cost = Cost.NETWORK
    timeout = 60.0
    public = "Message looks like spam"

    def __init__(self) -> None:
        self._breaker = Breaker()

    async def message(self, ctx: Context[Settings]) -> Verdict | None:
        settings = ctx.settings
        request = spamc(
            "SYMBOLS", (ctx.message.body or b"")[: settings.max_size], settings.user or ctx.domain
        )

        async def ask(address: str) -> tuple[float, float, str]:
            async with ctx.stream(address) as (reader, writer):
                writer.write(request)
                if writer.can_write_eof():
                    writer.write_eof()
                await writer.drain()
                return read_symbols(await read_all(reader, MAX_ANSWER))

        score, required, tests = await self._breaker.ask(
            settings.addresses or ctx.scanner(self.name), ask, ctx.now, settings.seconds, ctx.alert
        )
        points = max(-settings.most, min(settings.most, score * settings.factor))
        return Score(round(points, 2), f"SpamAssassin {score:g} of {required:g}: {tests or 'no test'}")

    async def teach(self, lesson: Lesson[Settings]) -> None:
        settings = lesson.settings
        kind = "spam" if lesson.spam else "ham"
        more = f"Message-class: {kind}\r\nSet: local\r\n"
        request = spamc("TELL", lesson.raw[: settings.max_size], settings.user or lesson.domain, more)
        (address, *_) = settings.addresses or lesson.scanner("spamassassin")
        async with lesson.stream(address) as (reader, writer):
            writer.write(request)
            if writer.can_write_eof():
                writer.write_eof()
            await writer.drain()
            read_told(await read_all(reader, MAX_ANSWER))


def read_told(said: bytes) -> None:
    """Say nothing where a TELL was done; OutsideError where it was not."""
    found = _HEAD.match(said)
    if found is None:
        raise OutsideError(f"spamd said {said[:200]!r}")
    if found[1] != b"0":
        raise OutsideError(f"spamd said {found[2][:100].decode('ascii', 'replace')}")


def spamc(method: str, raw: bytes, user: str, more: str = "") -> bytes:
    """Return a request of the SPAMC protocol (1.5)."""
    name = re.sub(r"[^A-Za-z0-9@._-]", "_", user)[:200]
    head = f"{method} SPAMC/1.5\r\nContent-length: {len(raw)}\r\nUser: {name}\r\n{more}\r\n"
    return head.encode("ascii") + raw


def read_symbols(said: bytes) -> tuple[float, float, str]:
    """Return (score, required, names of tests); OutsideError for what is no answer."""
    head, border, body = said.partition(b"\r\n\r\n")
    found = _HEAD.match(head)
    if found is None or not border:
        raise OutsideError(f"spamd said {said[:200]!r}")
    if found[1] != b"0":
        raise OutsideError(f"spamd said {found[2][:100].decode('ascii', 'replace')}")
    spam = _SPAM.search(head)
    if spam is None:
        raise OutsideError("spamd gave no score")
    names = re.findall(rb"[A-Za-z0-9_]{1,60}", body)[:40]
    return float(spam[1]), float(spam[2]), ",".join(name.decode("ascii") for name in names)
