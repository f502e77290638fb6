"""A link opens what it was made for, to whom it was made for, once, until it expires; nothing else does."""

from __future__ import annotations

import pytest

from gatepost.desk import archive, changes, digest_links, domains
from gatepost.desk.deeds import deeds_of
from gatepost.desk.desk import Desk
from gatepost.desk.digest_links import BadLink, GoneLink, Link, by, look, make, read, use
from gatepost.desk.digest_marks import Use
from tests.desk.conftest import Clock
from tests.desk.test_archive import deliver, keep

READER = "ann@example.org"


@pytest.fixture
def token(desk: Desk) -> str:
    """The link of ann to a mail of hers."""
    return make(desk, Link("release", keep(desk).ref, READER, desk.clock() + 3600))


def test_looking_changes_nothing(desk: Desk, token: str) -> None:
    """However often a scanner opens it: the mail stays where it is, and the link is good."""
    for _ in range(3):
        link, kept = look(desk, token)
    assert (READER, READER, "example.org") == (link.reader, kept.recipient, link.domain)
    assert 0 == len(desk.queue)
    assert [] == deeds_of(desk, "example.org", kept.ref)


def test_once(desk: Desk, token: str) -> None:
    """The first use delivers one mail, and stands in the list of changes; every later one finds it used."""
    desk.by = by(read(desk, token))
    _, done = use(desk, token)
    assert "waiting" == done.state
    with pytest.raises(GoneLink):
        use(desk, token)
    deliver(desk)
    for again in (look, use):
        with pytest.raises(GoneLink):
            again(desk, token)
    assert "delivered" == archive.state(desk, done.kept).state
    (change, *_) = changes.listing(desk, "example.org")
    assert ("digest link, ann@example.org", "released") == (change.by, change.what)
    assert f"released the kept mail {done.kept.id} for {READER}" == changes.in_words(change)
    assert not changes.can_be_undone(change)
    assert ["digest link, ann@example.org"] == [deed.by for deed in deeds_of(desk, "example.org")]


def test_killed_in_between(desk: Desk, clock: Clock, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind the queue and before the mark: the link is good again after a minute, and delivers no second."""
    with monkeypatch.context() as killed:
        killed.setattr(Use, "end", lambda *_, **__: None)
        use(desk, token)
    with pytest.raises(GoneLink):
        use(desk, token)
    clock.now += 61
    use(desk, token)
    assert 1 == len(desk.queue)


def test_a_release_that_fails(desk: Desk, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk uses no link up."""
    with monkeypatch.context() as full:
        full.setattr(archive, "body_hash", lambda _: (_ for _ in ()).throw(OSError(28, "No space left")))
        with pytest.raises(Exception, match="cannot be released"):
            use(desk, token)
    assert "waiting" == use(desk, token)[1].state


def test_tampered(desk: Desk, token: str) -> None:
    """No byte of a token can be changed; what is wrong with it makes no difference."""
    said, mark = token.split(".")
    assert 43 == len(mark)
    wrong = [
        "",
        ".",
        "example",
        said,
        f"{said}.",
        f".{mark}",
        f"{token}=",
        f"{token}.x",
        f"{said}.{mark[:-1]}",
    ]
    wrong += ["\ud800.x", "ä" * 43 + "." + mark, token * 100, "A" * 100_000]
    wrong += [token[:n] + ("A" if token[n] != "A" else "B") + token[n + 1 :] for n in range(len(token))]
    for one in wrong:
        with pytest.raises(BadLink, match=r"^there is no such link$"):
            look(desk, one)


@pytest.mark.parametrize(
    "said",
    [
        '["delete","x","y",1]',
        '["release"]',
        "{}",
        "[]",
        '["release","x","y","soon"]',
        "\xff",
        "[" * 900,
        "null",
    ],
)
def test_signed_but_not_known(desk: Desk, said: str) -> None:
    """A later release may know other deeds; here they do nothing."""
    text = digest_links._text(said.encode("latin-1"))
    with pytest.raises(BadLink):
        read(desk, f"{text}.{digest_links._sign(desk, text)}")


def test_another_installation(desk: Desk, token: str) -> None:
    """A token is good under this installation's secret alone, and for no other purpose of that secret."""
    (desk.data_dir / "secret").write_bytes(b"x" * 32)
    with pytest.raises(BadLink):
        look(desk, token)


def test_expired(desk: Desk, clock: Clock, token: str) -> None:
    """With the retention."""
    clock.now += 3600
    with pytest.raises(GoneLink):
        look(desk, token)


def test_the_mail_is_gone(desk: Desk) -> None:
    """Deleted: so says the link."""
    kept = keep(desk)
    token = make(desk, Link("release", kept.ref, READER, desk.clock() + 9))
    archive.delete(desk, kept)
    with pytest.raises(GoneLink, match="kept no longer"):
        look(desk, token)


def test_the_domain_is_gone(desk: Desk, token: str) -> None:
    """Nothing can be delivered for it any more."""
    domains.remove(desk, "example.org")
    with pytest.raises(GoneLink, match="hosted here no longer"):
        look(desk, token)


def test_another_domain(desk: Desk) -> None:
    """Even a signed link of one domain's reader opens no mail of another domain."""
    kept = keep(desk, "ann@other.example")
    with pytest.raises(GoneLink):
        look(desk, make(desk, Link("release", kept.ref, READER, desk.clock() + 9)))


def test_who_reads_no_longer(desk: Desk) -> None:
    """Whoever is taken off the domain's digest opens only mail of his own."""
    kept = keep(desk, "bob@example.org")
    token = make(desk, Link("release", kept.ref, READER, desk.clock() + 9))
    domains.set_values(desk, "example.org", {"digest.to": ["ann"]})
    assert kept == look(desk, token)[1]
    domains.set_values(desk, "example.org", {"digest.to": []})
    with pytest.raises(GoneLink, match="no longer"):
        look(desk, token)
