"""Kept mail is told by a digest in the domain's own server, and delivered from it by a link's button, once.

A gateway with its console, a real Exim behind, and a browser.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import httpx
import pytest
from playwright.sync_api import Browser, expect

from gatepost.config import load
from gatepost.config.desks import desk_from
from gatepost.desk import digest_marks
from gatepost.desk.desk import Desk
from gatepost.spool.index import Kept
from tests.console.chromium import Window
from tests.system.exim import Exim
from tests.system.gateway import Gateway
from tests.system.process import free_port, wait_until
from tests.system.test_backends import hosting
from tests.system.test_console_process import answers

BODY = "..a dot\r\n\tand an odd \xe9 line  \r\n" + "x" * 2000 + "\r\n"
LINK = re.compile(r"http://127\.0\.0\.1:\d+/digest/[\w.-]+")
DENIED = "127.0.0.67"


@dataclass
class Place:
    """What the tests happen at."""

    gateway: Gateway
    exim: Exim
    url: str

    def desk(self) -> Desk:
        """Return a desk on the gateway's data."""
        return desk_from(load(str(self.gateway.config), {}), "test")

    def refuse(self, to: str) -> str:
        """Send a mail that is refused and kept; returns the word that stands in its body and nowhere else."""
        marker = uuid.uuid4().hex
        text = f"From: <me@client.example>\r\nSubject: an offer\r\n\r\n{marker}\r\n{BODY}"
        code, said = self.gateway.send([to], text.encode("latin-1"), source=DENIED)
        assert 550 == code, said
        return marker

    def digest(self, mailbox: str, domain: str = "example.org") -> EmailMessage:
        """Send a mailbox its digest now; returns what arrived."""
        self.exim.maildir(mailbox).clear()
        self.gateway.cli("digest", domain, "--to", mailbox, "--send")
        raw = self.exim.maildir(mailbox).wait("Auto-Submitted: auto-generated")
        return read(raw)


def read(raw: bytes) -> EmailMessage:
    """Read a mail as programs of today do."""
    found = message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def as_sent() -> bytes:
    """Return the body as a Maildir holds it."""
    return BODY.encode("latin-1").replace(b"\r\n", b"\n")


def text_of(mail: EmailMessage) -> str:
    """Return its text."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def button(url: str) -> tuple[httpx.Client, dict[str, str]]:
    """Open a link twice, as a mail scanner and a person do; returns the browser and what its form sends."""
    httpx.get(url)
    browser = httpx.Client()
    page = browser.get(url)
    assert 200 == page.status_code
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', page.text)
    assert found
    return browser, {"csrf": found[1]}


@pytest.fixture
def place(make_gateway: Callable[..., Gateway], exim: Exim) -> Place:
    """Give a gateway with the domains of Exim, where one client is denied."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    gateway = make_gateway(console={"listen": f"127.0.0.1:{port}", "public_url": url})
    for domain in ("example.org", "second.example"):
        hosting(gateway, exim.port, domain=domain)
        gateway.cli("recipient", "add", domain, "postmaster")
        gateway.cli("list", "add", domain, "deny", DENIED)
        wait_until(
            lambda name=domain: gateway.send([f"bob@{name}"], b"x: y\r\n\r\n", source=DENIED)[0] == 550,  # type: ignore[misc]
            "the entry in force",
        )  # fmt: skip
    wait_until(lambda: answers(port), "the console")
    return Place(gateway, exim, url)


def test_from_the_digest_to_the_mailbox(place: Place) -> None:
    """Kept, told, opened, delivered as it came, once; afterwards it is gone, and a false link is none."""
    marker = place.refuse("ann@example.org")
    place.refuse("bob@example.org")
    mail = place.digest("ann")
    assert "1 mail was kept for ann@example.org" == mail["subject"]
    assert mail["return-path"] in (None, "<>")
    (link,) = LINK.findall(text_of(mail))
    browser, form = button(link)
    box = place.exim.maildir("ann")
    assert 1 == len(box.messages()), "nothing was delivered by looking"

    done = browser.post(link, data=form)
    assert (200, True) == (done.status_code, "on its way to ann@example.org" in done.text)
    arrived = box.wait(marker)
    assert as_sent() in arrived.replace(b"\r\n", b"\n")
    assert [410, 410] == [browser.post(link, data=form).status_code, browser.get(link).status_code]

    other = LINK.findall(text_of(place.digest("bob")))[0]
    said, mark = link.split("/")[-1].split(".")
    others, others_mark = other.split("/")[-1].split(".")
    for false in (f"{said}.{others_mark}", f"{others}.{mark}", f"{said}A.{mark}", said, "example"):
        browser, form = button(other)
        url = f"{place.url}/digest/{false}"
        assert [404, 404] == [browser.get(url).status_code, browser.post(url, data=form).status_code]
    assert 1 == sum(marker.encode() in one for one in box.messages())
    changes = place.gateway.json("changes", "example.org")
    assert ["digest link, ann@example.org"] == [one["by"] for one in changes if one["what"] == "released"]


