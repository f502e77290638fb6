"""BATV in a running gateway: out through us with a tag, back to the tag, and forged bounces refused."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Iterator

import pytest

from gatepost.mail.address import parse_address
from gatepost.mail.batv import DAY, make
from tests.system.exim import Exim
from tests.system.gateway import Gateway
from tests.system.postfix import Postfix
from tests.system.process import free_port, open_directory, wait_until
from tests.system.sink import Sink
from tests.system.talk import Talk

BOUNCE = b"From: MAILER-DAEMON@far.example\r\nSubject: Undelivered Mail\r\n\r\n%s\r\n"
LETTER = b"From: ann@example.org\r\nSubject: hi\r\n\r\nhello\r\n"
Make = Callable[..., Gateway]


class Site:
    """A gateway with both doors, a domain's own server behind it, and a next hop."""

    def __init__(self, make_gateway: Make, back_end: int, sink: Sink) -> None:
        self.port = free_port()
        self.sink = sink
        outgoing = {
            "listen": [f"127.0.0.1:{self.port}"],
            "next_hop": f"127.0.0.1:{sink.port}",
            "networks": {"example.org": ["127.0.0.1", "127.0.0.5"], "second.example": ["127.0.0.6"]},
        }
        self.gateway = gateway = make_gateway(smtp={"outgoing": outgoing})
        for domain in ("example.org", "second.example"):
            gateway.cli("domain", "add", domain, "--route", f"smtp://127.0.0.1:{back_end}")
            gateway.cli("recipient", "add", domain, "ann", "bob")
            gateway.cli("domain", "set", domain, "bounce.mode=on", "bounce.batv=true")
            gateway.cli("batv", "add", domain, "ann")
        gateway.until_accepted("ann@second.example")

    def out(self, sender: str, *recipients: str, source: str = "127.0.0.5") -> list[int]:
        """Hand in outgoing mail; the codes of RCPT, and of the data where it came to that."""
        with Talk(self.port, source) as talk:
            codes = [code for code, _ in talk.begin(*recipients, sender=sender)]
            return codes if 250 not in codes else [*codes, talk.data(LETTER)[0]]

    def bounce(self, recipient: str, text: bytes = b"sorry") -> tuple[int, int]:
        """Send a bounce; the codes of RCPT and of the data."""
        with Talk(self.gateway.port) as talk:
            ((code, _),) = talk.begin(recipient, sender="")
            return code, talk.data(BOUNCE % text)[0] if code == 250 else 0

    def return_paths(self) -> list[str]:
        """Return the return paths of what the next hop got."""
        found = [re.search(rb"X-Mail-Args: <([^>]*)>", one) for one in self.sink.messages()]
        return [one[1].decode() for one in found if one is not None]

    def signed_days_ago(self, days: float) -> None:
        """Turn back the record of when signing began."""
        with sqlite3.connect(self.gateway.data / "records.db") as db:
            changed = db.execute(
                "UPDATE record SET value = json_object('since', ?) WHERE plugin = 'bounce'",
                (time.time() - days * DAY,),
            ).rowcount
        db.close()
        assert changed


@pytest.fixture
def site(make_gateway: Make, postfix: Postfix, sink: Sink) -> Site:
    """Give a site whose domain's own server is Postfix."""
    return Site(make_gateway, postfix.port, sink)


@pytest.fixture
def sender_postfix() -> Iterator[Callable[[int], Postfix]]:
    """Give a maker of a Postfix that sends everything out through a port of ours."""
    made: list[Postfix] = []
    with open_directory("sender") as top:

        def make_one(port: int) -> Postfix:
            smart = f"relayhost = [127.0.0.1]:{port}\nsmtpd_relay_restrictions = permit_mynetworks, reject\n"
            server = Postfix(top, more=smart)
            made.append(server)
            return server

        yield make_one
        for server in made:
            server.stop()


@pytest.fixture
def exim_sender() -> Iterator[Callable[[int], Exim]]:
    """Give a maker of an Exim that sends everything out through a port of ours."""
    made: list[Exim] = []
    with open_directory("eximout") as top:

        def make_one(port: int) -> Exim:
            made.append(Exim(top, smart_host=port))
            return made[0]

        yield make_one
        for server in made:
            server.stop()


