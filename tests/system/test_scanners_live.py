"""Real clamd, spamd and Rspamd behind a gateway: found, let in for who does not ask, and dead."""

from __future__ import annotations

import io
import json
import urllib.request
import zipfile
from base64 import encodebytes
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system import scanners
from tests.system.gateway import Gateway
from tests.system.process import free_port, open_directory, wait_until
from tests.system.running import in_force
from tests.system.scanners import EICAR, GTUBE, MARKER, Scanner
from tests.system.sink import Sink
from tests.system.test_backends import hosting, letter

ANN, OTHER = "ann@example.org", "ann@other.example"


@pytest.fixture(scope="module")
def clamd() -> Iterator[Scanner]:
    """Give a real clamd."""
    with open_directory("clamd") as top:
        server = scanners.clamd(top)
        yield server
        server.stop()


@pytest.fixture(scope="module")
def spamd() -> Iterator[Scanner]:
    """Give a real spamd."""
    with open_directory("spamd") as top:
        server = scanners.spamd(top)
        yield server
        server.stop()


@pytest.fixture(scope="module")
def rspamd() -> Iterator[Scanner]:
    """Give a real Rspamd."""
    with open_directory("rspamd") as top:
        server = scanners.rspamd(top)
        yield server
        server.stop()


def virus() -> bytes:
    """Return EICAR in a zip in a message."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("invoice.com", EICAR)
    lines = encodebytes(packed.getvalue()).replace(b"\n", b"\r\n")
    head = b"From: <me@client.example>\r\nSubject: invoice\r\nMIME-Version: 1.0\r\n"
    part = b'Content-Type: application/zip; name="invoice.zip"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    mixed = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee the file\r\n--b\r\n"
    return head + mixed + part + lines + b"--b--\r\n"


def text(words: bytes) -> bytes:
    """Return an ordinary message with these words."""
    return (
        b"From: Ann <me@client.example>\r\nTo: ann@example.org\r\nSubject: hello\r\n"
        b"Date: Wed, 25 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@client.example>\r\n\r\n" + words + b"\r\n"
    )


def on(gateway: Gateway, *settings: str) -> None:
    """Set for example.org, and wait until it is in force."""
    gateway.cli("domain", "set", "example.org", *settings)
    in_force()


def rows(gateway: Gateway) -> str:
    """Return the journal of example.org with what each check said."""
    found = gateway.json("journal", "--domain", "example.org")
    return str([gateway.json("explain", row["id"]) for row in found])


def test_row_7_2_virus_scanning(make_gateway: Callable[..., Gateway], sink: Sink, clamd: Scanner) -> None:
    """EICAR in a zip in a mail for two domains in one transaction: held for one, delivered for the other."""
    gateway = make_gateway(scanner={"clamav": {"address": clamd.address}})
    hosting(gateway, sink.port)
    hosting(gateway, sink.port, domain="other.example")
    on(gateway, "clamav.mode=on")
    code, said = gateway.send([ANN], virus())
    assert (550, "5.7.1") == (code, said.split()[0])
    assert "malware" in said
    assert 250 == gateway.send([OTHER], virus())[0]
    before = len(sink.messages())
    assert 250 == gateway.send([ANN, OTHER], virus())[0]
    (got,) = sink.messages()[before:]
    assert b"<ann@other.example>" in got
    assert b"<ann@example.org>" not in got
    wait_until(lambda: "quarantined" in rows(gateway), "the copy that is held")
    assert "ClamAV: Test.Eicar" in rows(gateway)
    assert 550 == gateway.send([ANN], letter("marker", MARKER.decode() + "\r\n"))[0]
    assert 250 == gateway.send([ANN], letter("clean"))[0]
    # A general allow entry does not lead past it.
    gateway.cli("list", "add", "example.org", "allow", "client.example")
    in_force()
    assert 550 == gateway.send([ANN], virus())[0]


def test_gtube_through_spamd(make_gateway: Callable[..., Gateway], sink: Sink, spamd: Scanner) -> None:
    """Points, the tests in the explanation, and the field's headers on what goes on."""
    gateway = make_gateway()
    hosting(gateway, sink.port)
    addresses = f'spamassassin.addresses=["{spamd.address}"]'
    on(gateway, "spamassassin.mode=on", addresses, "score.reject_at=12", "score.tag_at=5")
    assert 550 == gateway.send([ANN], text(GTUBE))[0]
    assert 250 == gateway.send([ANN], text(b"hello, see you on Monday"))[0]
    wait_until(lambda: "GTUBE" in rows(gateway), "its tests in the explanation")
    on(gateway, "score.reject_at=off")
    assert 250 == gateway.send([ANN], text(GTUBE))[0]
    got = sink.messages()[-1].replace(b"\r\n", b"\n")
    assert b"X-Spam-Flag: YES\n" in got
    assert b"X-Spam-Status: Yes, score=15.0 required=5.0\n\ttests=SPAMASSASSIN\n" in got
    assert b"X-Spam-Level: ***************\n" in got


