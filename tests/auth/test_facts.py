"""Facts say in plain words what was proved and what was not."""

from gatepost.auth.facts import (
    MAX_SHOWN,
    Arc,
    ArcSet,
    Asked,
    Dkim,
    Dmarc,
    Forwarded,
    Signature,
    Spf,
    covers,
    shown,
)


def test_words() -> None:
    """Each fact has its sentence."""
    assert "SPF none: example.net: no SPF record is published" == (
        Spf("none", "mailfrom", "example.net", "192.0.2.1", "no SPF record is published").words()
    )
    assert "DKIM none: the message is not signed" == Dkim("none").words()
    assert "DKIM permerror: signature of nobody: signature has no d=" == (
        Dkim("permerror", (Signature("permerror", why="signature has no d="),)).words()
    )
    assert "ARC none: not sealed" == Arc("none").words()
    assert "ARC pass: sealed by a.example, b.example" == _chain("pass").words()
    assert "DMARC permerror: there is no From" == Dmarc("permerror", why="there is no From").words()


def _chain(result: str) -> Arc:
    return Arc(result, (ArcSet(1, "a.example", "", ()), ArcSet(2, "b.example", "", ())))


def test_who() -> None:
    """Who signed or sealed counts only where it holds."""
    signatures = (
        Signature("pass", "a.example"),
        Signature("fail", "b.example"),
        Signature("pass", "a.example"),
    )
    assert ("a.example",) == Dkim("pass", signatures).passed()
    assert ("b.example", "a.example") == _chain("pass").sealers
    assert () == _chain("fail").sealers


def test_trust() -> None:
    """A forwarder is trusted when an entry matched, not while seals are still to come."""
    assert Forwarded("lists.example.org")
    assert not Forwarded(seals=True, pending=True)


def test_answers_are_bounded() -> None:
    """What stood in DNS is kept for people, cut."""
    assert "a | b" == shown(("a", "b"))
    assert "KeyError" == shown(KeyError("x"))
    assert MAX_SHOWN == len(shown(("x" * 5_000,)))
    assert "example.net TXT: v=spf1" == str(Asked("example.net", "TXT", "v=spf1"))


def test_covers() -> None:
    """Proof for a domain is proof for what lies below it, not above; a top-level domain proves nothing."""
    assert covers("example.net", "example.net")
    assert covers("example.net", "a.example.net")
    assert not covers("a.example.net", "example.net")
    assert not covers("net", "example.net")
    assert not covers("ample.net", "example.net")