def test_row_7_4_batv(site: Site, postfix: Postfix, sender_postfix: Callable[[int], Postfix]) -> None:
    """A real Postfix sends through us: the next hop sees a tag, and a bounce to it arrives."""
    server = sender_postfix(site.port)
    with Talk(server.port) as talk:
        assert [250] == [code for code, _ in talk.begin("eve@far.example", sender="ann@example.org")]
        assert 250 == talk.data(LETTER)[0]
    wait_until(lambda: bool(site.return_paths()), "the mail at the next hop", 30)
    (path,) = site.return_paths()
    assert re.fullmatch(r"prvs=0\d{3}[0-9a-f]{6}=ann@example\.org", path)
    assert (250, 250) == site.bounce(path, b"there-and-back")
    assert b"X-Automatic-Mail: bounce" in postfix.maildir("ann").wait("there-and-back")
    (row,) = site.gateway.json("journal", "--domain", "example.org", "far.example")
    assert (path, "accepted") == (row["from"], row["outcome"])
    shown = site.gateway.json("batv", "show", "example.org")
    assert [("ann", True)] == [(one["local"], one["since"] is not None) for one in shown["addresses"]]


def test_exim_sends(site: Site, exim_sender: Callable[[int], Exim]) -> None:
    """A real Exim with us as smart host: one transaction, the tag of the address, the mail as it came."""
    exim_sender(site.port).submit("ann@example.org", "eve@far.example", LETTER.replace(b"\r\n", b"\n"))
    wait_until(lambda: bool(site.return_paths()), "the mail at the next hop", 30)
    (path,) = site.return_paths()
    assert site.gateway.cli("batv", "tag", "ann@example.org").stdout.strip() == path
    assert b"hello" in site.sink.messages()[0]


def test_grace(site: Site) -> None:
    """Untagged bounces pass for seven days of signing; then they are refused at DATA; callouts live."""
    assert (250, 250) == site.bounce("ann@example.org")
    assert [250, 250] == site.out("ann@example.org", "eve@far.example")
    assert (250, 250) == site.bounce("ann@example.org")
    site.signed_days_ago(6.9)
    assert (250, 250) == site.bounce("ann@example.org")
    site.signed_days_ago(7.1)
    assert (250, 550) == site.bounce("ann@example.org")
    assert 250 == site.gateway.rcpt("ann@example.org", sender="")[0]
    assert (250, 250) == site.bounce("bob@example.org")
    assert (250, 250) == site.bounce("ann@second.example")
    assert (250, 250) == site.bounce(site.gateway.cli("batv", "tag", "ann@example.org").stdout.strip())
    site.gateway.stop()
    site.gateway.start()
    assert (250, 550) == site.bounce("ann@example.org")


def test_bad_tags(site: Site) -> None:
    """An expired tag, a guessed one and another domain's are refused with the null sender."""
    (shown,) = site.gateway.json("domain", "get", "example.org", "bounce.batv_keys", "--secrets")
    key = shown["value"][0][2:].encode()
    ann = parse_address("ann@example.org")
    for days, code in ((0, 250), (7, 250), (8, 550), (400, 550)):
        tagged = make(ann, 0, key, time.time() - days * DAY)
        assert tagged is not None
        assert (250, code) == site.bounce(tagged.text)
    other = site.gateway.cli("batv", "tag", "ann@second.example").stdout.strip()
    assert (250, 250) == site.bounce(other)
    assert (250, 550) == site.bounce(other.replace("second.example", "example.org"))
    assert (250, 550) == site.bounce("prvs=0123abcdef=ann@example.org")


def test_stripped_when_off(site: Site, postfix: Postfix) -> None:
    """With the check off tags are stripped all the same: the list of recipients sees the plain address."""
    site.gateway.cli("domain", "set", "example.org", "bounce.mode=off")
    with site.gateway.smtp() as client:
        client.sendmail(
            "eve@far.example", ["prvs=0123abcdef=bob@example.org"], LETTER + b"stripped-when-off\r\n"
        )
    postfix.maildir("bob").wait("stripped-when-off")
    assert 550 == site.gateway.rcpt("prvs=0123abcdef=nobody@example.org")[0]


