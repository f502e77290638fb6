"""The classifier in a running gateway: taught from files, it refuses the next of the kind, and says why."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tests.mail.test_structure import nested
from tests.plugins.test_classifier import ham_mail, spam_mail
from tests.system.gateway import Gateway
from tests.system.meanwhile import nobody_waits
from tests.system.process import wait_until
from tests.system.running import in_force
from tests.system.sink import Sink
from tests.system.test_backends import ID, hosting

ANN, OTHER = "ann@example.org", "ann@other.example"


def write(folder: Path, count: int) -> None:
    """Write a folder of spam and one of wanted mail."""
    for kind, make in (("spam", spam_mail), ("ham", ham_mail)):
        (folder / kind).mkdir(parents=True)
        for number in range(count):
            (folder / kind / f"{number}.eml").write_bytes(make(number))


def test_taught_from_files(make_gateway: Callable[..., Gateway], sink: Sink, tmp_path: Path) -> None:
    """Refused for the domain that taught it, let in for the other; undone, it is let in again."""
    gateway = make_gateway(smtp={"workers": 2})
    for domain in ("example.org", "other.example"):
        hosting(gateway, sink.port, domain=domain)
        settings = ["classifier.mode=on", "classifier.least=5", "classifier.likely=5", "score.reject_at=4"]
        gateway.cli("domain", "set", domain, *settings)
    in_force()
    assert 250 == gateway.send([ANN], spam_mail(98))[0]
    write(tmp_path, 30)
    gateway.cli("learn", "spam", "example.org", str(tmp_path / "spam"))
    gateway.cli("learn", "ham", "example.org", str(tmp_path / "ham"))

    code, said = gateway.send([ANN], spam_mail(99))
    assert (550, "5.7.1") == (code, said.split()[0])
    assert {550} == {gateway.send([ANN], spam_mail(n))[0] for n in range(100, 110)}, "in both workers"
    assert 250 == gateway.send([OTHER], spam_mail(99))[0]
    assert 250 == gateway.send([ANN], ham_mail(99))[0]
    wanted = b"X-Gatepost-Classifier: wanted; log-odds=-"
    wait_until(lambda: any(wanted in one for one in sink.messages()), "what it thought, in the mail")

    found = re.search(ID, said)
    assert found is not None
    wait_until(lambda: gateway.json("journal", found[0]), "the refusal in the journal")
    explained = str(gateway.json("explain", found[0]))
    assert "raw bytes +" in explained
    assert "b:" in explained

    gateway.cli(
        "learn", "undo", "example.org", "--day", gateway.json("learn", "log", "example.org")[0]["time"][:10]
    )
    assert 250 == gateway.send([ANN], spam_mail(99))[0]


def test_a_mistake_is_mended(make_gateway: Callable[..., Gateway], sink: Sink, tmp_path: Path) -> None:
    """What was refused is kept; taught as wanted it is let in the next time."""
    gateway = make_gateway()
    hosting(gateway, sink.port)
    settings = [
        "classifier.mode=on",
        "classifier.least=5",
        "classifier.likely=5",
        "score.reject_at=4",
        "refuse_at=data",
    ]
    gateway.cli("domain", "set", "example.org", *settings)
    in_force()
    write(tmp_path, 30)
    for kind in ("spam", "ham"):
        gateway.cli("learn", kind, "example.org", str(tmp_path / kind))
    code, said = gateway.send([ANN], spam_mail(99))
    assert code == 550
    found = re.search(ID, said)
    assert found is not None
    assert "1 learnt as wanted" in gateway.cli("archive", "train", "ham", found[0]).stdout
    assert 250 == gateway.send([ANN], spam_mail(99))[0]


def test_a_bomb_holds_nobody_up(make_gateway: Callable[..., Gateway], sink: Sink) -> None:
    """T6.1: while the dearest mail we know of is read, another session's NOOP takes less than 100 ms."""
    gateway = make_gateway()
    hosting(gateway, sink.port)
    gateway.cli("domain", "set", "example.org", "classifier.mode=on")
    in_force()
    assert 250 == gateway.send([ANN], spam_mail(1))[0]  # numpy is there now
    bomb = nested(29) + b"\r\n" + b"--b\r\n" * (4 << 20)

    def send() -> None:
        assert 250 == gateway.send([ANN], bomb)[0]

    nobody_waits(gateway.port, send)
