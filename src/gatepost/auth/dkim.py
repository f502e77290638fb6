"""DKIM signatures of a message: all of them, each with its result and the reason (RFC 6376, 8301, 8463).

Own code on `cryptography`, since dkimpy is quadratic on hostile bodies and needs 5 ms for 100 KiB
(docs/why.md); its test suite runs in tests/conformance. One parse: the fields are those that
`gatepost.mail.message` read, and where that reader found more than one reading nothing passes
(T1.5). Stricter than the RFC where a signature would vouch for what its signer never saw: a body
that goes on behind l= (8.2), and a second Subject or From that h= does not cover (8.15).

Pure but for the keys, which are all asked for at once. Large bodies are hashed off the loop.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gatepost.auth.asks import Dns
from gatepost.auth.canon import body_digest, header
from gatepost.auth.facts import Asked, Dkim, Signature, shown
from gatepost.auth.keys import Key, KeyProblem, read_key
from gatepost.auth.tags import TagProblem, base64_value, read_tags, unfolded, without_b
from gatepost.dns.lookups import Records
from gatepost.dns.names import DnsError, DnsFailure
from gatepost.mail.message import Header, Message

MAX_SIGNATURES = 10
"""Signatures that are verified; real mail has one to four."""
MAX_FIELD = 8_192
"""Octets of one signature field."""
MAX_KEYS = 4
"""Key records of one name that are tried (RFC 6376, 3.6.2.2: there should be one)."""
OFF_LOOP = 262_144
"""Octets of body from which hashing goes to a thread."""
CLOCKS = 3_600
"""Seconds by which a signer's clock may be wrong."""
ALGORITHMS = {"rsa-sha256": "rsa", "ed25519-sha256": "ed25519"}
SHOWN_ONCE = (
    "from", "subject", "to", "cc", "date", "sender", "reply-to", "content-type", "content-transfer-encoding",
)  # fmt: skip
"""Fields that may stand once (RFC 5322, 3.6; RFC 2045): programs differ on which of two they show."""
MUST_COVER = ("from", "subject")
"""What a reader takes for the message's own; a signature that leaves it out proves little (6376, 5.4)."""

_CANONS = ("simple", "relaxed")
_DOMAIN = re.compile(r"(?!-)[A-Za-z0-9_\-\x80-\U0010ffff]{1,63}(?:\.[A-Za-z0-9_\-\x80-\U0010ffff]{1,63})+")
_SELECTOR = re.compile(r"[A-Za-z0-9_\-]{1,63}(?:\.[A-Za-z0-9_\-]{1,63})*")
_NUMBER = re.compile(r"[0-9]{1,76}")

OffLoop = Callable[..., Awaitable[Any]]


class Unacceptable(ValueError):
    """A signature that is over before a key is asked for: its result and why."""

    def __init__(self, result: str, why: str) -> None:
        super().__init__(why)
        self.result = result


@dataclass(slots=True)
class Claim:
    """A signature field as it was read: what it claims, and of what."""

    source: Header
    tags: dict[str, str]
    arc: bool = False
    """An ARC message signature: i= is its place in the chain, and there is no v=."""
    domain: str = ""
    selector: str = ""
    algorithm: str = ""
    relaxed_header: bool = False
    relaxed_body: bool = False
    signature: bytes = b""
    body_hash: bytes = b""
    names: tuple[str, ...] = ()
    """h=, lower case."""
    length: int | None = None
    asked: list[Asked] = field(default_factory=list)

    @property
    def key_name(self) -> str:
        """Where its key stands."""
        return f"{self.selector}._domainkey.{self.domain}"

    def result(self, result: str, why: str, bits: int = 0) -> Signature:
        """Return what became of it."""
        return Signature(
            result=result,
            domain=self.domain,
            selector=self.selector,
            algorithm=self.algorithm,
            identity="" if self.arc else self.tags.get("i", ""),
            mark=unfolded(self.tags.get("b", ""))[:8],
            bits=bits,
            why=why,
            asked=tuple(self.asked),
        )


class Hashes:
    """The hashes of one message, each made once for all its signatures."""

    __slots__ = ("_bodies", "_headers", "_message", "_start")

    def __init__(self, message: Message) -> None:
        self._message = message
        self._start = len(message.head)
        self._bodies: dict[bool, tuple[bytes, int]] = {}
        self._headers: dict[bool, dict[int, bytes]] = {False: {}, True: {}}

    async def make_bodies(self, kinds: Iterable[bool], off_loop: OffLoop | None) -> None:
        """Hash the body in these forms (True is relaxed), off the loop when it is large."""
        whole = self._message.body or b""
        for relaxed in kinds:
            if relaxed in self._bodies:
                continue
            if off_loop is not None and len(whole) - self._start > OFF_LOOP:
                self._bodies[relaxed] = await off_loop(body_digest, whole, self._start, relaxed)
            else:
                self._bodies[relaxed] = body_digest(whole, self._start, relaxed)

    def body(self, relaxed: bool) -> tuple[bytes, int]:
        """Return digest and canonical length, made before."""
        return self._bodies[relaxed]

    def header(self, n: int, relaxed: bool) -> bytes:
        """Return the nth field in canonical form."""
        made = self._headers[relaxed]
        if n not in made:
            made[n] = header(self._message.headers[n].raw, relaxed)
        return made[n]

    def signed(self, claim: Claim) -> bytes:
        """Return the digest over the fields in h=, from the bottom up, and the signature (5.4.2, 3.7)."""
        places: dict[str, list[int]] = {}
        for n, one in enumerate(self._message.headers):
            places.setdefault(one.name.lower(), []).append(n)
        digest = hashlib.sha256()
        for name in claim.names:
            left = places.get(name)
            if left:
                digest.update(self.header(left.pop(), claim.relaxed_header))
        digest.update(own_field(claim.source, claim.relaxed_header))
        return digest.digest()


