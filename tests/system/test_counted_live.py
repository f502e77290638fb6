"""Counted addresses through a running gateway: systems-before 7.3, each row by its name."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.system.gateway import Gateway
from tests.system.maildir import Maildir
from tests.system.process import wait_until
from tests.system.running import behind, in_force, workers
from tests.system.test_backends import letter

DOMAIN = "example.org"


def host(gateway: Gateway, route: str, *settings: str) -> Gateway:
    """Host the domain with ann and counted addresses; `refuse_at` is the default, `data`."""
    gateway.cli("domain", "add", DOMAIN, "--route", route)
    gateway.cli("recipient", "add", DOMAIN, "ann")
    on = ("counted_address.mode=on", "counted_address.new_seconds=0", "counted_address.most_an_hour=0")
    gateway.cli("domain", "set", DOMAIN, *on, *settings)
    in_force()
    return gateway


@pytest.fixture
def mail(tmp_path: Path) -> Maildir:
    """Give ann's Maildir."""
    return Maildir(tmp_path / "mail" / "ann")


@pytest.fixture
def hosted(make_gateway: Callable[..., Gateway], mail: Maildir) -> Iterator[Gateway]:
    """Give a gateway with two workers that delivers to Maildirs."""
    gateway = make_gateway(smtp={"workers": 2})
    yield host(gateway, f"maildir://{mail.path.parent}/%u")


def send(gateway: Gateway, form: str, marker: str = "hello", sender: str = "shop@client.example") -> int:
    """Send a mail to an address of the domain; the last code."""
    return gateway.send([f"{form}@{DOMAIN}"], letter(marker), sender=sender)[0]


def test_row_7_3_spamgourmet_like_setup(hosted: Gateway, mail: Maildir) -> None:
    """7.3 "spamgourmet-like setup": count, date, rewriting, exhausted = 550, the owner's list and reset."""
    assert [250, 250, 250] == [
        send(hosted, form, f"m{n}") for n, form in enumerate(["s.2.ann", "ann.2.s", "x.ann"])
    ]
    first = mail.wait("m0")
    assert b"X-Counted-Address: s: message 1 of 2\r\n" in first.replace(b"\r\n", b"\n").replace(
        b"\n", b"\r\n"
    )
    mail.wait("m1")
    # Exhausted at RCPT, though the domain refuses after the data; the reason is the owner's alone.
    code, text = hosted.rcpt(f"s.2.ann@{DOMAIN}")
    assert (550, "5.2.1") == (code, text.split()[0])
    assert "used up" not in text
    # A BATV tag is no other address.
    assert 550 == hosted.rcpt(f"prvs=0123abcdef=s.2.ann@{DOMAIN}")[0]
    # A date: to the end of the day, and one that is over.
    assert 250 == send(hosted, f"d.{date.today() + timedelta(days=2)}.ann", "dated")
    assert 550 == hosted.rcpt(f"e.2020-03-10.ann@{DOMAIN}")[0]
    # Nobody is made to exist.
    assert "5.1.1" == hosted.rcpt(f"s.5.nobody@{DOMAIN}")[1].split()[0]
    rows = {row["word"]: row for row in hosted.json("alias", "list", DOMAIN)}
    assert {"s", "x", "d"} == set(rows)
    assert ("used up", 2, 0) == tuple(rows["s"][key] for key in ("over", "used", "left"))
    refused = hosted.json("alias", "show", f"s.2.ann@{DOMAIN}")["refused"]
    assert ["used up", "used up"] == [row["reason"] for row in refused]
    hosted.cli("alias", "reset", f"s.ann@{DOMAIN}")
    assert [250, 250, 550] == [send(hosted, "s.2.ann") for _ in range(3)]
    hosted.cli("alias", "close", f"x.3.ann@{DOMAIN}")
    assert 550 == hosted.rcpt(f"x.3.ann@{DOMAIN}")[0]


