"""Let Rspamd judge."""

from __future__ import annotations

import json
from typing import Any

from pydantic import Field, SecretStr

from gatepost.plugin import Context, Cost, Plugin, PluginSettings, Score, Verdict
from gatepost.plugin.base import MACHINE
from gatepost.plugin.lesson import Lesson
from gatepost.plugin.outside import OutsideError
from gatepost.plugin.proof import Answer, answer
from gatepost.plugin.scanners import Breaker

MAX_SYMBOLS = 40


class Settings(PluginSettings):
    """Where Rspamd is, and what its answers become."""

    urls: tuple[str, ...] = Field(default=(), max_length=10, json_schema_extra=MACHINE)
    """Its normal workers; the first that works is asked; empty: that of gatepost.toml."""
    password: SecretStr = SecretStr("")
    """Where the worker wants one."""
    factor: float = Field(default=0.5, ge=0, le=10)
    """Points here for one point there: Rspamd refuses from 15."""
    most: float = Field(default=15.0, ge=0, le=100)
    """Points that it gives at most, either way."""
    reject: Answer = "refuse"
    """It says `reject`."""
    soft_reject: Answer = "defer"
    """It says `soft reject`: later."""
    max_size: int = Field(default=10 << 20, ge=1024, le=100 << 20)
    """Bytes above which a message is not scanned."""
    seconds: float = Field(default=20.0, gt=0, le=120)
    """How long one Rspamd may take."""
    learn: bool = False
    """Teach it what the domain's people train; its Bayes is one for all unless it is set up otherwise."""
    controller: str = Field(default="http://127.0.0.1:11334", max_length=300, json_schema_extra=MACHINE)
    """Its controller, which learns."""

    @property
    def wants_lessons(self) -> bool:
        return self.learn


class Rspamd(Plugin):
    """Ask Rspamd about the message, with all that is known of its envelope.

    It gets the client's address and name, HELO, sender and recipient, so its own checks of the
    connection work as if it stood at the door; each symbol stands in the journal with its points. It
    errs where its own lists and neural nets err; so its points count half by default, and only what it
    calls `reject` is refused.
    """

    settings = Settings
    cost = Cost.NETWORK
    timeout = 60.0
    public = "Message looks like spam"

    def __init__(self) -> None:
        self._breaker = Breaker()

    async def message(self, ctx: Context[Settings]) -> Verdict | tuple[Verdict, ...] | None:
        settings, raw = ctx.settings, ctx.message.body or b""
        if len(raw) > settings.max_size:
            return Score(0, f"not scanned: {len(raw)} bytes, more than {settings.max_size}")
        headers = _headers(ctx)

        async def ask(url: str) -> dict[str, Any]:
            said = await ctx.http("POST", f"{url.rstrip('/')}/checkv2", headers, raw)
            if said.status != 200:
                raise OutsideError(f"Rspamd answered {said.status}")
            return read_answer(said.body)

        urls = settings.urls or ctx.scanner(self.name)
        said = await self._breaker.ask(urls, ask, ctx.now, settings.seconds, ctx.alert)
        score, action = float(said["score"]), str(said["action"])
        words = f"Rspamd {score:g}, {action}: {symbols(said)}"
        if action == "reject" and settings.reject != "ignore":
            return answer(settings.reject, words, self.public)
        if action == "soft reject" and settings.soft_reject != "ignore":
            return answer(settings.soft_reject, words, self.public)
        points = max(-settings.most, min(settings.most, score * settings.factor))
        return Score(round(points, 2), words)

    async def teach(self, lesson: Lesson[Settings]) -> None:
        settings = lesson.settings
        url = f"{settings.controller.rstrip('/')}/{'learnspam' if lesson.spam else 'learnham'}"
        headers = {"Deliver-To": lesson.domain}
        if settings.password.get_secret_value():
            headers["Password"] = settings.password.get_secret_value()
        said = await lesson.http("POST", url, headers, lesson.raw)
        if said.status != 200 and b"already learned" not in said.body:  # with 208 or 404, by its version
            # 204: it has no statistics set up to learn into.
            raise OutsideError(f"Rspamd answered {said.status} {said.body[:100].decode('utf-8', 'replace')}")


def _headers(ctx: Context[Settings]) -> dict[str, str]:
    session, transaction = ctx.session, ctx.transaction
    found = {
        "IP": session.client,
        "Helo": session.helo,
        "From": ctx.sender.text if ctx.sender is not None else "<>",
        "Deliver-To": ctx.domain,
        "Queue-Id": transaction.id,
    }
    if session.host and session.host_confirmed:
        found["Hostname"] = session.host
    mine = [one.text for one in ctx.recipients if one.domain == ctx.domain]
    if mine:
        found["Rcpt"] = mine[0]
    if ctx.settings.password.get_secret_value():
        found["Password"] = ctx.settings.password.get_secret_value()
    return {
        name: "".join(c if c.isprintable() and c.isascii() else "?" for c in value)
        for name, value in found.items()
    }


def read_answer(body: bytes) -> dict[str, Any]:
    """Return Rspamd's answer; OutsideError for what is none."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise OutsideError(f"Rspamd said {body[:100]!r}") from error
    if not isinstance(said, dict) or not isinstance(said.get("action"), str):
        raise OutsideError(f"Rspamd said {body[:100]!r}")
    score = said.get("score")
    if isinstance(score, bool) or not isinstance(score, int | float) or not -1e6 < score < 1e6:
        raise OutsideError("Rspamd gave no score")
    return said


def symbols(said: dict[str, Any]) -> str:
    """Return `NAME(points)` of each symbol, the strongest first."""
    found = said.get("symbols")
    each: list[tuple[float, str]] = []
    for name, one in found.items() if isinstance(found, dict) else ():
        points = one.get("score", 0) if isinstance(one, dict) else 0
        if isinstance(points, int | float):
            each.append(
                (float(points), "".join(c if c.isalnum() or c in "_-" else "?" for c in str(name))[:60])
            )
    each.sort(key=lambda one: -abs(one[0]))
    return ", ".join(f"{name}({points:g})" for points, name in each[:MAX_SYMBOLS]) or "no symbol"
