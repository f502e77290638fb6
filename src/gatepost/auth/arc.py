"""ARC: the chain of seals that forwarders and lists put on a message (RFC 8617).

A list changes the subject and so breaks the author's signature; its seal says what it saw before.
The chain proves only *who* says so: whether that is worth anything is up to the domain, which
names the sealers that it trusts (`vouched`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence

from gatepost.auth.asks import Dns
from gatepost.auth.canon import header
from gatepost.auth.dkim import (
    ALGORITHMS,
    Claim,
    Hashes,
    OffLoop,
    Unacceptable,
    check_algorithm,
    fetch,
    judge,
    not_covered,
    own_field,
    read_claim,
    unreadable,
)
from gatepost.auth.facts import Arc, ArcSet, Asked, covers, shown
from gatepost.auth.keys import KeyProblem, read_key
from gatepost.auth.reading import read_results
from gatepost.auth.tags import TagProblem, base64_value, read_tags
from gatepost.dns.lookups import Records
from gatepost.dns.names import DnsError, DnsFailure
from gatepost.mail.message import Header, Message

MAX_SETS = 50
"""RFC 8617, 4.2.1."""
AAR, AMS, SEAL = "arc-authentication-results", "arc-message-signature", "arc-seal"
KINDS = (AAR, AMS, SEAL)
"""The order in which a seal hashes them (5.1.1)."""
_INSTANCE = re.compile(r"\s*i\s*=\s*([0-9]{1,3})\s*(?:;|$)")
_NUMBER = re.compile(r"[0-9]{1,3}")


class Broken(ValueError):
    """The chain does not hold; the text says why."""


async def verify(message: Message, dns: Dns, off_loop: OffLoop | None = None) -> Arc:
    """Verify the chain of a message."""
    fields = [h for h in message.headers if h.name.lower() in KINDS]
    if not fields:
        return Arc("none")
    if unreadable(message):
        return Arc("fail", why=unreadable(message))
    sets: tuple[ArcSet, ...] = ()
    asked: list[Asked] = []
    try:
        chain = arrange(fields)
        seals = [_seal(step[SEAL], n, len(chain)) for n, step in enumerate(chain, 1)]
        newest = _newest(chain[-1][AMS], message)
        steps = enumerate(zip(chain, seals, strict=True), 1)
        sets = tuple(_seen(n, step[AAR], tags["d"].lower()) for n, (step, tags) in steps)
        names = {f"{tags['s']}._domainkey.{tags['d'].lower()}" for tags in seals}
        keys = await fetch(dns, names | {newest.key_name})
        asked = [Asked(name, "TXT", shown(answer)) for name, answer in keys.items()]
        failure = next((n for n, answer in keys.items() if isinstance(answer, DnsFailure)), "")
        if failure:
            return Arc("temperror", sets, f"no answer about the key {failure}", tuple(asked))
        hashes = Hashes(message)
        await hashes.make_bodies([newest.relaxed_body], off_loop)
        signature = judge(newest, hashes, keys)
        if signature.result != "pass":
            raise Broken(f"the signature of {newest.domain} does not hold: {signature.why}")
        for n, tags in enumerate(seals, 1):
            _check_seal(chain[:n], tags, keys)
    except (Broken, TagProblem, Unacceptable) as problem:
        return Arc("fail", sets, str(problem), tuple(asked))
    return Arc("pass", sets, "", tuple(asked))


def arrange(fields: Sequence[Header]) -> list[dict[str, Header]]:
    """Return the sets from the oldest; Broken where one is missing, doubled or out of order (5.2)."""
    steps: dict[int, dict[str, Header]] = {}
    for one in fields:
        step = steps.setdefault(instance(one), {})
        kind = one.name.lower()
        if kind in step:
            raise Broken(f"{one.name} stands twice in one set")
        step[kind] = one
    if sorted(steps) != list(range(1, len(steps) + 1)):
        raise Broken("a set is missing")
    for n, step in steps.items():
        if len(step) != len(KINDS):
            raise Broken(f"set {n} is not whole")
    return [steps[n] for n in sorted(steps)]


def instance(one: Header) -> int:
    """Return i= of an ARC field."""
    if one.name.lower() == AAR:
        match = _INSTANCE.match(one.value)
        text = match[1] if match is not None else ""
    else:
        text = read_tags(one.raw.partition(b":")[2]).get("i", "")
    if _NUMBER.fullmatch(text) is None or not 1 <= int(text) <= MAX_SETS:
        raise Broken(f"{one.name} has no good i=")
    return int(text)


def _seal(one: Header, n: int, count: int) -> dict[str, str]:
    """Return the tags of a seal that may hold."""
    tags = read_tags(one.raw.partition(b":")[2])
    missing = [name for name in ("a", "b", "cv", "d", "s") if not tags.get(name)]
    if missing:
        raise Broken(f"seal {n} has no {missing[0]}=")
    if "h" in tags or "bh" in tags:
        raise Broken(f"seal {n} has h= or bh=")
    check_algorithm(tags["a"].lower())
    said = tags["cv"].lower()
    if n == count and said == "fail":
        raise Broken(f"the newest seal, of {tags['d']}, says that the chain was broken before")
    if said != ("none" if n == 1 else "pass"):
        raise Broken(f"seal {n} says cv={said[:10]}")
    return tags


def _newest(one: Header, message: Message) -> Claim:
    claim = Claim(one, {}, arc=True)
    read_claim(claim)
    check_algorithm(claim.algorithm)
    if "from" not in claim.names or SEAL in claim.names:
        raise Broken("the newest signature does not cover From, or covers a seal")
    uncovered = not_covered(claim.names, message)
    if uncovered:
        raise Broken(uncovered)
    return claim


def _seen(n: int, one: Header, sealer: str) -> ArcSet:
    read = read_results(one.value.partition(";")[2])
    if read is None:
        return ArcSet(n, sealer, "", ())
    return ArcSet(n, sealer, read.authserv_id, read.results)


def sealed(chain: Sequence[dict[str, Header]]) -> bytes:
    """Return what the newest seal of these sets signs: all sets, and itself without b= (5.1.1)."""
    out = [
        header(step[kind].raw, relaxed=True)
        for step in chain
        for kind in KINDS
        if not (step is chain[-1] and kind == SEAL)
    ]
    return b"".join(out) + own_field(chain[-1][SEAL], relaxed=True)


def _check_seal(
    chain: Sequence[dict[str, Header]], tags: dict[str, str], keys: dict[str, Records | DnsError]
) -> None:
    n, name = len(chain), f"{tags['s']}._domainkey.{tags['d'].lower()}"
    answer = keys[name]
    if isinstance(answer, DnsError):
        raise Broken(f"there is no key {name}")
    digest = hashlib.sha256(sealed(chain)).digest()
    why = f"seal {n} of {tags['d']} does not hold"
    for record in answer[:4]:
        try:
            key = read_key(record)
        except KeyProblem as problem:
            why = str(problem)
            continue
        if ALGORITHMS[tags["a"].lower()] == key.kind and key.verifies(base64_value(tags["b"]), digest):
            return
    raise Broken(why)


def vouched(arc: Arc, author: str, trusted: Callable[[str], bool]) -> tuple[str, str]:
    """Return (sealer, what it saw) where a trusted sealer saw this author proved; ("", "") otherwise.

    From the newest seal back, as long as each sealer is trusted: what one says of an earlier hop
    is worth as much as the hop behind it.
    """
    if arc.result != "pass":
        return "", ""
    for step in reversed(arc.sets):
        if not trusted(step.sealer):
            break
        saw = _proof(step, author)
        if saw:
            return step.sealer, f"{step.sealer} sealed that it saw {saw}"
    return "", ""


def _proof(step: ArcSet, author: str) -> str:
    for method, result, properties in step.results:
        if result != "pass":
            continue
        known = dict(properties)
        if method == "dmarc":
            named = known.get("header.from", "").lower().rpartition("@")[2]
            if named in ("", author):
                return f"dmarc=pass for {author}"
        domain = ""
        if method == "dkim":
            domain = known.get("header.d") or known.get("header.i", "").rpartition("@")[2]
        elif method == "spf":
            domain = (known.get("smtp.mailfrom") or known.get("smtp.mfrom", "")).rpartition("@")[2]
        if domain and covers(domain.lower(), author):
            return f"{method}=pass for {domain.lower()}"
    return ""
