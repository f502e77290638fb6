"""Bounces and other answers of machines: forged ones refused, all of them told apart."""

from typing import Literal

from gatepost.plugin import (
    AddHeader,
    BatvTag,
    Context,
    DomainPolicy,
    Kind,
    Plugin,
    Reject,
    Scope,
    Verdict,
    automatic,
)
from gatepost.plugin.batv import BatvSettings, check_tag, since_key

DAY = 86_400
HEADER = "X-Automatic-Mail"
Deed = Literal["pass", "tag", "quarantine", "defer", "reject"]
SEVERAL = Reject("null sender with several recipients", "A bounce has one recipient", 550, "5.7.1")
UNTAGGED = Reject(
    "bounce without a tag, to an address whose mail is signed",
    "This address did not send that mail",
    550,
    "5.7.1",
)


class Settings(BatvSettings):
    """What is refused as forged, and what becomes of each kind of automatic mail."""

    several: bool = True
    """Refuse mail with the null sender and more than one recipient."""
    bounces: Deed = "tag"
    """Bounces that are not refused: `tag` puts `X-Automatic-Mail: bounce` on them, to file them by."""
    challenges: Deed = "tag"
    """Mail that asks to confirm a mail before it is delivered (challenge/response), whatever its sender."""
    replies: Deed = "pass"
    """Answers of absent people and receipts."""


class Bounce(Plugin):
    """Refuse bounces of mail that was never sent, and mark or refuse what machines answer.

    Whoever forges a domain in the sender of his spam sends its bounces there, by the ten thousand. A
    real bounce goes to one return path, so one with several recipients is forged. Where outgoing
    mail is signed (BATV: the return path is `prvs=0123abcdef=ann@`), a real bounce comes back to that
    address within seven days, and nobody makes the tag without the key. Tags are stripped before
    anybody is looked up, also where this check is off. A bad or expired tag is refused with the null
    sender only: people and lists do write to the return path of a mail. A bounce without a tag is
    refused only to the addresses that are listed, after the data (so that the callouts of other
    servers, which end at RCPT, still work), and only after `batv_grace_days` of signing, since mail
    sent before has no tag. It errs where an address also sends by servers that do not sign, and where
    a bounce takes longer than a week: list only addresses whose mail all goes out by the signing door.

    Challenge/response mail has a real sender, so no tag helps; it is known by its headers and
    subject, which each such program chooses. A person's letter with the same subject is taken for
    one: think before `reject`.
    """

    settings = Settings
    scope = Scope.RECIPIENT
    tells = (BatvTag,)
    reads_body = False
    public = "This bounce answers no mail of ours"

    def has_work(self, hook: str, settings: Settings, policy: DomainPolicy | None) -> bool:
        """Without keys there are no tags to look at."""
        return hook != "rcpt" or bool(settings.batv_keys)

    async def rcpt(self, ctx: Context[Settings]) -> Verdict | None:
        named, settings = ctx.named, ctx.settings
        assert named is not None
        checked = check_tag(settings, named, ctx.now)
        if checked is None:
            return None
        ctx.tell(BatvTag(checked.valid, checked.reason))
        if checked.valid:
            await _signed(ctx)
            return None
        if ctx.sender is not None or not settings.batv:
            return None
        return Reject(f"bad BATV tag: {checked.reason}", "This address did not send that mail, or long ago")

    async def headers(self, ctx: Context[Settings]) -> Verdict | None:
        found, settings = automatic(ctx.message, null_sender=ctx.sender is None), ctx.settings
        tag = ctx.fact(BatvTag)
        if ctx.sender is None:
            if settings.several and len(set(ctx.recipients)) > 1:
                return SEVERAL
            if settings.batv and tag is None and await _must_be_tagged(ctx):
                return UNTAGGED
        if found is None:
            return None
        deed = {
            Kind.BOUNCE: settings.bounces,
            Kind.CHALLENGE: settings.challenges,
            Kind.REPLY: settings.replies,
        }[found.kind]
        if deed == "pass":
            return None
        if deed == "tag" or (tag is not None and tag.valid):
            return AddHeader(HEADER, f"{found.kind} ({found.why})")
        return Reject(f"{found.kind}: {found.why}", "Automatic answers are not accepted here", action=deed)


async def _signed(ctx: Context[Settings]) -> None:
    """A good tag came back: whoever signs, signing has begun."""
    assert ctx.recipient is not None
    key = since_key(ctx.recipient.key[0])
    if await ctx.records.get(key) is None:
        await ctx.records.put(key, {"since": ctx.now})


async def _must_be_tagged(ctx: Context[Settings]) -> bool:
    """Return whether all mail of this address that can still bounce was signed."""
    address, settings = ctx.recipient, ctx.settings
    assert address is not None
    if not settings.signs(address):
        return False
    if not settings.batv_grace_days:
        return True
    record = await ctx.records.get(since_key(address.key[0]))
    return record is not None and ctx.now - float(record["since"]) >= settings.batv_grace_days * DAY
