"""Refuse mail in which ClamAV finds something."""

from __future__ import annotations

import struct

from pydantic import Field

from gatepost.plugin import Context, Cost, OnFailure, Plugin, PluginSettings, Score, Verdict
from gatepost.plugin.base import MACHINE
from gatepost.plugin.outside import OutsideError
from gatepost.plugin.proof import Answer, answer
from gatepost.plugin.scanners import Breaker, ScannerAddress

PIECE = 65_536
MAX_ANSWER = 4_096


class Settings(PluginSettings):
    """Where clamd is, and what becomes of what it finds."""

    addresses: tuple[ScannerAddress, ...] = Field(default=(), max_length=10, json_schema_extra=MACHINE)
    """Where clamd listens, `unix:/path` or `host:port`; the first that works.

    Empty: that of gatepost.toml."""
    found: Answer = "refuse"
    """It found a signature of malware."""
    heuristics: Answer = 4.0
    """It found something by a rule of thumb (`Heuristics.*`): encrypted archives, phishing, broken files."""
    max_size: int = Field(default=25 << 20, ge=1024, le=1 << 30)
    """Bytes above which a message is not scanned: clamd's own StreamMaxLength must not be less."""
    seconds: float = Field(default=20.0, gt=0, le=120)
    """How long one clamd may take."""


class Clamav(Plugin):
    """Have ClamAV look into the message and all that is in it, before it is accepted.

    Malware comes as files that thousands got before; their signatures are known within hours. clamd
    unpacks archives and mail in mail by itself. It errs rarely with signatures (unofficial ones more
    often), and knows nothing that is new today. A general allow entry does not lead past it. Where clamd
    does not answer mail waits (451) instead of passing unseen; `clamav.on_failure=pass` says otherwise.
    """

    settings = Settings
    cost = Cost.NETWORK
    timeout = 60.0
    on_failure = OnFailure.DEFER
    unskippable = True
    public = "Message contains malware"

    def __init__(self) -> None:
        self._breaker = Breaker()

    async def message(self, ctx: Context[Settings]) -> Verdict | None:
        settings, raw = ctx.settings, ctx.message.body or b""
        if len(raw) > settings.max_size:
            return Score(0, f"not scanned: {len(raw)} bytes, more than {settings.max_size}")

        async def instream(address: str) -> str:
            async with ctx.stream(address) as (reader, writer):
                writer.write(b"zINSTREAM\0")
                for at in range(0, len(raw), PIECE):
                    piece = raw[at : at + PIECE]
                    writer.write(struct.pack("!I", len(piece)) + piece)
                    await writer.drain()
                writer.write(b"\0\0\0\0")
                await writer.drain()
                return found_in(await reader.readuntil(b"\0"))

        addresses = settings.addresses or ctx.scanner(self.name)
        found = await self._breaker.ask(addresses, instream, ctx.now, settings.seconds, ctx.alert)
        if not found:
            return None
        what = settings.heuristics if found.startswith("Heuristics.") else settings.found
        return answer(what, f"ClamAV: {found}", self.public)


def found_in(said: bytes) -> str:
    """Return the name of what was found, "" for nothing; OutsideError for what is no answer."""
    text = said[:MAX_ANSWER].rstrip(b"\0").decode("utf-8", "replace")
    _, colon, rest = text.partition(": ")
    if colon and rest == "OK":
        return ""
    if colon and rest.endswith(" FOUND"):
        return "".join(c if c.isprintable() else "?" for c in rest.removesuffix(" FOUND"))[:200]
    raise OutsideError(f"clamd said {text[:200]!r}")
