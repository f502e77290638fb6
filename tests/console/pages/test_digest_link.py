"""A digest's link shows its mail to whoever has it, and delivers it by its button alone, once."""

from __future__ import annotations

import re

import httpx
import pytest

from gatepost.console.pages import digest_link
from gatepost.desk import archive, changes, domains, malice
from gatepost.desk.digest_links import Link, look, make
from gatepost.desk.malice import Doubt
from tests.console.house import NOW, Browser, House
from tests.console.seed import keep

READER = "you@ann.example"


@pytest.fixture
def token(house: House) -> str:
    """The link of a reader to the first mail that is kept for him."""
    ref = keep(house)[0]
    with house.desk() as desk:
        domains.set_values(desk, "ann.example", {"digest.zone": "Asia/Tokyo"})
        return make(desk, Link("release", ref, READER, NOW + 86_400))


def press(browser: Browser, token: str) -> httpx.Response:
    """Open the page and press its button."""
    secret = browser.secret(f"/digest/{token}")
    return browser.client.post(f"/digest/{token}", data={"csrf": secret})  # type: ignore[no-any-return]


def queued(house: House) -> list[str]:
    """Return to whom something waits in the queue."""
    with house.desk() as desk:
        return [one.recipients[0].address for one in desk.queue.list()]


def test_look(house: House, token: str) -> None:
    """What it is, in the domain's zone and the browser's language, without a session; nothing changes."""
    browser = house.browser()
    for _ in range(3):
        page = browser.page(f"/digest/{token}")
    assert "Deliver this mail?" in page
    assert "The offer that you asked for" in page
    assert "mia@partner.example" in page
    assert "Times in Asia/Tokyo" in page
    assert "Sign out" not in page
    assert "Diese Mail zustellen?" in house.browser(**{"accept-language": "de"}).page(f"/digest/{token}")
    assert [] == queued(house)
    with house.desk() as desk:
        assert token in browser.get(f"/digest/{token}").url.path
        assert "released" not in {one.what for one in changes.listing(desk, "ann.example")}


def test_deliver(house: House, token: str) -> None:
    """The button delivers; whoever comes second, by page or button, finds the link used."""
    browser, other = house.browser(), house.browser()
    secret = other.secret(f"/digest/{token}")
    done = press(browser, token)
    assert (200, True) == (done.status_code, f"on its way to {READER}" in done.text)
    assert [READER] == queued(house)
    second = other.client.post(f"/digest/{token}", data={"csrf": secret})
    assert (410, 410) == (second.status_code, browser.get(f"/digest/{token}").status_code)
    assert "good no longer" in second.text
    with house.desk() as desk:
        (change, *_) = changes.listing(desk, "ann.example")
        assert ("digest link, you@ann.example", "released") == (change.by, change.what)
    assert "digest link, you@ann.example" in house.browser("ann").page("/changes?domain=ann.example")
    assert [READER] == queued(house)


def test_not_from_elsewhere(house: House, token: str) -> None:
    """Another site's form, a form without its secret, other methods: nothing is delivered."""
    browser = house.browser()
    secret = browser.secret(f"/digest/{token}")
    sent = {"csrf": secret}
    refused = [
        browser.client.post(f"/digest/{token}", data={}),
        browser.client.post(f"/digest/{token}", data=sent, headers={"origin": "https://evil.example"}),
        browser.client.post(f"/digest/{token}", data=sent, headers={"sec-fetch-site": "cross-site"}),
        house.browser().client.post(f"/digest/{token}", data=sent),
        browser.client.put(f"/digest/{token}", headers={"x-csrf-token": secret}),
        browser.client.delete(f"/digest/{token}", headers={"x-csrf-token": secret}),
        browser.client.head(f"/digest/{token}"),
    ]
    assert [403] * 4 + [405] * 3 == [answer.status_code for answer in refused]
    assert [] == queued(house)


