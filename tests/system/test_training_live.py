"""Training by mail in a running gateway: a forwarded spam makes the next one be held, in one domain only."""

from __future__ import annotations

import re
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.test_classifier import ham_mail, spam_mail
from tests.system.gateway import Gateway
from tests.system.process import wait_until
from tests.system.running import in_force
from tests.system.sink import Sink
from tests.system.test_backends import hosting

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
    wait_until(lambda: two.json("archive", "list", "example.org"), "the held mail in the archive", 10)
    assert 250 == two.send([OTHER], spam_mail(2))[0]
    wait_until(lambda: count + 1 == len(sink.messages()), "delivered to the other domain", 5)
    assert not two.json("archive", "list", "other.example")

    two.cli("learn", "undo", "example.org", str(newest["number"]))
    assert 250 == two.send([ANN], spam_mail(1))[0]
    wait_until(lambda: count + 2 == len(sink.messages()), "delivered again", 5)
    assert before == score(sink.messages()[-1])
