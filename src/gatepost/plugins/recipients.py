"""Refuse mail for recipients that do not exist."""

from collections.abc import Coroutine

from gatepost.plugin import (
    Context,
    Cost,
    Defer,
    DomainPolicy,
    Mode,
    OnFailure,
    Plugin,
    PluginSettings,
    Reject,
    Scope,
    Verdict,
)

ALWAYS_THERE = frozenset({"postmaster", "abuse"})
"""RFC 5321, 4.5.1 and RFC 2142, 4: each domain has them."""
UNKNOWN = Reject("no such recipient", "No such recipient here", 550, "5.1.1")
CLOSED = Reject("the recipient is on the list of invalid ones", "No such recipient here", 550, "5.1.1")
NOT_THERE = Reject("the domain's server does not know the recipient", "No such recipient here", 550, "5.1.1")
NO_ANSWER = Defer(
    "the domain's server cannot be asked about the recipient", "Cannot verify the recipient now", 451, "4.4.1"
)


Answer = Verdict | Coroutine[object, object, Verdict | None] | None


class Recipients(Plugin):
    """Know who is there: a list of local parts, a wildcard, or a question to the domain's server.

    Most mail to a domain that has been in use for years is for people who were never there:
    dictionary attacks and bounces of forged mail. Refused at RCPT it costs next to nothing, and
    a sender who mistyped is told at once. An invalid entry beats a valid one and the wildcard, so
    one address of a catch-all can be closed. A recipient may take mail from some clients only.
    With `recipients=callout` who is not on the list is asked of the domain's own server (and the
    answer kept); while that does not answer, mail waits (4xx) and is never refused.
    """

    settings = PluginSettings
    scope = Scope.RECIPIENT
    default_mode = Mode.ON
    on_failure = OnFailure.DEFER
    unskippable = True
    own_list = False
    public = "No such recipient here"

    def cost_in(self, policy: DomainPolicy) -> Cost:
        return Cost.NETWORK if policy.recipients == "callout" else Cost.MEMORY

    async def _callout(self, ctx: Context[PluginSettings]) -> Verdict | None:
        answer = await ctx.verify_recipient()
        if answer == "yes":
            return None
        return NOT_THERE if answer == "no" else NO_ANSWER

    def rcpt(self, ctx: Context[PluginSettings]) -> Answer:
        row = ctx.recipient_row
        if row is not None:
            if row.kind == "invalid":
                return CLOSED
            if row.acl is None or ctx.client_in(row.acl):
                return None
            return Reject(
                f"{ctx.session.client} is not on the list of clients of this recipient",
                "Not accepted from here for this recipient",
            )
        mode = ctx.policy.recipients
        if mode == "any" or (ctx.recipient is not None and ctx.recipient.local.lower() in ALWAYS_THERE):
            return None
        return self._callout(ctx) if mode == "callout" else UNKNOWN