def test_no_difference(house: House, token: str) -> None:
    """A link that is none is answered the same to the byte, whatever is wrong and whose domain it names."""
    browser = house.browser()
    browser.page("/login")
    foreign = House(house.data.parent / "elsewhere")
    refs = keep(foreign)
    said, mark = token.split(".")
    with foreign.desk() as desk:
        others = [make(desk, Link("release", ref, f"you@{ref.split('/')[1]}", NOW + 86_400)) for ref in refs]
    wrong = [
        *others,
        f"{said}.",
        said,
        f"{said}x.{mark}",
        f"{said}.{'A' * 43}",
        "example",
        "x" * 3000,
        "%00",
        "ä",
    ]
    answers = [browser.get(f"/digest/{one}") for one in wrong]
    answers += [
        browser.client.post(f"/digest/{one}", data={"csrf": browser.secret("/login")}) for one in wrong
    ]
    assert {404} == {answer.status_code for answer in answers}
    assert 1 == len({re.sub(r'value="[0-9a-f]{64}"', "", answer.text) for answer in answers})
    assert "This link opens nothing" in answers[0].text
    assert "example" not in re.sub(r"<footer.*", "", answers[0].text)


def test_gone(house: House, token: str) -> None:
    """Used, expired, deleted, a domain that is no longer here: 410, the same page."""
    with house.desk() as desk:
        expired = make(desk, Link("release", "2026-11-25/ann.example/x.eml.zst", READER, NOW))
        never = make(desk, Link("release", "2026-11-25/ann.example/x.eml.zst", READER, NOW + 9))
        domains.remove(desk, "ann.example")
    browser = house.browser()
    answers = [browser.get(f"/digest/{one}") for one in (token, expired, never)]
    assert [410] * 3 == [answer.status_code for answer in answers]
    assert 1 == len({answer.text for answer in answers})


def test_delivered_by_somebody_else(house: House, token: str) -> None:
    """Then the page says so, and has no button."""
    with house.desk() as desk:
        _, kept = look(desk, token)
        archive.release(desk, kept)
        claim = desk.queue.claim(archive.queue_name(kept))
        assert claim is not None
        desk.queue.done(claim)
    page = house.browser().page(f"/digest/{token}")
    assert ("delivered already" in page, "<button>" in page) == (True, False)


def test_limits(house: House, token: str) -> None:
    """A scanner that follows each link of a digest is let through; a network that goes on has to wait."""
    browser = house.browser()
    answers = [browser.get(f"/digest/{token}").status_code for _ in range(digest_link.REQUESTS + 1)]
    assert [200] * digest_link.REQUESTS + [429] == answers


@pytest.mark.parametrize(
    ("answered", "status", "said", "button"),
    [
        (True, 409, "what was found is dangerous: clamav: &lt;b&gt;Eicar", False),
        (False, 503, "the scanner does not answer at the moment", True),
    ],
)
def test_a_scan_is_against_it(
    house: House, token: str, monkeypatch: pytest.MonkeyPatch, answered: bool, status: int, said: str,
    button: bool,
) -> None:  # fmt: skip
    """It says why, of which mail and what to do, in the reader's language; once a scan is for it, it goes."""
    browser = house.browser()
    with monkeypatch.context() as patched:
        patched.setattr(malice, "found", lambda *_: Doubt("clamav: <b>Eicar", answered))
        answer = press(browser, token)
        german = press(house.browser(**{"accept-language": "de"}), token).text
    assert status == answer.status_code
    assert said in answer.text
    assert answered == ("Eicar" in answer.text)
    assert "The offer that you asked for" in answer.text
    assert "who looks after your mail" in answer.text
    assert button == ("Try it again" in answer.text)
    assert "good no longer" not in answer.text
    assert "Times in Asia/Tokyo" in answer.text
    assert "Betreuer Ihrer Mail" in german
    assert [] == queued(house)
    assert 200 == press(browser, token).status_code
    assert [READER] == queued(house)
