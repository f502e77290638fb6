"""A real clamd dies and comes back: a real HTTP server and a real mailbox outside hear of each once."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator

import pytest
import trustme

from tests.app.hooks import Hook, listening
from tests.system import scanners
from tests.system.exim import Exim
from tests.system.gateway import Gateway
from tests.system.postfix import Postfix
from tests.system.process import open_directory, wait_until
from tests.system.scanners import Scanner
from tests.system.sink import Sink
from tests.system.test_backends import hosting, letter
from tests.system.test_scanners_live import on

ANN = "ann@example.org"


@pytest.fixture
def hook() -> Iterator[Hook]:
    """Give a webhook."""
    with listening() as made:
        yield made


def test_clamd_dies_and_comes_back(
    make_gateway: Callable[..., Gateway], sink: Sink, postfix: Postfix, mortal_clamd: Scanner, hook: Hook
) -> None:
    """Out once by both ways, the mail encrypted; listed meanwhile; then over, once."""
    outside = postfix.maildir("bob")
    before = len(outside.messages())
    gateway = make_gateway(
        scanner={"clamav": {"address": mortal_clamd.address}},
        alarms={
            "webhook": hook.url, "after": 2,
            "mail_to": ["bob@second.example"], "mail_through": f"smtp://127.0.0.1:{postfix.port}",
        },
    )  # fmt: skip
    hosting(gateway, sink.port)
    on(gateway, "clamav.mode=on", "clamav.on_failure=pass")
    assert 250 == gateway.send([ANN], letter("well"))[0]
    key = f"scanner:{mortal_clamd.address}"
    mortal_clamd.stop()
    for _ in range(3):
        assert 250 == gateway.send([ANN], letter("dead"))[0]
    wait_until(lambda: hook.events == [("begin", key)], "the alarm")
    wait_until(lambda: len(outside.messages()) == before + 1, "the mail")
    (listed,) = gateway.json("alarms", "list")
    assert (key, None) == (listed["alarm"], listed["ended"])
    time.sleep(3)
    assert 250 == gateway.send([ANN], letter("still dead"))[0]

    again = scanners.clamd_again(mortal_clamd)
    try:
        wait_until(
            lambda: gateway.send([ANN], letter("alive"))[0] == 250 and len(hook.events) > 1, "its end", 30
        )
        assert [("begin", key), ("over", key)] == hook.events
        wait_until(lambda: len(outside.messages()) == before + 2, "the mail that it is over")
        assert [] == gateway.json("alarms", "list")
        assert 1 == len(gateway.json("alarms", "list", "--all"))
    finally:
        again.stop()
    began, over = outside.messages()[before:]
    assert b"Subject: [mx.gatepost.test] ALARM: The scanner" in began
    assert b"with ESMTPS id" in began
    assert b"Subject: [mx.gatepost.test] over: The scanner" in over


def test_a_webhook_that_comes_late(make_gateway: Callable[..., Gateway], sink: Sink, hook: Hook) -> None:
    """It is tried again until it takes the alarm; mail flows meanwhile; a dead back end is an alarm too."""
    hook.status = 503
    gateway = make_gateway(alarms={"webhook": hook.url, "after": 1})
    hosting(gateway, sink.port)
    sink.stop()
    place = f"127.0.0.1:{sink.port}"
    assert 451 == gateway.send([ANN], letter("nobody"))[0]
    wait_until(lambda: hook.tries > 0, "the first try")
    assert 451 == gateway.send([ANN], letter("nobody"))[0]
    said = gateway.cli("alarms", "list")
    assert "nothing gets out by webhook: the webhook answered 503" in said.stderr
    hook.status = 200
    wait_until(lambda: hook.events == [("begin", f"backend:{place}")], "the alarm", 30)
    assert ["example.org"] == hook.came[0]["domains"]


def test_a_worker_that_keeps_dying(make_gateway: Callable[..., Gateway], hook: Hook) -> None:
    """The parent writes each death down, and the keeper tells; once is no alarm."""
    gateway = make_gateway(alarms={"webhook": hook.url, "after": 0})

    def workers() -> list[str]:
        return re.findall(r"event=process_ready process=w0 pid=(\d+)", gateway.said())

    for number in range(3):
        # The door greets before the line is written: the parent writes it when it hears of it.
        wait_until(lambda number=number: len(workers()) > number, f"worker {number}", 30)  # type: ignore[misc]
        assert not hook.events
        os.kill(int(workers()[-1]), signal.SIGKILL)
    wait_until(lambda: hook.events == [("begin", "process:w0")], "the alarm")
    assert "3 times in the last 15 minutes, last with status -9" in hook.came[0]["text"]


def test_exim_that_wants_a_password(
    make_gateway: Callable[..., Gateway], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real Exim takes the alarm of who signed in; what it says of a wrong password is told."""
    with open_directory("exim") as top:
        authority = trustme.CA()
        issued = authority.issue_cert("127.0.0.1")
        issued.private_key_and_cert_chain_pem.write_to_path(str(top / "server.pem"))
        authority.cert_pem.write_to_path(str(top / "ca.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(top / "ca.pem"))
        password = top / "password"
        password.write_text("wrong\n")
        exim = Exim(top, top / "server.pem", top / "server.pem", login=("gate", "s3cret"))
        try:
            gateway = make_gateway(
                alarms={
                    "mail_to": ["bob@second.example"], "mail_through": f"smtp://127.0.0.1:{exim.port}",
                    "mail_user": "gate", "mail_password_file": str(password),
                },
            )  # fmt: skip
            failed = gateway.cli("alarms", "test", check=False)
            assert 1 == failed.returncode
            assert "did not let gate in: 535" in failed.stdout
            password.write_text("s3cret\n")
            assert "mail: sent" in gateway.cli("alarms", "test").stdout
            (mail,) = exim.maildir("bob").messages()
            assert b"This is a test" in mail
            assert b"esmtpsa" in mail
            assert "s3cret" not in gateway.cli("config", "show").stdout + gateway.said()
        finally:
            exim.stop()
