"""Training by mail in a running gateway: a forwarded spam makes the next one be held, in one domain only."""

from __future__ import annotations

import imaplib
import re
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.test_classifier import ham_mail, spam_mail
from tests.system.authority import SickDns, text
from tests.system.dovecot import Dovecot
from tests.system.gateway import Gateway
from tests.system.opendkim import OpenDkim
from tests.system.process import free_port, open_directory, wait_until
from tests.system.running import in_force
from tests.system.sink import Sink
from tests.system.test_backends import hosting
from tests.system.test_console_process import answers

ANN, OTHER = "ann@example.org", "ann@other.example"
SETTINGS = (
    "classifier.mode=on",
    "classifier.least=1",
    "classifier.likely=5",
    "classifier.likely_at=0.5",
    "score.quarantine_at=4",
)


@pytest.fixture
def two(make_gateway: Callable[..., Gateway], sink: Sink) -> Gateway:
    """Two domains with a classifier that knows a few wanted mails."""
    gateway = make_gateway(smtp={"workers": 2})
    for domain in ("example.org", "other.example"):
        hosting(gateway, sink.port, domain=domain)
        gateway.cli("domain", "set", domain, *SETTINGS)
    in_force()
    return gateway


def secret_address(gateway: Gateway, kind: str = "spam", domain: str = "example.org") -> str:
    """Return ann's own training address."""
    return str(gateway.json("learn", "address", domain, "ann")[kind])