def test_gtube_through_rspamd(make_gateway: Callable[..., Gateway], sink: Sink, rspamd: Scanner) -> None:
    """Refused by its own word; its symbols are in the explanation."""
    gateway = make_gateway()
    hosting(gateway, sink.port)
    on(gateway, "rspamd.mode=on", f'rspamd.urls=["http://{rspamd.address}"]')
    code, said = gateway.send([ANN], text(GTUBE))
    assert (550, "5.7.1") == (code, said.split()[0])
    assert 250 == gateway.send([ANN], text(b"hello, see you on Monday"))[0]
    wait_until(lambda: "MIME_GOOD(" in rows(gateway), "its symbols in the explanation")
    assert "GTUBE(" in rows(gateway)


def bayes(text_of: bytes, n: int) -> bytes:
    """Return one of many mails like it."""
    return text(text_of + b" in the year %d, for you and all others of the house" % n).replace(
        b"<1@", b"<%d@" % n
    )


def test_taught_what_people_train(make_gateway: Callable[..., Gateway], sink: Sink, tmp_path: Path) -> None:
    """SpamAssassin learns for the domain alone, Rspamd at its controller; while they are down it waits."""
    with open_directory("taught") as top:
        (top / "sa").mkdir()
        (top / "rs").mkdir()
        spamd, controller = scanners.spamd(top / "sa", learns=True), free_port()
        gateway = make_gateway(scanner={"spamassassin": {"address": spamd.address}})
        hosting(gateway, sink.port)
        on(
            gateway, "spamassassin.mode=on",
            "spamassassin.learn=true", "rspamd.mode=watch", 'rspamd.urls=["http://127.0.0.1:1"]',
            "rspamd.learn=true", f"rspamd.controller=http://127.0.0.1:{controller}",
        )  # fmt: skip
        for kind, words in (("spam", b"cheap pills"), ("ham", b"the minutes of our meeting")):
            for n in range(3):
                (tmp_path / f"{kind}{n}.eml").write_bytes(bayes(words, n))
            gateway.cli("learn", kind, "example.org", *(str(tmp_path / f"{kind}{n}.eml") for n in range(3)))
        try:
            tokens = top / "sa" / "users" / "example.org" / "bayes_toks"
            wait_until(tokens.exists, "SpamAssassin's Bayes of the domain")
            wait_until(lambda: "rspamd" in gateway.said(), "Rspamd is not there")
            errands = gateway.data / "learn" / "errands" / "example.org"
            assert 6 == sum(path.suffix == ".rspamd" for path in errands.iterdir())
            assert ["example.org"] == [path.name for path in (top / "sa" / "users").iterdir()]
            rspamd = scanners.rspamd(top / "rs", controller=controller)
            try:
                wait_until(lambda: not list(errands.iterdir()), "all errands done", 100)
                said = urllib.request.urlopen(f"http://127.0.0.1:{controller}/stat", timeout=10).read()
                assert 6 == json.loads(said)["learned"]
            finally:
                rspamd.stop()
        finally:
            spamd.stop()
    kinds = [row["as"] for row in gateway.json("learn", "log", "example.org")]
    assert ["ham"] * 3 + ["spam"] * 3 == kinds


def test_a_dead_scanner(make_gateway: Callable[..., Gateway], sink: Sink, clamd: Scanner) -> None:
    """By the domain's choice mail goes on or waits, never refused; the next address is asked."""
    gateway = make_gateway()
    hosting(gateway, sink.port)
    on(gateway, "clamav.mode=on", 'clamav.addresses=["127.0.0.1:1"]')
    code, said = gateway.send([ANN], virus())
    assert (451, "4.3.0") == (code, said.split()[0])
    assert "127.0.0.1:1: " in gateway.said()
    on(gateway, "clamav.on_failure=pass")
    assert 250 == gateway.send([ANN], virus())[0]
    on(gateway, f'clamav.addresses=["127.0.0.1:1", "{clamd.address}"]')
    assert 550 == gateway.send([ANN], virus())[0]
    assert 250 == gateway.send([ANN], letter("clean"))[0]
