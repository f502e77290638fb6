"""Slow down clients that come too often."""

from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network

from pydantic import Field, field_validator

from gatepost.plugin import (
    Context,
    Defer,
    DomainPolicy,
    Mode,
    Plugin,
    PluginSettings,
    Scope,
    Verdict,
    client_net,
)

LIMITS = {
    "connect": ("connections", "unknown_recipients"),
    "mail": ("messages",),
    "rcpt": ("recipients", "unknown_recipients"),
    "done": ("unknown_recipients",),
}
"""Which hook has work under which limit."""


class Settings(PluginSettings):
    """Counts per client within `window`; 0 is no limit (Postfix' default for its anvil rates too)."""

    window: int = Field(default=60, ge=1, le=86_400)
    """Seconds within which is counted."""
    connections: int = Field(default=0, ge=0)
    """Connections of one client; the next one gets 421."""
    messages: int = Field(default=0, ge=0)
    """Messages of one client; the next MAIL gets 450."""
    recipients: int = Field(default=0, ge=0)
    """Recipients of one client; the next RCPT gets 452."""
    unknown_recipients: int = Field(default=0, ge=0)
    """Recipients of one client that do not exist; after that its RCPT gets 450 and new connections 421."""
    exempt: tuple[str, ...] = ()
    """Networks that are never counted: our own hosts, backup MX, monitors."""

    @field_validator("exempt")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ip_network(one)) for one in value)

    @cached_property
    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The exempt networks, read once per snapshot."""
        return tuple(ip_network(one) for one in self.exempt)


class ClientRate(Plugin):
    """Count connections, messages, recipients and unknown recipients of each client.

    A real mail server that is put off comes again in some minutes; a machine that sends
    spam or tries names from a dictionary mostly has to be done before it is found out. So a limit
    costs honest senders a delay and the others their trade. It errs with large providers that
    send from few addresses, so set limits above your busiest minute, or exempt those. A client
    is an IPv4 address or an IPv6 /64, which is what one customer gets. It acts for the whole
    machine and before a recipient is known, so there is no switch per domain.
    """

    settings = Settings
    scope = Scope.GATEWAY
    default_mode = Mode.ON
    public = "You come too often, try again later"

    def has_work(self, hook: str, settings: Settings, policy: DomainPolicy | None) -> bool:
        return any(getattr(settings, name) > 0 for name in LIMITS[hook])

    async def connect(self, ctx: Context[Settings]) -> Verdict | None:
        settings = ctx.settings
        if _exempt(ctx):
            return None
        if await _over(ctx, "connections", settings.connections, 1):
            return Defer("too many connections", "Too many connections from you", 421, "4.7.0")
        if await _over(ctx, "unknown_recipients", settings.unknown_recipients, 0):
            return Defer("too many unknown recipients", "Too many unknown recipients from you", 421, "4.7.0")
        return None

    async def mail(self, ctx: Context[Settings]) -> Verdict | None:
        if _exempt(ctx) or not await _over(ctx, "messages", ctx.settings.messages, 1):
            return None
        return Defer("too many messages", "Too many messages from you", 450, "4.7.1")

    async def rcpt(self, ctx: Context[Settings]) -> Verdict | None:
        settings = ctx.settings
        if _exempt(ctx):
            return None
        if await _over(ctx, "recipients", settings.recipients, 1):
            return Defer("too many recipients", "Too many recipients from you", 452, "4.5.3")
        if await _over(ctx, "unknown_recipients", settings.unknown_recipients, 0):
            return Defer("too many unknown recipients", "Too many unknown recipients from you", 450, "4.7.1")
        return None

    async def done(self, ctx: Context[Settings]) -> None:
        outcome = ctx.outcome
        if outcome is not None and outcome.enhanced == "5.1.1" and not _exempt(ctx):
            await ctx.state.add(
                f"unknown_recipients {client_net(ctx.session.client)}", 1, ctx.settings.window
            )


async def _over(ctx: Context[Settings], what: str, limit: int, n: int) -> bool:
    """Count `n` more and return True when the limit is passed (with 0: when it is reached)."""
    if limit == 0:
        return False
    count = await ctx.state.add(f"{what} {client_net(ctx.session.client)}", n, ctx.settings.window)
    return count > limit if n else count >= limit


def _exempt(ctx: Context[Settings]) -> bool:
    return bool(ctx.settings.exempt) and ctx.client_in(ctx.settings.networks)
