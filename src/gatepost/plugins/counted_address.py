"""Addresses that anybody can make up and give away, good for a few mails or until a day."""

from dataclasses import dataclass, replace

from pydantic import Field, field_validator

from gatepost.plugin import (
    AddHeader,
    Address,
    Context,
    Defer,
    Mode,
    Plugin,
    PluginSettings,
    Reject,
    Rewrite,
    Scope,
    Verdict,
)
from gatepost.plugin.counted import NO_LIMIT, SEPARATORS, Kept, Reading, end_of, kept, readings

HEADER = "X-Counted-Address"
DAY = 86_400
LEASE = 2_100.0
"""Seconds for which a use is held while its mail comes: the server gives a message half an hour and more."""
HOUR = 3_600
GONE = "This address is not in use any more"
ALWAYS_RESERVED = frozenset({"postmaster", "abuse"})
"""They are reached without any check (RFC 5321, 4.5.1): an address that leads to them would be so too."""
Answer = Verdict | tuple[Verdict, ...] | None
BUSY = Defer("another mail to this address is on its way", "Try again in some minutes", 450, "4.2.1")


class Settings(PluginSettings):
    """How addresses are made up; a user may have settings of his own (`domain set ann@example.org ...`)."""

    separators: tuple[str, ...] = (".", "~")
    """What stands between word, count and user; of one address all are the same: one of . ~ _ - = +."""
    default_count: int = Field(default=3, ge=0, le=1000)
    """Mails that an address without a count takes (`word.user`); 0: a count must be there."""
    most: int = Field(default=20, ge=1, le=1000)
    """The highest count; a higher one counts as this."""
    longest_days: int = Field(default=28, ge=1, le=3660)
    """A dated address is good at most so long after its first mail."""
    prefix: str = Field(default="", max_length=20)
    """A new address must begin with this, as in `prefix.word.5.user`; what was made before goes on."""
    watchwords: tuple[str, ...] = ()
    """The word of a new address must contain one of these; none: any word will do."""
    trusted: tuple[str, ...] = ()
    """Senders (addresses, or domains with their sub-domains) whose mail is let in and not counted."""
    reserved: tuple[str, ...] = ("postmaster", "abuse", "info", "admin")
    """Local parts for which nobody can make addresses up; postmaster and abuse are never among those."""
    new_seconds: int = Field(default=180, ge=0, le=DAY)
    """A user gets at most one new address in so many seconds; 0: no limit."""
    most_an_hour: int = Field(default=100, ge=0)
    """Mails an hour to all counted addresses of a user, then they pause; 0: no limit."""
    pause_hours: int = Field(default=8, ge=1, le=168)
    """How long they pause."""
    tag_subject: bool = False
    """Put `(word: message 2 of 5)` behind the subject; this breaks DKIM signatures, as mailing lists do."""
    header: bool = True
    """Put `X-Counted-Address: word: message 2 of 5` on the mail."""

    @field_validator("separators")
    @classmethod
    def _separators(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or not SEPARATORS.issuperset(value):
            raise ValueError(f"give one or more of {' '.join(sorted(SEPARATORS))}")
        return value

    @field_validator("prefix", "watchwords", "trusted", "reserved")
    @classmethod
    def _folded(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        return value.lower() if isinstance(value, str) else tuple(one.strip().lower() for one in value)


@dataclass(frozen=True, slots=True)
class Counted:
    """The recipient was named by a counted address."""

    reading: Reading
    local: str


class CountedAddress(Plugin):
    """Take mail to `word.5.user@` for the user, five times; or until a day, or from one sender alone.

    Whoever must give an address to a shop makes one up on the spot, `shop.5.ann@example.org`, and
    tells nobody: the first mail makes it. When it is sold on, it is used up soon, and its word says
    who sold it. A use is counted when a mail was accepted, not before, so that a sender who gave up
    costs nothing; two mails at once for the last use let one in. Then 550 at RCPT. It errs where a
    colleague's address is mistyped as `smith.ann` (see `default_count`), and where somebody guesses
    the form: a prefix, watchwords and one new address in three minutes keep that small. Whoever is
    a recipient by that very name goes before; the user must be one. The switch is the domain's.
    """

    settings = Settings
    scope = Scope.RECIPIENT
    tells = (Counted,)
    done_accepted = True
    public = GONE

    def address(self, ctx: Context[Settings]) -> Verdict | None:
        given = ctx.recipient
        assert given is not None
        local = given.key[0]
        found = readings(local, _separators(ctx))
        if not found or _is_listed(ctx, local):
            return None
        reading = _likeliest(ctx, found)
        if reading is None:
            return None
        ctx.tell(Counted(reading, local))
        return Rewrite(f"{reading.user}@{given.domain}", f"counted address {reading.word!r}")

    async def rcpt(self, ctx: Context[Settings]) -> Answer:
        counted = ctx.fact(Counted)
        # On watch nothing was rewritten, so nothing is counted either.
        if counted is None or ctx.recipient is None or ctx.recipient.key[0] != counted.reading.user:
            return None
        reading, settings = counted.reading, ctx.settings
        paused = f"paused {reading.user}"
        if settings.most_an_hour and await _pauses(ctx, reading.user, paused):
            return Defer("too many mails to counted addresses: a pause", "Try again later", 450, "4.2.1")
        if _trusted(settings.trusted, ctx.sender):
            return _header(settings, f"{reading.word}: trusted: {ctx.sender}")
        record = await ctx.records.get(reading.key)
        if record is None:
            return await _first(ctx, reading, counted.local)
        known = kept(record)
        if known is None:
            raise ValueError(f"the record of {reading.key!r} cannot be read")
        return await _again(ctx, reading, known)

    async def done(self, ctx: Context[Settings]) -> None:
        """Count what came in an hour: only what got in."""
        counted = ctx.fact(Counted)
        if counted is not None:
            await ctx.state.add(f"received {counted.reading.user}", 1, HOUR)


async def _first(ctx: Context[Settings], reading: Reading, local: str) -> Answer:
    """The first mail makes the address, when it is accepted."""
    settings, sender, now = ctx.settings, ctx.sender, ctx.now
    if settings.prefix and reading.prefix != settings.prefix:
        return _no("missing or wrong prefix")
    if settings.watchwords and not any(word in reading.word for word in settings.watchwords):
        return _no("the word has none of the watchwords")
    new = _new(settings, reading, sender, now, f"{local}@{ctx.domain}")
    if new is None:
        return _no("the null sender cannot be the only sender of an address")
    over = new.over(0, now)
    if over:
        return _no(over)
    # One new address at a time: of two first mails at once one makes it, and the other finds it.
    busy = f"new {reading.user}" if settings.new_seconds else f"new {reading.user} {reading.word}"
    made = await ctx.records.count(busy)  # before `last`: who is faster in between makes `reserve` say no
    last = await ctx.records.get(busy)
    if settings.new_seconds and isinstance(last, dict) and now - float(last["time"]) < settings.new_seconds:
        return Defer("new addresses of this user come too fast", "Try again in some minutes", 450, "4.2.1")
    if not await ctx.reserve(busy, made + 1, LEASE, {"time": now}):
        return BUSY
    if await ctx.records.get(reading.key) is not None:  # made a moment ago: the next try finds it
        return BUSY
    used = await ctx.records.count(reading.key)
    if used >= new.limit:
        return _no("used up")
    if not await ctx.reserve(reading.key, new.limit, LEASE, new.record()):
        return BUSY
    return _header(settings, _told(reading, new, used))


async def _again(ctx: Context[Settings], reading: Reading, known: Kept) -> Answer:
    used = await ctx.records.count(reading.key)
    over = known.over(used, ctx.now)
    if over:
        return _no(over)
    if known.only and not _trusted((known.only.removeprefix("@"),), ctx.sender):
        return _no(f"only for mail from {known.only}")
    if not await ctx.reserve(reading.key, known.limit + known.before, LEASE):
        return BUSY
    return _header(ctx.settings, _told(reading, known, used))


def _new(
    settings: Settings, reading: Reading, sender: Address | None, now: float, address: str
) -> Kept | None:
    """Return what is to be kept of a new address; None: it needs a sender to belong to."""
    count, by = reading.count, sender.text if sender is not None else ""
    made = Kept(min(settings.default_count, settings.most), made=now, by=by, address=address)
    if count is None:
        return made
    if count.until is not None:
        until = min(end_of(count.until), now + settings.longest_days * DAY)
        return replace(made, limit=NO_LIMIT, until=until)
    if not count.only:
        return replace(made, limit=min(count.number, settings.most))
    if sender is None:
        return None
    only = "@".join(sender.key) if count.only == "sender" else f"@{sender.domain}"
    return replace(made, limit=NO_LIMIT, only=only)


def _likeliest(ctx: Context[Settings], found: list[Reading]) -> Reading | None:
    """Return the first reading whose user is listed; else one of whom it is known that he is not there
    (and will be refused); else, where the domain's server knows who is there, the first with a count.
    Nobody is there by a wildcard alone: a flood of made-up users would each make records.
    """
    policy = ctx.policy
    gone: Reading | None = None
    anybody: Reading | None = None
    for reading in found:
        own = policy.for_mailbox(reading.user).plugins["counted_address"]
        settings: Settings = own.settings
        if own.mode is Mode.OFF or reading.separator not in settings.separators:
            continue
        if reading.user in ALWAYS_RESERVED or reading.user in settings.reserved:
            continue
        if reading.count is None and not settings.default_count:
            continue
        row = ctx.known(reading.user)
        if row is not None and row.local == reading.user:
            if row.kind == "valid":
                return reading
            gone = gone or reading
        elif row is None and reading.count is not None and policy.recipients != "list":
            anybody = anybody or reading
    return gone or anybody


def _is_listed(ctx: Context[Settings], local: str) -> bool:
    """Whoever is a recipient (or known not to be one) by this very name is no counted address."""
    row = ctx.known(local)
    return row is not None and row.local == local


def _separators(ctx: Context[Settings]) -> tuple[str, ...]:
    """Return the separators of the domain and of all its users: whose address it is is not known yet."""
    policy = ctx.policy
    known: tuple[str, ...] | None = policy.cache.get("counted_address.separators")
    if known is None:
        everyone = [ctx.settings, *(p.plugins["counted_address"].settings for p in policy.mailboxes.values())]
        known = tuple(dict.fromkeys(one for settings in everyone for one in settings.separators))
        policy.cache["counted_address.separators"] = known
    return known


async def _pauses(ctx: Context[Settings], user: str, key: str) -> bool:
    if await ctx.state.get(key) is not None:
        return True
    if await ctx.state.add(f"received {user}", 0, HOUR) < ctx.settings.most_an_hour:
        return False
    await ctx.state.put(key, b"1", ctx.settings.pause_hours * HOUR)
    return True


def _trusted(entries: tuple[str, ...], sender: Address | None) -> bool:
    """Return whether the sender, its domain or a parent of that is named."""
    if sender is None or not entries:
        return False
    domain = sender.domain
    return "@".join(sender.key) in entries or any(
        domain == entry or domain.endswith(f".{entry}") for entry in entries if "@" not in entry
    )


def _told(reading: Reading, known: Kept, used: int) -> str:
    """Return what the mail says about its address."""
    if known.only:
        return f"{reading.word}: only from {known.only}"
    if known.until is not None:
        return f"{reading.word}: until {known.last_day}"
    number, limit = used - known.before + 1, known.limit
    return f"{reading.word}: message {number} of {limit}{', the last one' if number == limit else ''}"


def _header(settings: Settings, text: str) -> Answer:
    if not text.isprintable():
        return None
    header = (AddHeader(HEADER, text),) if settings.header else ()
    return (*header, AddHeader("Subject", f"({text})")) if settings.tag_subject else header


def _no(reason: str) -> Reject:
    """Exhausted addresses are refused at RCPT wherever else the domain refuses (CONTRACT 5)."""
    return Reject(reason, GONE, 550, "5.2.1", at_once=True)
