"""Signatures are verified all at once, each with its result and reason, within bounds."""

import time

import pytest

from gatepost.auth.dkim import MAX_SIGNATURES, best, verify
from gatepost.dns.zone import Zone
from gatepost.mail.message import Message
from tests.auth.mails import BODY, NAMES, judged, mail, parsed, rsa_record, run, signed, zone
from tests.cost import assert_linear


def test_unsigned() -> None:
    """A mail without signature has none, and no look-up is made."""
    assert "none" == judged(mail()).result


@pytest.mark.parametrize(
    "canonical", [(b"relaxed", b"relaxed"), (b"simple", b"simple"), (b"simple", b"relaxed")]
)
def test_rsa_and_ed25519(canonical: tuple[bytes, bytes]) -> None:
    """A mail with both kinds of signature passes twice."""
    raw = signed(signed(canonicalize=canonical), selector="ed", ed25519=True, canonicalize=canonical)
    found = judged(raw)
    assert [("pass", "ed25519-sha256", 256), ("pass", "rsa-sha256", 2048)] == [
        (s.result, s.algorithm, s.bits) for s in found.signatures
    ]
    assert ("example.net",) == found.passed()
    assert "DKIM pass: signature of example.net" in found.words()


def test_every_octet_counts() -> None:
    """One octet changed in body, subject or signature, and it does not pass."""
    raw = signed(canonicalize=(b"simple", b"simple"))
    for old, new in (
        (b"noon", b"moon"),
        (b"Subject: Noon", b"Subject: noon"),
        (b"bh=", b"bh=A"),
        (b"t=1", b"t=2"),
    ):
        changed = raw.replace(old, new, 1)
        assert changed != raw
        assert "pass" != judged(changed).result
    for n in range(len(raw) - len(BODY), len(raw) - 4):
        changed = raw[:n] + bytes([raw[n] ^ 1]) + raw[n + 1 :]
        found = judged(changed)
        assert "pass" != found.result, n


def test_keys_that_are_not_there() -> None:
    """No such name is permanent, no answer is temporary, a wrong key is a failure."""
    raw = signed()
    empty = Zone()
    assert "permerror" == run(verify(parsed(raw), empty, time.time())).result
    empty.add("s1._domainkey.example.net", "FAIL")
    assert "temperror" == run(verify(parsed(raw), empty, time.time())).result
    other = Zone()
    other.add("s1._domainkey.example.net", "TXT", rsa_record(1024))
    assert "fail" == run(verify(parsed(raw), other, time.time())).result
    other.add("s1._domainkey.example.net", "TXT", rsa_record())
    assert "pass" == run(verify(parsed(raw), other, time.time())).result  # the second of two records


def test_all_keys_at_once() -> None:
    """Each name is asked for once, all in one go."""

    class Counting(Zone):
        calls = 0

        async def look_all(self, names, kind):  # type: ignore[no-untyped-def]
            self.calls += 1
            return await super().look_all(names, kind)

    dns = Counting()
    raw = mail()
    for selector in ("a", "b", "c", "a"):
        raw = signed(raw, selector=selector)
    run(verify(parsed(raw), dns, time.time()))
    assert 1 == dns.calls
    assert ["a", "b", "c"] == [name[0] for name, _ in dns.asked]


def test_number_is_bounded() -> None:
    """The signatures behind the tenth are not verified, and say so."""
    raw = mail()
    for _ in range(3):
        raw = signed(raw)
    raw = b"DKIM-Signature: v=1; a=x\r\n" * MAX_SIGNATURES + raw
    found = judged(raw)
    assert ["permerror"] * MAX_SIGNATURES + ["policy"] * 3 == [s.result for s in found.signatures]