def own_field(signature: Header, relaxed: bool) -> bytes:
    """Return a signature's own field as it is hashed: without the value of b= and the last line end."""
    name, colon, value = signature.raw.partition(b":")
    return header(name + colon + without_b(value), relaxed).removesuffix(b"\r\n")


async def verify(message: Message, dns: Dns, now: float, off_loop: OffLoop | None = None) -> Dkim:
    """Verify all signatures of a message."""
    fields = [h for h in message.headers if h.name.lower() == "dkim-signature"]
    if not fields:
        return Dkim("none")
    if unreadable(message):
        return Dkim("policy", tuple(Signature("policy", why=unreadable(message)) for _ in fields[:1]))
    done: dict[int, Signature] = {}
    claims: dict[int, Claim] = {}
    for n, one in enumerate(fields):
        claim = Claim(one, {})
        try:
            if n >= MAX_SIGNATURES:
                raise Unacceptable("policy", f"more than {MAX_SIGNATURES} signatures")
            read_claim(claim)
            check_claim(claim, message, now)
            claims[n] = claim
        except Unacceptable as problem:
            done[n] = claim.result(problem.result, str(problem))
    keys = await fetch(dns, {c.key_name for c in claims.values()})
    hashes = Hashes(message)
    await hashes.make_bodies({c.relaxed_body for c in claims.values() if c.key_name in keys}, off_loop)
    for n, claim in claims.items():
        done[n] = judge(claim, hashes, keys)
    signatures = tuple(done[n] for n in sorted(done))
    return Dkim(best(s.result for s in signatures), signatures)


def unreadable(message: Message) -> str:
    """Return why nothing can be proved about this message, "" when it can."""
    if message.over_budget:
        return "the header block is longer than we read"
    if message.ambiguous:
        return "headers and body can be read in more than one way"
    if message.body is None:
        return "the body was not read"
    return ""


_BEST = ("pass", "temperror", "fail", "policy", "permerror")


def best(results: Iterable[str]) -> str:
    """Return the result that counts for a whole message."""
    return min(results, key=_BEST.index, default="none")


def read_claim(claim: Claim) -> None:
    """Fill in what a signature says of itself; Unacceptable where it makes no sense (3.5)."""
    raw = claim.source.raw
    if len(raw) > MAX_FIELD:
        raise Unacceptable("permerror", "signature is too long")
    try:
        tags = claim.tags = read_tags(raw.partition(b":")[2])
        claim.domain = tags.get("d", "").lower()
        claim.selector = tags.get("s", "")
        claim.algorithm = tags.get("a", "").lower()
        for name in ("a", "b", "bh", "d", "h", "s", *(() if claim.arc else ("v",))):
            if not tags.get(name):
                raise Unacceptable("permerror", f"signature has no {name}=")
        if not claim.arc and tags["v"] != "1":
            raise Unacceptable("permerror", "signature is not of version 1")
        claim.signature = base64_value(tags["b"])
        claim.body_hash = base64_value(tags["bh"])
    except TagProblem as problem:
        raise Unacceptable("permerror", f"signature: {problem}") from None
    if _DOMAIN.fullmatch(claim.domain) is None or _SELECTOR.fullmatch(claim.selector) is None:
        raise Unacceptable("permerror", "signature has a bad d= or s=")
    if not claim.domain.isascii():
        claim.domain = _a_labels(claim.domain)
    forms = tags.get("c", "relaxed/relaxed" if claim.arc else "simple").lower().split("/")
    if len(forms) > 2 or any(form not in _CANONS for form in forms):
        raise Unacceptable("permerror", "signature has an unknown c=")
    claim.relaxed_header = forms[0] == "relaxed"
    claim.relaxed_body = forms[-1] == "relaxed" and len(forms) == 2
    if "dns/txt" not in unfolded(tags.get("q", "dns/txt")).split(":"):
        raise Unacceptable("permerror", "signature has an unknown q=")
    claim.names = tuple(unfolded(tags["h"]).lower().split(":"))
    for name in ("l", "t", "x"):
        if name in tags and _NUMBER.fullmatch(tags[name]) is None:
            raise Unacceptable("permerror", f"signature has a bad {name}=")
    claim.length = int(tags["l"]) if "l" in tags else None


