"""What was proved about a sender: one frozen value for each method, with the reason in words.

A fact says what is, not what shall be done: that is the policy of the recipient's domain. Results
are the words of RFC 8601, section 2.7. Each fact carries the DNS answers that it rests on, so
that "why" can be answered later without asking again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

MAX_SHOWN = 300
"""Characters of a DNS answer that are kept for people."""


class Asked(NamedTuple):
    """One question to DNS and what came back."""

    name: str
    kind: str
    answer: str
    """Records parted by ` | `, or what kind of nothing it was."""

    def __str__(self) -> str:
        return f"{self.name} {self.kind}: {self.answer}"


def shown(records: object) -> str:
    """Return an answer for people: records joined and cut, or the name of the error."""
    text = " | ".join(records) if isinstance(records, tuple | list) else type(records).__name__
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."


@dataclass(frozen=True, slots=True)
class Spf:
    """May this client send for that domain? (RFC 7208)"""

    result: str
    """`pass`, `fail`, `softfail`, `neutral`, `none`, `permerror` or `temperror`."""
    identity: str
    """`mailfrom`, or `helo` where the sender is null."""
    domain: str
    """The domain that was asked about."""
    client: str
    why: str = ""
    """In plain words, with the term of the record that decided."""
    record: str = ""
    explanation: str = ""
    """What the domain itself says to those whom it refuses (`exp=`)."""
    asked: tuple[Asked, ...] = ()
    sender: str = ""
    """The envelope sender, "" for null."""
    helo_name: str = ""
    helo: Spf | None = None
    """The same for the HELO name, where it is a host name; None for that very check."""

    def words(self) -> str:
        """Return one sentence for people."""
        who = f"{self.client} may send for {self.domain}" if self.result == "pass" else self.domain
        return f"SPF {self.result}: {who}{': ' if self.why else ''}{self.why}"


@dataclass(frozen=True, slots=True)
class Signature:
    """One DKIM signature (RFC 6376), or one ARC message signature."""

    result: str
    """`pass`, `fail`, `policy` (not acceptable to us), `permerror` or `temperror`."""
    domain: str = ""
    selector: str = ""
    algorithm: str = ""
    identity: str = ""
    """i=, "" if not given."""
    mark: str = ""
    """The first characters of b=, which tell two signatures of one domain apart (RFC 8601, 2.7.1)."""
    bits: int = 0
    why: str = ""
    asked: tuple[Asked, ...] = ()

    def words(self) -> str:
        """Return one sentence for people."""
        who = f"signature of {self.domain or 'nobody'}"
        return f"DKIM {self.result}: {who}{': ' if self.why else ''}{self.why}"


@dataclass(frozen=True, slots=True)
class Dkim:
    """What the signatures of a message prove."""

    result: str
    """The best of the signatures; `none` where there is none."""
    signatures: tuple[Signature, ...] = ()
    why: str = ""

    def passed(self) -> tuple[str, ...]:
        """Return the domains that signed, each once, from the top."""
        return tuple(dict.fromkeys(s.domain for s in self.signatures if s.result == "pass"))

    def words(self) -> str:
        """Return a sentence for each signature."""
        if not self.signatures:
            return f"DKIM {self.result}: {self.why or 'the message is not signed'}"
        return "; ".join(s.words() for s in self.signatures)


@dataclass(frozen=True, slots=True)
class ArcSet:
    """One step on the way of a message, as its sealer saw it (RFC 8617)."""

    instance: int
    sealer: str
    """d= of the seal."""
    authserv_id: str
    results: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...]
    """(method, result, properties) that the sealer wrote down."""


@dataclass(frozen=True, slots=True)
class Arc:
    """Does the chain of seals hold?"""

    result: str
    """`pass`, `fail`, `none` or `temperror` (no answer about a key)."""
    sets: tuple[ArcSet, ...] = ()
    """From the oldest; empty where the chain could not be read."""
    why: str = ""
    asked: tuple[Asked, ...] = ()

    @property
    def sealers(self) -> tuple[str, ...]:
        """Who sealed, from the newest, where the chain holds."""
        return tuple(s.sealer for s in reversed(self.sets)) if self.result == "pass" else ()

    def words(self) -> str:
        """Return one sentence for people."""
        way = f"sealed by {', '.join(s.sealer for s in self.sets)}" if self.sets else "not sealed"
        return f"ARC {self.result}: {self.why or way}"


@dataclass(frozen=True, slots=True)
class Dmarc:
    """Is the author that people see the one who was proved? (RFC 9989)"""

    result: str
    """`pass`, `fail`, `none` (no policy), `permerror` or `temperror`."""
    author: str = ""
    """Domain of the From header; of several the worst."""
    policy: str = "none"
    """What the author's domain asks for this mail: `none`, `quarantine` or `reject` (t=y counted in)."""
    published: str = ""
    """Tag and value that say so, `sp=reject`; `p=reject t=y` where the domain only tests."""
    record_at: str = ""
    """Where the record stands, without `_dmarc.`."""
    organization: str = ""
    """The author's organizational domain, where it was needed."""
    aligned: tuple[str, ...] = ()
    """Who proved it: `dkim example.org`, `spf mail.example.org`."""
    ambiguous: bool = False
    """Mail programs may show different authors: never a pass (T3.2)."""
    why: str = ""
    asked: tuple[Asked, ...] = ()

    def words(self) -> str:
        """Return one sentence for people."""
        who = f"{self.author}: " if self.author else ""
        asks = f" (its owner asks {self.published} at {self.record_at})" if self.published else ""
        return f"DMARC {self.result}: {who}{self.why}{asks}"


@dataclass(frozen=True, slots=True)
class Forwarded:
    """Whom this domain trusts on the way of this mail: a forwarder or list that may break SPF and DKIM."""

    by: str = ""
    """The entry that matched, "" for nobody."""
    why: str = ""
    seals: bool = False
    """The domain trusts sealers (ARC), which can only be looked at when the message has come."""
    pending: bool = False
    """It has not come yet."""

    def __bool__(self) -> bool:
        return bool(self.by)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Who stood between an author and us when DMARC failed: perhaps a forwarder to be trusted."""

    name: str
    """The newest sealer of a chain that holds, or the client's confirmed host name."""


def covers(domain: str, author: str) -> bool:
    """Return True when proof for `domain` is proof for `author`: the same, or one above it."""
    return author == domain or ("." in domain and author.endswith("." + domain))