def test_row_7_3_publish_plugins_in_the_usual_place(
    make_gateway: Callable[..., Gateway], mail: Maildir, tmp_path: Path
) -> None:
    """7.3 "publish plugins": one file in a folder is a check with a switch of its own."""
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o755)
    (folder / "no_shops.py").write_text(
        '"""Refuse shops."""\n'
        "from gatepost.plugin import Plugin, Reject\n\n\n"
        "class NoShops(Plugin):\n"
        '    """Refuse shops. They write too much."""\n\n'
        "    def mail(self, ctx):\n"
        '        return Reject("a shop") if ctx.sender and ctx.sender.local == "shop" else None\n'
    )
    (folder / "no_shops.py").chmod(0o644)
    gateway = host(make_gateway(plugins={"folder": str(folder)}), f"maildir://{mail.path.parent}/%u")
    assert 250 == send(gateway, "ann")
    gateway.cli("domain", "set", DOMAIN, "no_shops.mode=on", "refuse_at=rcpt")
    in_force()
    assert [550, 250] == [send(gateway, "ann"), send(gateway, "ann", sender="ann@client.example")]
    # What another check refuses costs no use.
    assert [550, 250] == [send(gateway, "w.1.ann"), send(gateway, "w.1.ann", sender="a@client.example")]