def _a_labels(domain: str) -> str:
    """RFC 8616, 5: an international d= is asked for by its A-labels."""
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        raise Unacceptable("permerror", "signature has a bad d=") from None


def check_claim(claim: Claim, message: Message, now: float) -> None:
    """Refuse what can be refused before a key is asked for."""
    tags = claim.tags
    check_algorithm(claim.algorithm)
    if "from" not in claim.names:
        raise Unacceptable("permerror", "From is not signed")
    if "i" in tags:
        inside = tags["i"].rpartition("@")[2].lower()
        if not inside.isascii():
            inside = _a_labels(inside)
        if inside != claim.domain and not inside.endswith("." + claim.domain):
            raise Unacceptable("permerror", "i= is not within d=")
    if "x" in tags:
        expires = int(tags["x"])
        if "t" in tags and expires < int(tags["t"]):
            raise Unacceptable("permerror", "x= is before t=")
        if expires < now - CLOCKS:
            raise Unacceptable("policy", "signature has expired")
    if "t" in tags and int(tags["t"]) > now + CLOCKS:
        raise Unacceptable("policy", "signature is from the future")
    uncovered = not_covered(claim.names, message)
    if uncovered:
        raise Unacceptable("policy", uncovered)


def check_algorithm(algorithm: str) -> None:
    """Refuse an algorithm that proves nothing or that nobody knows."""
    if algorithm == "rsa-sha1":
        raise Unacceptable("policy", "SHA-1 proves nothing any more (RFC 8301, 3.1)")
    if algorithm not in ALGORITHMS:
        raise Unacceptable("permerror", f"unknown algorithm {algorithm[:30]!r}")


def not_covered(names: Sequence[str], message: Message) -> str:
    """Return what a reader would see and the signer may not have seen, "" for nothing (8.15)."""
    present: dict[str, int] = {}
    for one in message.headers:
        name = one.name.lower()
        present[name] = present.get(name, 0) + 1
    for name in SHOWN_ONCE:
        count = present.get(name, 0)
        if count > 1 and names.count(name) < count:
            return f"{name} stands {count} times and not all are signed"
    for name in MUST_COVER:
        if name in present and name not in names:
            return f"{name} is not signed"
    return ""


async def fetch(dns: Dns, names: Iterable[str]) -> dict[str, Records | DnsError]:
    """Return the key records of all names, asked at once."""
    wanted = sorted(names)
    return dict(zip(wanted, await dns.look_all(wanted, "TXT"), strict=True)) if wanted else {}


def judge(claim: Claim, hashes: Hashes, keys: dict[str, Records | DnsError]) -> Signature:
    """Hold a signature against its key and the message."""
    answer = keys[claim.key_name]
    claim.asked.append(Asked(claim.key_name, "TXT", shown(answer)))
    if isinstance(answer, DnsFailure):
        return claim.result("temperror", f"no answer about the key {claim.key_name}")
    if isinstance(answer, DnsError):
        return claim.result("permerror", f"there is no key {claim.key_name}")
    problem = _body_problem(claim, hashes)
    if problem is not None:
        return problem
    digest = hashes.signed(claim)
    why, result, bits = f"there is no key {claim.key_name}", "permerror", 0
    for record in answer[:MAX_KEYS]:
        try:
            key = read_key(record)
            usable(key, claim)
        except KeyProblem as unusable:
            why, result = str(unusable), "policy" if "RFC 8301" in str(unusable) else "permerror"
            continue
        bits = key.bits
        if key.verifies(claim.signature, digest):
            return claim.result("pass", f"{key.kind} key of {bits} bits at {claim.key_name}", bits)
        why, result = "headers were changed after signing, or the key is another one", "fail"
        if key.testing:
            why += "; the signer is testing (t=y)"
    return claim.result(result, why, bits)


def _body_problem(claim: Claim, hashes: Hashes) -> Signature | None:
    digest, size = hashes.body(claim.relaxed_body)
    if claim.length is not None and claim.length < size:
        return claim.result("policy", f"l={claim.length}, but the body goes on to {size} (RFC 6376, 8.2)")
    if claim.length is not None and claim.length > size:
        return claim.result("fail", "body is shorter than l=")
    if digest != claim.body_hash:
        return claim.result("fail", "body was changed after signing")
    return None


def usable(key: Key, claim: Claim) -> None:
    """Raise KeyProblem for a key that is not for this signature."""
    if ALGORITHMS.get(claim.algorithm) != key.kind:
        raise KeyProblem(f"the key is for {key.kind}, the signature for {claim.algorithm}")
    identity = "" if claim.arc else claim.tags.get("i", "")
    if key.exact and identity and identity.rpartition("@")[2].lower() != claim.domain:
        raise KeyProblem("i= is in a sub-domain, which the key forbids (t=s)")