def attached(original: bytes) -> bytes:
    """Return a forward of a mail as an attachment."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = f"Ann <{ANN}>", "spam@train.example.org", "Fwd: this is spam"
    made.set_content("See there.")
    made.add_attachment(original, maintype="message", subtype="x-placeholder", filename="mail.eml")
    return (
        made.as_bytes().replace(b"message/x-placeholder", b"application/octet-stream").replace(b"\n", b"\r\n")
    )


def log(gateway: Gateway, domain: str = "example.org") -> list[Any]:
    """Return the trainings, newest first."""
    return list(gateway.json("learn", "log", domain))


def score(mail: bytes) -> float:
    """Return what the classifier wrote into a delivered mail."""
    found = re.search(rb"X-Gatepost-Classifier: .*?log-odds=([+-][0-9.]+)", mail)
    assert found is not None, mail[:800]
    return float(found[1])


def teach_ham(gateway: Gateway, folder: Path) -> None:
    """Teach both domains what is wanted."""
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.eml").write_bytes(ham_mail(number))
    for domain in ("example.org", "other.example"):
        gateway.cli("learn", "ham", domain, str(folder))


def test_the_story(two: Gateway, sink: Sink, tmp_path: Path) -> None:
    """Forwarded to the training address; the next like it is held for that domain only; undone, it is not."""
    teach_ham(two, tmp_path / "ham")
    assert 250 == two.send([ANN], spam_mail(1))[0]
    delivered = sink.messages()[-1]
    before = score(delivered)
    address = secret_address(two)
    code, said = two.send([address], attached(delivered), sender=ANN)
    assert 250 == code, said

    (newest, *_) = log(two)
    assert (ANN, "address", "spam", False) == (newest["by"], newest["how"], newest["as"], newest["undone"])
    count = len(sink.messages())
    assert 250 == two.send([ANN], spam_mail(2))[0]
    assert count == len(sink.messages()), score(sink.messages()[-1])
    wait_until(lambda: two.json("archive", "list", "example.org"), "the held mail in the archive")
    assert 250 == two.send([OTHER], spam_mail(2))[0]
    wait_until(lambda: count + 1 == len(sink.messages()), "delivered to the other domain")
    assert not two.json("archive", "list", "other.example")

    two.cli("learn", "undo", "example.org", str(newest["number"]))
    assert 250 == two.send([ANN], spam_mail(1))[0]
    wait_until(lambda: count + 2 == len(sink.messages()), "delivered again")
    assert before == score(sink.messages()[-1])


def test_an_inline_forward_after_a_restart(two: Gateway, sink: Sink, tmp_path: Path) -> None:
    """The features of a delivered mail are found again by its id, although the forward mangled it."""
    teach_ham(two, tmp_path / "ham")
    assert 250 == two.send([ANN], spam_mail(1))[0]
    value = re.search(rb"(?m)^X-Gatepost-Id: ([^\r\n]+)", sink.messages()[-1])
    assert value is not None
    two.stop()
    two.start()
    line = f"X-Gatepost-Id: {value[1].decode()}"
    quoted = f"----- Forwarded message -----\r\n{line}\r\nSubject: x\r\n\r\nmangled\r\n"
    forward = f"Subject: Fwd: junk\r\n\r\n{quoted}"
    assert 250 == two.send([secret_address(two)], forward.encode())[0]
    assert 250 == two.send([secret_address(two, domain="other.example")], forward.encode())[0]
    (newest, *_), (other, *_) = log(two), log(two, "other.example")
    assert (1.0, value[1].decode().partition(";")[0]) == (newest["weight"], newest["id"])
    assert (0.3, None) == (other["weight"], other["id"]), "another domain's id is none"


def test_said_is_durable(two: Gateway, tmp_path: Path) -> None:
    """What got 250 is there after a power failure, and counts once when the client comes again."""
    teach_ham(two, tmp_path / "ham")
    address = secret_address(two)
    assert 250 == two.send([address], attached(spam_mail(1)), sender=ANN)[0]
    two.kill()
    two.start()
    assert "spam" == log(two)[0]["as"]
    count = len(log(two))
    assert 250 == two.send([address], attached(spam_mail(1)), sender=ANN)[0]
    assert count == len(log(two))


def test_strangers(two: Gateway, sink: Sink) -> None:
    """Refused at RCPT, or after the data; nothing is delivered, kept or learnt."""
    for sender in ("x@client.example", "nobody@example.org"):
        code, said = two.send(["spam@train.example.org"], attached(spam_mail(1)), sender=sender)
        assert (550, "5.7.1") == (code, said.split()[0])
    code, said = two.send(["spam@train.example.org"], attached(spam_mail(1)), sender=ANN)
    assert (550, "5.7.1") == (code, said.split()[0])
    assert not sink.messages()
    assert not two.json("archive", "list", "example.org")
    assert not log(two)


def test_moved_between_folders(make_gateway: Callable[..., Gateway], sink: Sink) -> None:
    """The how-to with a real Dovecot: into Junk is spam, out of it wanted, into the bin neither."""
    port = free_port()
    gateway = make_gateway(console={"listen": f"127.0.0.1:{port}"})
    hosting(gateway, sink.port)
    gateway.cli("user", "add", "dovecot", "--domain", "example.org")
    token = gateway.cli(
        "token", "add", "dovecot", "mailboxes", "--rights", "change", "--domain", "example.org"
    ).stdout.strip()
    wait_until(lambda: answers(port), "the console")
    with open_directory("dovecot") as top:
        server = Dovecot(top, port, token)
        try:
            ann = server.sign_in(ANN)
            for number in range(3):
                ann.append("INBOX", "", imaplib.Time2Internaldate(0), spam_mail(number))
            ann.select("INBOX")
            assert "OK" == ann.uid("MOVE", "1:2", "Junk")[0]
            wait_until(lambda: 2 == len(log(gateway)), f"two trainings: {server.log()}")
            assert {(ANN, "api", "spam")} == {(one["by"], one["how"], one["as"]) for one in log(gateway)}
            ann.select("Junk")
            ann.copy("1", "INBOX")
            wait_until(lambda: 3 == len(log(gateway)), f"wanted after all: {server.log()}")
            assert "ham" == log(gateway)[0]["as"]
            ann.copy("2", "Trash")
            ann.copy("2", "INBOX")
            wait_until(lambda: 4 == len(log(gateway)), "the second one")
            assert ["ham", "ham", "spam", "spam"] == [one["as"] for one in log(gateway)]
            ann.logout()
        finally:
            server.stop()


def test_signed_by_the_domains_own_server(
    make_gateway: Callable[..., Gateway], sick_dns: SickDns, sink: Sink
) -> None:
    """A real OpenDKIM signs what Ann forwards; the same mail is none at the other address, or unsigned."""
    with open_directory("signer") as top:
        signer = OpenDkim(top, "own.sick.test", "rsa-sha256")
        sick_dns.authority.add(f"{signer.selector}._domainkey.own", "TXT", text(signer.record))
        try:
            gateway = make_gateway(dns={"servers": [sick_dns.server]})
            hosting(gateway, sink.port, domain="own.sick.test")
            ann = "ann@own.sick.test"
            plain = attached(spam_mail(1)).replace(b"example.org", b"own.sick.test")
            raw = signer.sign(plain, ann)
            for to, wanted in (("spam", 250), ("ham", 550)):
                assert wanted == gateway.send([f"{to}@train.own.sick.test"], raw, sender=ann)[0]
            assert 550 == gateway.send(["spam@train.own.sick.test"], plain, sender=ann)[0]
            assert [(ann, "spam")] == [(one["by"], one["as"]) for one in log(gateway, "own.sick.test")]
        finally:
            signer.stop()