@pytest.mark.parametrize(
    ("old", "new", "result", "why"),
    [
        (b"v=1;", b"v=2;", "permerror", "version"),
        (b"v=1;", b"", "permerror", "no v="),
        (b"a=rsa-sha256", b"a=rsa-sha1", "policy", "8301"),
        (b"a=rsa-sha256", b"a=rsa-sha512", "permerror", "unknown algorithm"),
        (b"a=rsa-sha256", b"a=ed25519-sha256", "permerror", "key is for rsa"),
        (b"d=example.net", b"d=example.net; d=example.org", "permerror", "twice"),
        (b"d=example.net", b"d=exa mple.net", "permerror", "bad d="),
        (b"d=example.net", b"d=net", "permerror", "bad d="),
        (b"i=@example.net", b"i=ann@sub.example.net", "fail", "changed"),
        (b"i=@example.net", b"i=@badexample.net", "permerror", "within"),
        (b"i=@example.net", b"i=@example.org", "permerror", "within"),
        (b"q=dns/txt", b"q=http", "permerror", "q="),
        (b"c=relaxed/relaxed", b"c=nowsp/simple", "permerror", "c="),
        (b"c=relaxed/relaxed", b"c=relaxed/relaxed/x", "permerror", "c="),
        (b"h=from", b"h=xfrom", "permerror", "From is not signed"),
        (b"q=dns/txt", b"x=100; q=dns/txt", "permerror", "before t="),
        (b"q=dns/txt", b"l=ten; q=dns/txt", "permerror", "l="),
        (b"q=dns/txt", b"l=10; q=dns/txt", "policy", "goes on"),
        (b"q=dns/txt", b"l=99999; q=dns/txt", "fail", "shorter"),
        (b"s=s1", b"s=s1..x", "permerror", "s="),
        (b"s=s1", b"s=", "permerror", "s="),
    ],
)
def test_odd_signatures(old: bytes, new: bytes, result: str, why: str) -> None:
    """Each way in which a signature makes no sense has its result and its reason."""
    raw = signed()
    changed = raw.replace(old, new, 1)
    assert changed != raw
    (found,) = judged(changed).signatures
    assert (result, True) == (found.result, why in found.why), found.why


def test_clock() -> None:
    """Expired and future signatures are not acceptable; an hour of a wrong clock is."""
    raw = signed()
    now = time.time()
    for moment, result in ((now - 3_000, "pass"), (now - 4_000, "policy"), (now + 9e6, "pass")):
        assert result == run(verify(parsed(raw), zone(), moment)).result
    expired = raw.replace(b"q=dns/txt", b"x=%d; q=dns/txt" % (now + 10))
    assert "expired" in run(verify(parsed(expired), zone(), now + 5_000)).signatures[0].why


def test_short_key() -> None:
    """1024 bits are still taken; less is not (see test_keys)."""
    raw = signed(bits=1024)
    found = run(verify(parsed(raw), zone(bits=1024), time.time()))
    assert ("pass", 1024) == (found.result, found.signatures[0].bits)


def test_strict_identity() -> None:
    """With t=s the identity must be in the very domain."""
    raw = signed(identity=b"ann@sub.example.net".replace(b"sub.example.net", b"sub.example.net"))
    for flags, result in ((" t=s;", "permerror"), ("", "pass")):
        dns = Zone()
        dns.add("s1._domainkey.example.net", "TXT", rsa_record(more=flags))
        assert result == run(verify(parsed(raw), dns, time.time())).result


def test_large_body_off_the_loop() -> None:
    """A large body is hashed by whoever is handed in, a small one at once."""
    moved: list[str] = []

    async def elsewhere(function, *arguments):  # type: ignore[no-untyped-def]
        moved.append(function.__name__)
        return function(*arguments)

    large = signed(mail(body=b"0123456789 abc\r\n" * 40_000))
    assert "pass" == run(verify(parsed(large), zone(), time.time(), elsewhere)).result
    assert ["body_digest"] == moved
    assert "pass" == run(verify(parsed(signed()), zone(), time.time(), elsewhere)).result
    assert ["body_digest"] == moved


def test_one_body_hash_for_all() -> None:
    """Ten signatures over one form of the body hash it once."""
    made: list[bool] = []

    async def elsewhere(function, message, start, relaxed):  # type: ignore[no-untyped-def]
        made.append(relaxed)
        return function(message, start, relaxed)

    raw = mail(body=b"0123456789 abc\r\n" * 40_000)
    for _ in range(5):
        raw = signed(raw)
    run(verify(parsed(raw), zone(), time.time(), elsewhere))
    assert [True] == made


def test_best() -> None:
    """What counts for a message is its best signature."""
    assert "pass" == best(["fail", "permerror", "pass", "temperror"])
    assert "temperror" == best(["fail", "temperror"])
    assert "none" == best([])


def test_twice_the_signatures_twice_the_time() -> None:
    """Long headers and many names in h= cost no more than their octets."""

    def made(lines: int) -> Message:
        more = "".join(f"X-{n}: {'a b ' * 20}\r\n" for n in range(lines))
        names = (*NAMES, *(f"x-{n}".encode() for n in range(lines)))
        return parsed(signed(mail(more=more), names=names))

    assert_linear(made, lambda message: run(verify(message, zone(), time.time())), 50, times=8)
