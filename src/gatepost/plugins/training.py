"""Take mail to `spam@train.DOMAIN` and `ham@train.DOMAIN` from the domain's own people, and learn from it."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network

from pydantic import Field

from gatepost.auth.author import authors
from gatepost.auth.tags import TagProblem, read_tags, unfolded
from gatepost.plugin import (
    Address,
    AddressError,
    Context,
    Cost,
    DomainPolicy,
    Mode,
    OnFailure,
    Plugin,
    PluginSettings,
    Reject,
    Scope,
    Take,
    Verdict,
    parse_address,
)
from gatepost.plugin.proof import evidence
from gatepost.plugin.training import Named, Pupil, TooMany, read_local

NOT_YOU = "Only people of the domain may train its filter"
NOBODY = Reject("no training address: it is spam or ham", "No such recipient here", 550, "5.1.1")
STRANGER = Reject("not from the domain's own people", NOT_YOU, 550, "5.7.1")
FORGED = Reject("the secret in the address is not this person's", NOT_YOU, 550, "5.7.1")


class Settings(PluginSettings):
    """Who is believed to be one of the domain's own people."""

    signed: bool = True
    """Take mail whose author is a known recipient of the domain, signed (DKIM) by the domain itself."""
    secrets: bool = True
    """Take mail to an address with a person's secret (`gatepost learn address DOMAIN NAME` shows it)."""
    generation: int = Field(default=1, ge=1, le=1_000_000)
    """Count it up, and every secret address of the domain that was given out is void."""
    silence: float = Field(default=0.1, ge=0, le=1)
    """Share of the mail to which nobody objected that is learnt, with little weight; 0: none."""
    silence_days: int = Field(default=3, ge=1, le=12)
    """Days that people have to object."""
    servers: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks of the domain's own servers, whatever they send: whoever can send there can train."""


class Training(Plugin):
    """Learn from mail that the domain's own people send to `spam@train.DOMAIN` or `ham@train.DOMAIN`.

    People do not open a console to teach a filter; they forward. A forward mangles a mail, so the
    original is learnt: the kept one, or the features kept of a delivered one (hashed, no text, 14 days),
    found by the signed id in its header (`X-Gatepost-Id`). Where there is none, a mail that is attached
    is learnt, and last the text of a forward, with less weight. One mail counts once. Such mail is never
    delivered, scored or greylisted, and the answer is 250 only when the training is on the disk.

    Whoever trains decides what others do not see, so nobody is believed by his sender address: the
    author must be a known recipient with an aligned signature over From and To, or the address must
    have the person's secret. It errs where a whole office forwards through a server that does not sign;
    then give the people their secret addresses, or name the server. The classifier has to be on for
    what was taught to count.
    """

    settings = Settings
    scope = Scope.RECIPIENT
    cost = Cost.NETWORK
    default_mode = Mode.ON
    on_failure = OnFailure.DEFER
    timeout = 50.0
    unskippable = True
    own_list = False
    public = NOT_YOU

    def has_work(self, hook: str, settings: Settings, policy: DomainPolicy | None) -> bool:
        """Only mail to the training addresses is looked at; that has a policy of its own."""
        return policy is not None and policy.trains

    async def rcpt(self, ctx: Context[Settings]) -> Verdict | None:
        named = _named(ctx)
        if named is None:
            return NOBODY
        if named.mark:
            return None if await _person(ctx, named) else FORGED
        if _server(ctx):
            return None
        sender = ctx.sender
        if not ctx.settings.signed or sender is None or sender.domain != ctx.domain:
            return STRANGER
        return None if await _known(ctx, sender) else STRANGER

    async def message(self, ctx: Context[Settings]) -> Verdict | None:
        named = _named(ctx)
        if named is None:
            return NOBODY
        who = await _person(ctx, named) if named.mark else _server(ctx) or await _author(ctx)
        if not who:
            return STRANGER
        apart = ctx.in_worker if ctx.has_workers else None
        pupil = Pupil(ctx.domain, who, named.spam, ctx.transaction.id, ctx.policy.ordinary)
        try:
            taught = await ctx.teacher.teach(pupil, ctx.message, apart)
        except TooMany as error:
            return Reject(str(error), "You have trained enough for one day", 550, "5.7.1")
        return Take(f"{'spam' if named.spam else 'wanted'}, by {who}: {taught}")


