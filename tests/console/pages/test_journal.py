"""The journal: searched by filters that are part of the address, page by page, own domains alone."""

import re

import pytest

from gatepost.console.pages import journal as pages
from gatepost.store.journal_lines import outcome_line
from gatepost.store.journal_writer import JournalWriter
from tests.console.house import NOW, House

ID = "0DQ3N7V5K2F8{}"
HOUR = 3600.0


@pytest.fixture(autouse=True)
def mails(house: House) -> None:
    """Write some mail of both domains and of none, an hour apart."""
    clock = [0.0]
    writer = JournalWriter(house.data, "w0", clock=lambda: clock[0])
    for n, (domain, sender, fate, plugin) in enumerate(
        (
            ("ann.example", "bob@x.example", "accepted", ""),
            ("eve.example", "bob@x.example", "rejected", "dnsbl"),
            ("ann.example", "mia@y.example", "rejected", "dnsbl"),
            ("ann.example", "", "rejected", "recipients"),
            ("", "bob@x.example", "rejected", "relaying"),
        )
    ):
        clock[0] = NOW - (5 - n) * HOUR
        to = f"you@{domain or 'no.example'}"
        writer.add(
            outcome_line(f"{ID.format(n)}.1", domain, to, sender, "192.0.2.9", fate, plugin, f"why {n}")
        )
        writer.flush()
    writer.close()


def shown(page: str) -> str:
    """Return the numbers of the mails on a page, in order."""
    return "".join(re.findall(r'href="/journal/0DQ3N7V5K2F8(\d)\.1"', page))


@pytest.mark.parametrize(
    ("who", "query", "expected"),
    [
        ("root", "", "43210"),
        ("ann", "", "320"),
        ("rob", "", "320"),
        ("eve", "", "1"),
        ("nobody", "", ""),
        ("root", "domain=eve.example", "1"),
        ("root", "sender=x.example&fate=rejected", "41"),
        ("ann", "sender=x.example", "0"),
        ("ann", "sender=<>", "3"),
        ("ann", "check=dnsbl", "2"),
        ("ann", "q=why 2", "2"),
        ("ann", "q=why 1", ""),
        # 1_800_000_000 is 2027-01-15 09:00 in Berlin.
        ("ann", "since=2027-01-15T06:30", "3"),
        ("ann", "until=2027-01-15T06:30", "20"),
        ("ann", "since=nonsense", "320"),
    ],
)
def test_filters(house: House, who: str, query: str, expected: str) -> None:
    """Each filter is in the address; nobody finds what is another's."""
    assert expected == shown(house.browser(who).page(f"/journal?{query}"))


def test_a_foreign_domain(house: House) -> None:
    """It is answered as one that is unknown, and so is its stream."""
    ann = house.browser("ann")
    for path in ("/journal", "/journal/live"):
        foreign, unknown = (ann.get(f"{path}?domain={name}.example") for name in ("eve", "not"))
        assert (404, unknown.text) == (foreign.status_code, foreign.text)


def test_pages(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Older mail is behind a link that keeps the filters, and only the newest page is live."""
    monkeypatch.setattr(pages, "PAGE", 2)
    ann = house.browser("ann")
    first = ann.page("/journal?fate=rejected&recipient=you")
    assert ("32", True) == (shown(first), "hx-sse:connect" in first)
    first = ann.page("/journal?recipient=you")
    found = re.search(r'rel="next"[^>]*href="([^"]+)"', first)
    assert found
    second = ann.page(found[1].replace("&amp;", "&"))
    assert ("0", False) == (shown(second), "hx-sse:connect" in second)
    assert "Nothing older is written down" in second
    assert 'value="you"' in second


def test_an_id_leads_to_its_mail(house: House) -> None:
    """Whoever types what stands in the SMTP reply is there at once, as it was read on the telephone."""
    answer = house.browser("ann").get("/journal?q=odq3n7v5k2f82")
    assert (303, "/journal/0DQ3N7V5K2F82") == (answer.status_code, answer.headers["location"])


def test_no_room(house: House) -> None:
    """One stream too many is no page and no fault."""
    live = house.app.state.live
    live._open["ann"] = 6
    assert 204 == house.browser("ann").get("/journal/live").status_code