def test_two_at_once_for_a_count_of_one(hosted: Gateway, mail: Maildir) -> None:
    """Many at once, over two workers: exactly one gets in, and then the address is used up."""
    codes: Counter[int] = Counter()
    barrier = threading.Barrier(12)

    def client() -> None:
        barrier.wait(30)
        codes[send(hosted, "race.1.ann", "race")] += 1

    threads = [threading.Thread(target=client) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert 1 == codes[250], codes
    assert {250, 450, 550} >= set(codes), codes
    assert 550 == hosted.rcpt(f"race.1.ann@{DOMAIN}")[0]
    mail.wait("race")


def test_sender_that_gives_up_costs_nothing(hosted: Gateway) -> None:
    """RSET, QUIT and a lost connection give the use back at once."""
    for ending in ("rset", "quit", "close"):
        with hosted.smtp() as client:
            client.ehlo()
            client.mail("shop@client.example")
            # The question before, in a session that has quit, may hold the use for a moment still.
            wait_until(lambda: client.rcpt(f"w.1.ann@{DOMAIN}")[0] == 250, "given back by the last one")
            getattr(client, ending)()
            if ending == "rset":
                client.mail("shop@client.example")
                wait_until(lambda: client.rcpt(f"w.1.ann@{DOMAIN}")[0] == 250, "given back")
        wait_until(lambda: hosted.rcpt(f"w.1.ann@{DOMAIN}")[0] == 250, f"given back after {ending}")
    wait_until(lambda: send(hosted, "w.1.ann") == 250, "accepted")
    assert 550 == hosted.rcpt(f"w.1.ann@{DOMAIN}")[0]


def test_back_end_that_refuses_costs_nothing(make_gateway: Callable[..., Gateway]) -> None:
    """A mail that the domain's own server refused or put off is no use of the address."""
    gateway = make_gateway()
    answers = iter([b"550 5.7.1 No\r\n", b"451 4.2.0 Later\r\n", b"250 2.0.0 Taken\r\n"])
    with behind(final=lambda _said: next(answers)) as backend:
        host(gateway, f"smtp://127.0.0.1:{backend.port}")
        assert [550, 451, 250, 550] == [send(gateway, "w.1.ann") for _ in range(4)]


def test_killed(hosted: Gateway, mail: Maildir) -> None:
    """kill -9 of workers under load: what got 250 is counted, and no more get in than it takes."""
    limit, stop = 20, threading.Event()
    lock, accepted = threading.Lock(), [0]

    def client(number: int) -> None:
        while not stop.is_set():
            try:
                code = send(hosted, f"k.{limit}.ann", f"killed-{number}")
            except OSError:
                time.sleep(0.02)
                continue
            with lock:
                accepted[0] += code == 250
            if code == 550:
                return

    threads = [threading.Thread(target=client, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(6):
        time.sleep(0.1)
        for worker in workers(hosted):
            try:
                os.kill(worker, signal.SIGKILL)
            except ProcessLookupError:
                pass
    wait_until(lambda: hosted.rcpt("ann@example.org")[0] == 250, "served again")
    time.sleep(0.5)
    stop.set()
    for thread in threads:
        thread.join(30)
    (row,) = hosted.json("alias", "list", DOMAIN)
    assert 0 < accepted[0] <= row["used"] <= limit


def test_in_the_backup(hosted: Gateway, tmp_path: Path) -> None:
    """What was used is in the backup: put back, the address is used up again."""
    assert 250 == send(hosted, "b.1.ann")
    hosted.cli("backup", str(tmp_path / "backup"))
    hosted.cli("alias", "reset", f"b.1.ann@{DOMAIN}")
    assert "" == hosted.json("alias", "show", f"b.1.ann@{DOMAIN}")["over"]
    hosted.stop()
    hosted.cli("restore", str(tmp_path / "backup"), "--replace")
    hosted.start()
    assert 550 == hosted.rcpt(f"b.1.ann@{DOMAIN}")[0]


def test_check_says_it_without_doing_it(hosted: Gateway, tmp_path: Path) -> None:
    """`gatepost check` shows whose it is and uses nothing up."""
    (tmp_path / "m").write_bytes(letter("what if"))
    words = ("check", str(tmp_path / "m"), "--from", "shop@client.example", "--to", f"w.1.ann@{DOMAIN}")
    for _ in range(2):
        assert "accepted" in hosted.cli(*words).stdout
    assert [250, 550] == [send(hosted, "w.1.ann") for _ in range(2)]
    assert "used up" in hosted.cli(*words).stdout


def test_subject_tag(hosted: Gateway, mail: Maildir) -> None:
    """As an option the subject says which address it was; another recipient's copy is as it came."""
    hosted.cli("domain", "set", DOMAIN, "counted_address.tag_subject=true")
    in_force()
    both = [f"shop.1.ann@{DOMAIN}", f"ann@{DOMAIN}"]
    assert 250 == hosted.send(both, letter("offer", "..and more\r\n" * 100_000))[0]
    wait_until(lambda: len(mail.files()) == 2, "both copies")
    tagged, plain = sorted(mail.messages(), key=len, reverse=True)
    assert b"\nSubject: offer (shop: message 1 of 1, the last one)\n" in tagged.replace(b"\r\n", b"\n")
    assert b"\nSubject: offer\n" in plain.replace(b"\r\n", b"\n")
    assert (
        tagged.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
        == plain.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
    )
    assert 100_000 == plain.count(b"..and more")


def test_subject_tag_in_the_spool(make_gateway: Callable[..., Gateway]) -> None:
    """A copy that waits in the spool has its tag too."""
    gateway = make_gateway()
    tag = ("counted_address.tag_subject=true", "on_backend_down=spool")
    host(gateway, "smtp://127.0.0.1:1", *tag)
    assert 250 == send(gateway, "shop.1.ann", "offer")
    (file,) = (gateway.data / "spool").rglob("*.eml")
    assert b"\r\nSubject: offer (shop: message 1 of 1, the last one)\r\n" in file.read_bytes()
    assert 1 == gateway.json("alias", "list", DOMAIN)[0]["used"]


def test_settings_of_one_user(hosted: Gateway) -> None:
    """A user's own prefix, trusted senders and switch hold for him and for nobody else."""
    hosted.cli("recipient", "add", DOMAIN, "bob", "carl")
    own = ("counted_address.prefix=my", 'counted_address.trusted=["friend.example"]')
    hosted.cli("domain", "set", f"bob@{DOMAIN}", *own)
    hosted.cli("domain", "set", f"carl@{DOMAIN}", "counted_address.mode=off")
    in_force()
    assert [550, 250, 250] == [send(hosted, form) for form in ("w.1.bob", "my.w.1.bob", "w.1.ann")]
    assert [550, 250] == [send(hosted, "w.1.bob"), send(hosted, "w.1.bob", sender="a@friend.example")]
    assert "5.1.1" == hosted.rcpt(f"w.1.carl@{DOMAIN}")[1].split()[0]