def _named(ctx: Context[Settings]) -> Named | None:
    address = ctx.named
    return read_local(address.local) if address is not None else None


async def _person(ctx: Context[Settings], named: Named) -> str:
    """Return the address of the person whose secret an address has; "" where it is not theirs."""
    if not ctx.settings.secrets:
        return ""
    generation, since = ctx.settings.generation, ctx.policy.owned_since
    if not ctx.teacher.is_secret_of(named, ctx.domain, generation, since):
        return ""
    try:
        person = parse_address(f"{named.person}@{ctx.domain}")
    except AddressError:
        return ""
    return _name(person) if await _known(ctx, person) else ""


def _server(ctx: Context[Settings]) -> str:
    """Return who trains through a server that the owner named; "" where it is none."""
    if not ctx.settings.servers or not ctx.client_in(ctx.settings.servers):
        return ""
    sender = ctx.sender
    own = sender is not None and sender.domain == ctx.domain
    return _name(sender) if own and sender is not None else ctx.session.client


async def _author(ctx: Context[Settings]) -> str:
    """Return the author where the domain's own signature proves him; "" where it does not."""
    if not ctx.settings.signed:
        return ""
    found = authors(ctx.message)
    said = ctx.message.get("From") or ""
    if found.ambiguous or found.problem or found.domains != (ctx.domain,):
        return ""
    author = _address_in(said, ctx.domain)
    if author is None or not await _known(ctx, author):
        return ""
    proof = await evidence(ctx).dkim()
    good = [one for one in proof.signatures if one.result == "pass" and one.domain == ctx.domain]
    covered = {name for one in good for name in _covered(ctx, one.mark)}
    return _name(author) if _is_to_us(ctx, covered) else ""


def _covered(ctx: Context[Settings], mark: str) -> tuple[str, ...]:
    """Return the names of the fields that a signature covers."""
    for value in ctx.message.all("DKIM-Signature"):
        try:
            tags = read_tags(value)
        except TagProblem:
            continue
        if mark and unfolded(tags.get("b", "")).startswith(mark) and tags.get("d", "").lower() == ctx.domain:
            return tuple(unfolded(tags.get("h", "")).lower().split(":"))
    return ()


def _is_to_us(ctx: Context[Settings], covered: set[str]) -> bool:
    """Say whether a signed field names this address: else any signed mail could be sent here again."""
    named = ctx.named
    assert named is not None
    text = f"{named.local}@{named.domain}".lower()
    for name in ("to", "cc"):
        fields = ctx.message.all(name)
        if name in covered and len(fields) == 1 and text in fields[0].lower():
            return True
    return False


def _address_in(text: str, domain: str) -> Address | None:
    """Return the one address of a From field that `authors` found to be plain."""
    inner = text.rpartition("<")[2].partition(">")[0] if "<" in text else text
    try:
        found = parse_address(inner.strip())
    except AddressError:
        return None
    return found if found.domain == domain else None


def _name(address: Address) -> str:
    """Return a person's address as it stands in the log: the same however it was written."""
    local, domain = address.key
    return f"{local}@{domain}"


async def _known(ctx: Context[Settings], address: Address) -> bool:
    """Say whether somebody of this name is known here: on the list, or to the domain's own server."""
    row = ctx.known(address.key[0])
    if row is not None:
        return row.kind == "valid"
    if ctx.policy.recipients == "callout":
        return await ctx.verify_recipient(address) == "yes"
    return ctx.policy.recipients == "any"