def test_nobody_reads_of_another_domain(place: Place) -> None:
    """The same mailbox of another domain, and the whole domain's digest, hold the domain's mail alone."""
    place.gateway.cli("domain", "set", "example.org", 'digest.to=["postmaster"]', "digest.language=de")
    place.refuse("ann@example.org")
    place.refuse("ann@second.example")
    place.refuse("bob@second.example")
    whole = place.digest("postmaster")
    assert "Mails für example.org wurden aufbewahrt" in whole["subject"]
    assert "An ann@example.org" in text_of(whole)
    assert "second.example" not in text_of(whole)
    second = place.digest("ann", "second.example")
    assert "1 mail was kept for ann@second.example" == second["subject"]
    assert "example.org" not in text_of(second)


def test_when_it_is_due(place: Place) -> None:
    """The keeper sends it at its hour, once, though it is killed and started again."""
    now = time.time() - 120
    hour = datetime.fromtimestamp(now, UTC).replace(minute=0, second=0, microsecond=0)
    subject = uuid.uuid4().hex
    with place.desk() as desk:
        kept = Kept(
            "0DQ3N7V5K2F8T.1", hour.timestamp() - 600, "mia@partner.example", "bob@example.org",
            "example.org", subject=subject, held=True, outcome="quarantined", reason="by hand",
        )  # fmt: skip
        desk.archive.keep(kept, [b"Subject: x\r\n\r\n"])
        digest_marks.told(desk, "example.org", hour.timestamp() - 86_400, "the day before")
    box = place.exim.maildir("bob")
    box.clear()
    words = ("digest=daily", f"digest.hour={hour.hour}", "digest.mailboxes=on")
    place.gateway.cli("domain", "set", "example.org", *words)
    mail = read(box.wait(subject))
    assert "1 mail was kept for bob@example.org" == mail["subject"]
    assert LINK.search(text_of(mail))
    assert 0 == len(place.gateway.json("queue", "list"))

    def rows() -> list[dict[str, str]]:
        listed = place.gateway.json("journal", "--domain", "example.org", "--plugin", "courier")
        return [one for one in listed if one["recipient"] == "bob@example.org"]

    wait_until(lambda: bool(rows()), "it stands in the journal")
    (row,) = rows()
    assert "digest" in place.gateway.cli("explain", row["id"]).stdout

    place.gateway.kill()
    place.gateway.start()
    place.gateway.cli("domain", "set", "example.org", "digest.language=de")
    place.gateway.until_accepted("ann@example.org")
    said = place.digest("ann")  # sent behind a look of the keeper's: his is over by then
    assert "ann@example.org" in said["subject"]
    time.sleep(5)
    assert 1 == len(box.messages())


@pytest.mark.parametrize(("size", "scripts"), [("desktop", True), ("phone", True), ("phone", False)])
def test_in_a_browser(chromium: Browser, place: Place, size: str, scripts: bool) -> None:
    """The page of a link is usable by all, with and without JavaScript, and asks nobody else."""
    marker = place.refuse("ann@example.org")
    (link,) = LINK.findall(text_of(place.digest("ann")))
    with Window(chromium, place.url, size, scripts=scripts) as window:
        page = window.page
        page.goto(link)
        expect(page.get_by_role("heading", name="Deliver this mail?")).to_be_visible()
        expect(page.get_by_text("an offer")).to_be_visible()
        faults = window.axe() if scripts else []
        assert (0, []) == (window.overflow() if scripts else 0, faults)
        page.get_by_role("button", name="Deliver it").click()
        expect(page.get_by_text("The mail is on its way to ann@example.org")).to_be_visible()
        assert [] == (window.axe() if scripts else [])
        place.exim.maildir("ann").wait(marker)
        page.goto(link)
        expect(page.get_by_role("heading", name="This link is good no longer")).to_be_visible()
        assert [] == (window.axe() if scripts else [])
        assert ([], []) == (window.faults, window.foreign)
