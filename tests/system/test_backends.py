"""Mail goes through to a real Exim and a real Postfix behind; what may not in is refused at RCPT."""

import re
import subprocess
import uuid
from collections.abc import Callable

import pytest

from tests.system.exim import Exim
from tests.system.gateway import Gateway
from tests.system.postfix import Postfix
from tests.system.process import wait_until

ID = r"[0-9A-HJKMNP-TV-Z]{13}(\.\d+)?"
"""What an id looks like (gatepost.mail.ids)."""


def hosting(gateway: Gateway, port: int, *words: str, domain: str = "example.org") -> Gateway:
    """Make a domain that goes on to a back end, with ann and bob, while the server runs."""
    gateway.cli("domain", "add", domain, "--route", f"smtp://127.0.0.1:{port}", *words)
    gateway.cli("recipient", "add", domain, "ann", "bob")
    gateway.until_accepted(f"ann@{domain}")
    return gateway


def letter(marker: str, body: str = "Hello\r\n") -> bytes:
    """Return a small message."""
    return f"From: <me@client.example>\r\nSubject: {marker}\r\n\r\n{body}".encode()


@pytest.fixture(params=["exim", "postfix"])
def behind(request: pytest.FixtureRequest) -> Exim | Postfix:
    """Give one back end after the other."""
    server = request.getfixturevalue(request.param)
    assert isinstance(server, Exim | Postfix)
    return server


def test_mail_goes_through(gateway: Gateway, behind: Exim | Postfix) -> None:
    """A mail for ann arrives with our Received header, which carries the id of the reply."""
    hosting(gateway, behind.port)
    marker = uuid.uuid4().hex

    code, text = gateway.send(["ann@example.org"], letter(marker, ".dots\r\n..stay\r\n"))

    assert 250 == code, text
    arrived = behind.maildir("ann").wait(marker)
    assert b".dots\n..stay\n" in arrived.replace(b"\r\n", b"\n")
    assert b"by mx.gatepost.test" in arrived
    found = re.search(ID, text)
    assert found
    assert found[0].encode() in arrived


def test_row_7_4_virtual_rcpt_ok(gateway: Gateway, behind: Exim | Postfix) -> None:
    """Unknown recipients get 550 5.1.1 at RCPT, domains that are not hosted here 550 5.7.1."""
    hosting(gateway, behind.port)

    code, text = gateway.rcpt("nosuch@example.org")
    assert (550, "5.1.1") == (code, text.split()[0])
    assert re.search(ID, text)
    code, text = gateway.rcpt("ann@foreign.example")
    assert (550, "5.7.1") == (code, text.split()[0])


def test_the_back_ends_refusal_is_passed_on(gateway: Gateway, behind: Exim | Postfix) -> None:
    """Who exists for us and not for the back end is refused with its code; who is deferred, deferred."""
    hosting(gateway, behind.port)
    gateway.cli("recipient", "add", "example.org", "gone", "later")
    gateway.until_accepted("later@example.org")

    assert 550 == gateway.send(["gone@example.org"], letter("x"))[0]
    assert 451 == gateway.send(["later@example.org"], letter("x"))[0]


def test_callout(gateway: Gateway, behind: Exim | Postfix) -> None:
    """With `--recipients callout` the back end is asked who exists."""
    gateway.cli(
        "domain",
        "add",
        "example.org",
        "--route",
        f"smtp://127.0.0.1:{behind.port}",
        "--recipients",
        "callout",
    )
    gateway.until_accepted("bob@example.org")

    code, text = gateway.rcpt("nosuch@example.org")
    assert (550, "5.1.1") == (code, text.split()[0])


def test_two_domains_two_back_ends(gateway: Gateway, exim: Exim, postfix: Postfix) -> None:
    """One mail for two domains goes to both of their servers."""
    hosting(gateway, exim.port)
    hosting(gateway, postfix.port, domain="second.example")
    marker = uuid.uuid4().hex

    code, text = gateway.send(["ann@example.org", "bob@second.example"], letter(marker))

    assert 250 == code, text
    exim.maildir("ann").wait(marker)
    postfix.maildir("bob").wait(marker)


def test_xclient_tells_postfix_who_the_client_was(gateway: Gateway, postfix: Postfix) -> None:
    """A route with `?xclient` shows the back end the true client."""
    gateway.cli("domain", "add", "example.org", "--route", f"smtp://127.0.0.1:{postfix.port}?xclient")
    gateway.cli("recipient", "add", "example.org", "ann")
    gateway.until_accepted("ann@example.org")
    marker = uuid.uuid4().hex

    code, text = gateway.send(["ann@example.org"], letter(marker), source="127.0.0.77")

    assert 250 == code, text
    assert b"[127.0.0.77]" in postfix.maildir("ann").wait(marker)


def test_starttls_from_a_foreign_client(gateway: Gateway, exim: Exim, swaks: str) -> None:
    """swaks gets TLS with the certificate that was made at the first start, and its mail through."""
    hosting(gateway, exim.port)
    marker = uuid.uuid4().hex

    done = subprocess.run(
        [swaks, "--server", f"127.0.0.1:{gateway.port}", "--tls", "--from", "me@client.example",
         "--to", "ann@example.org", "--header", f"Subject: {marker}"],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip

    assert 0 == done.returncode, done.stdout + done.stderr
    arrived = exim.maildir("ann").wait(marker)
    assert b"ESMTPS" in arrived


def test_back_end_down(make_gateway: Callable[..., Gateway]) -> None:
    """With the back end down the sender is told to come again; with `spool` the mail is kept and queued."""
    gateway = hosting(make_gateway(), 1)

    code, text = gateway.send(["ann@example.org"], letter("x"))
    assert 451 == code, text

    gateway.cli("domain", "set", "example.org", "on_backend_down=spool")
    marker = uuid.uuid4().hex
    wait_until(lambda: 250 == gateway.send(["ann@example.org"], letter(marker))[0], "the new setting")
    assert "ann@example.org" in gateway.cli("queue", "list").stdout
