"""A domain is removed and its name given to another owner while mail for the old one is under way."""

from __future__ import annotations

from threading import Thread
from typing import Any

from tests.system.gateway import Gateway
from tests.system.process import wait_until
from tests.system.running import behind, host, in_force, journal, running, written

NAME = "example.org"
BODY = b"From: a@x.example\r\nSubject: to the old one\r\n\r\nhello\r\n"


def test_in_data() -> None:
    """The client in the middle of DATA keeps its mail; its spool, journal and archive are the new owner's."""
    with running() as gateway, behind() as new:
        host(gateway, "other.example", "smtp://127.0.0.1:1")
        host(gateway, NAME, "smtp://127.0.0.1:1", on_backend_down="spool")
        gateway.until_accepted(f"ann@{NAME}")
        with gateway.smtp() as client:
            client.ehlo()
            client.mail("s@x.example")
            assert 250 == client.rcpt(f"ann@{NAME}")[0]
            assert 354 == client.docmd("DATA")[0]
            client.send(BODY)
            given_away(gateway, f"smtp://127.0.0.1:{new.port}")
            assert 451 == client.docmd(".")[0]
            client.mail("s@x.example")
            assert 250 == client.rcpt(f"bob@{NAME}")[0]
            assert 354 == client.docmd("DATA")[0]
            client.send(BODY.replace(b"old", b"new"))
            assert 250 == client.docmd(".")[0]
        assert [[f"RCPT TO:<bob@{NAME}>"]] == [taken.rcpts for taken in new.taken]
        assert [] == gateway.json("queue", "list")
        assert [f"bob@{NAME}"] == [row.recipient for row in written(gateway, 1, domain=NAME)]


def test_while_it_is_handed_on() -> None:
    """What its server takes while the name is given away is the old one's: the deletion waits for it."""
    with running() as gateway, behind(delay_at="final", delay=2.0) as old, behind() as new:
        host(gateway, "other.example", "smtp://127.0.0.1:1")
        host(gateway, NAME, f"smtp://127.0.0.1:{old.port}")
        gateway.until_accepted(f"ann@{NAME}")
        said: list[Any] = []
        sending = Thread(target=lambda: said.append(gateway.send([f"ann@{NAME}"], BODY)))
        sending.start()
        wait_until(lambda: bool(old.connections), "the old one's server is asked")
        in_force()
        given_away(gateway, f"smtp://127.0.0.1:{new.port}")
        sending.join(10)
        assert [250] == [code for code, _ in said]
        in_force()
        assert [] == journal(gateway, domain=NAME)
        assert [] == gateway.json("queue", "list")


def given_away(gateway: Gateway, route: str) -> None:
    """Remove the domain and add another of its name."""
    gateway.cli("domain", "remove", NAME, "--yes")
    gateway.cli("domain", "add", NAME, "--route", route, "--recipients", "any", "--anew")
    in_force()