def test_counts_lists_and_mailboxes(site: Site) -> None:
    """Counted addresses, a mailbox's own settings and its lists are those of the address behind the tag."""
    gateway = site.gateway
    gateway.cli("domain", "set", "example.org", "counted_address.mode=on")
    gateway.cli("domain", "set", "bob@example.org", "refuse_at=rcpt")
    gateway.cli("list", "add", "bob@example.org", "deny", "eve@far.example")
    wait_until(
        lambda: gateway.rcpt("prvs=0123abcdef=bob@example.org", sender="eve@far.example")[0] == 550,
        "bob's own list holds for his tagged address",
    )
    assert 250 == gateway.rcpt("prvs=0123abcdef=ann@example.org", sender="eve@far.example")[0]
    assert 250 == gateway.send(["prvs=0123abcdef=shop.5.ann@example.org"], LETTER)[0]
    (alias,) = gateway.json("alias", "list", "example.org")
    assert ("ann", "shop", 1, 4) == (alias["user"], alias["word"], alias["used"], alias["left"])


@pytest.mark.parametrize(
    ("source", "sender"),
    [
        ("127.0.0.6", "ann@example.org"),
        ("127.0.0.5", "ann@second.example"),
        ("127.0.0.9", "ann@example.org"),
        ("127.0.0.9", ""),
        ("127.0.0.9", "eve@far.example"),
        ("127.0.0.5", "eve@far.example"),
        ("127.0.0.5", "ann%example.org@far.example"),
        ("127.0.0.5", '"ann@example.org"@far.example'),
    ],
)
def test_nobody_else_relays(site: Site, source: str, sender: str) -> None:
    """Other networks, other domains' networks and foreign senders get 550, and the journal says so."""
    assert [550, 550] == site.out(sender, "eve@far.example", "ann@example.org", source=source)
    assert [] == site.sink.messages()
    wait_until(
        lambda: 2 == len(site.gateway.json("journal", "--plugin", "outgoing")), "two rows in the journal"
    )


def test_the_other_door_relays_nothing(site: Site) -> None:
    """The usual door stays what it is: no relaying, also for the networks of the outgoing one."""
    assert 550 == site.gateway.rcpt("eve@far.example", source="127.0.0.5", sender="ann@example.org")[0]


def test_rotation(site: Site) -> None:
    """A new key signs within a second; bounces to the old tag are good until the key is dropped."""
    old = site.gateway.cli("batv", "tag", "ann@example.org").stdout.strip()
    site.gateway.cli("batv", "key", "example.org")

    def signs_with_1() -> bool:
        site.out("ann@example.org", "eve@far.example")
        return any(path.startswith("prvs=1") for path in site.return_paths())

    wait_until(signs_with_1, "the new key signs")
    assert (250, 250) == site.bounce(old)
    site.gateway.cli("batv", "key", "example.org", "--drop", "0")
    wait_until(lambda: (250, 550) == site.bounce(old), "the old key is forgotten")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("-f", "rcpt", "-B", "550 5.1.1 no such user"), 550),
        (("-f", ".", "-B", "554 5.7.1 looks like spam"), 554),
        (("-r", "rcpt"), 450),
        (("-q", "data"), 451),
    ],
)
def test_next_hop_refuses(make_gateway: Make, postfix: Postfix, options: tuple[str, ...], code: int) -> None:
    """The next hop's 4xx, 5xx and silence are the client's answer; nothing is queued here."""
    with open_directory("hop") as top:
        hop = Sink(top, *options)
        site = Site(make_gateway, postfix.port, hop)
        assert [250, code] == site.out("ann@example.org", "eve@far.example")
        hop.stop()
    assert [250, 451] == site.out("ann@example.org", "eve@far.example")
    assert [] == site.gateway.json("queue", "list")
    shown = site.gateway.json("batv", "show", "example.org")
    assert [None] == [one["since"] for one in shown["addresses"]]
