"""Everything that a sender wrote is hostile: on no page it runs a script or reaches another host (T4.1)."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Dialog

from gatepost.desk import alarm_book, batv, lists
from gatepost.desk.alarms import Alarm
from gatepost.desk.deeds import at_once
from gatepost.plugin.batv import since_key
from gatepost.plugin.counted import Kept
from gatepost.store.journal_lines import outcome_line, session_line
from gatepost.store.journal_writer import JournalWriter
from gatepost.store.reviews_db import ReviewRow
from gatepost.telemetry.conditions import Conditions
from tests.console.addresses import PARTS, addresses
from tests.console.chromium import Window
from tests.console.house import House
from tests.console.seed import apart, keep, now, refused, wait
from tests.console.served import Served

PAYLOADS = (
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    '"><svg onload="document.title=\'owned\'">',
    "'-(document.title='owned')-'",
    "javascript:document.title='owned'",
    "{{ cycler.__init__.__globals__ }}${7*7}<%= 7*7 %>",
    "</textarea></title><iframe src=//evil.example></iframe>",
    "\u202egnp.exe\u2066 <link rel=stylesheet href=//evil.example/x.css>",
    "a\x1b[2J\x07\x00b",
    "<a href=//evil.example autofocus onfocus=document.title='owned'>x</a>",
)

ADDRESS = dict(PARTS)


def letter(bad: str) -> bytes:
    """Return a mail with payloads wherever a sender may write, also where a character set should stand."""
    word = base64.b64encode(bad.encode()).decode()
    flat = bad.replace('"', "'")
    parts = [
        f"From: =?utf-8?b?{word}?= <x@y.example>\r\nTo: {bad}\r\nSubject: =?utf-8?b?{word}?=",
        f"X-{flat}: {bad}",
        "Date: " + bad,
        'Content-Type: multipart/mixed; boundary="<b>"\r\n',
        f'--<b>\r\nContent-Type: text/html; charset="{flat}"\r\n\r\n<h1>{bad}</h1>{"".join(PAYLOADS)}',
        f'--<b>\r\nContent-Type: text/plain; charset="<script>"\r\n\r\n{bad}',
        f'--<b>\r\nContent-Type: image/svg+xml; name="{flat}.svg"',
        f"Content-Transfer-Encoding: {flat}\r\n\r\n{bad}",
        f"--<b>\r\nContent-Type: \"{flat}\"/x; name*=utf-8''{quote(bad)}\r\n\r\nx\r\n--<b>--\r\n",
    ]
    return "\r\n".join(parts).encode()


HOOKED = """[...document.querySelectorAll('main *')]
    .filter(one => [...one.attributes].some(attribute => attribute.name.startsWith('on'))).length"""


def hostile_records(house: House) -> None:
    """Put payloads into what checks keep of strangers' addresses."""
    closed = {"since": now() - 60, "until": now() + 600, "bounces": 20}
    with house.desk("ann") as desk:
        batv.add(desk, "ann.example", ["*"])
        for n, bad in enumerate(PAYLOADS):
            row = closed | {"opened_by": bad} | ({"until": now() - 30} if n % 2 else {})
            at_once(desk.records.put("ann.example", "bounce_storm", f"closed {bad}", row))
            at_once(desk.records.put("ann.example", "dmarc", f"forwarder {bad}", {"mails": 3, "last": 5}))
            at_once(desk.records.put("ann.example", "bounce", since_key(bad), {"since": 5.0}))
            counted = Kept(3, by=bad, only=bad, address=bad, changed=bad).record()
            key = f"at {bad.replace(' ', '_')} {bad.replace(' ', '_')}"
            at_once(desk.records.put("ann.example", "counted_address", key, counted))


def hostile_alarms(house: House) -> None:
    """Put payloads into what servers outside said when they were in trouble."""
    seen = Conditions()
    with house.desk("ann") as desk:
        for bad in PAYLOADS:
            seen.ill("backend", bad, bad, now(), "ann.example")
            for kind in ("backend", "held"):
                alarm_book.remember(desk, Alarm(kind, bad, bad, now(), now(), domains=("ann.example", bad)))
            alarm_book.way_fails(desk, bad, bad)
    (house.data / "run").mkdir(exist_ok=True)
    seen.write(house.data / "run" / "conditions-w0.json", now())


def hostile_reviews(house: House) -> None:
    """Put payloads into what refused senders ask, also where our own page would not take them."""
    with house.desk("ann") as desk:
        for n, bad in enumerate(PAYLOADS):
            row = ReviewRow(
                0, "ann.example", f"{ADDRESS['id']}.1", f"{n}{bad}", bad, bad, now(), bad, bad, bad
            )
            number = desk.reviews.add(row, of_network=99, of_domain=99)
            if n % 2:
                assert desk.reviews.decide("ann.example", number, bad, bad, now())


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Served]]:
    """Give a console whose every untrusted field holds a payload."""
    house = House(Path(tmp_path_factory.mktemp("poisoned")) / "data", clock=now)
    writer = JournalWriter(house.data, "w0")
    for n, bad in enumerate(PAYLOADS):
        session = f"3479ACDE{'FH'[n // 8]}{'3479ACEF'[n % 8]}"
        writer.add(
            outcome_line(
                f"{session}.1", "ann.example", bad, bad, bad, "rejected", bad, bad, 550, subject=bad,
                archive_ref="", trace="",
            )
        )  # fmt: skip
        writer.add(session_line(session, bad, bad, bad, bad, bad, 1, steps=""))
    bad = "".join(PAYLOADS).replace("\x00", "")
    trace = json.dumps([["dnsbl", "connect", "reject", 1.0, bad], ["dns", "", "answered", 0, bad]])
    writer.add(
        outcome_line(
            f"{ADDRESS['id']}.1", "ann.example", bad, bad, bad, "rejected", "dnsbl", bad, 550, subject=bad,
            archive_ref="", trace=trace,
        )
    )  # fmt: skip
    writer.add(session_line(ADDRESS["id"], bad, bad, bad, bad, bad, 1))
    writer.close()
    keep(house, letter(bad), bad)
    wait(house, now(), bad)
    with house.desk("ann") as desk:
        for n, bad in enumerate(PAYLOADS[:6]):
            lists.add(desk, "ann.example", "allow", f"s{n}@y.example", plugin="dnsbl", note=bad)
            lists.add(desk, None, "deny", f"helo:{bad.replace(' ', '_')}", note=bad)
    apart(lambda: hostile_records(house))
    apart(lambda: hostile_reviews(house))
    apart(lambda: hostile_alarms(house))
    told = json.dumps([["reply", "", "told", 0, "".join(PAYLOADS)]])
    refused(house, sender=bad, plugin=bad, reason=bad, trace=told)
    with Served(house.app) as served:
        yield house, served


@pytest.mark.parametrize("name", ["root", "ann"])
def test_no_script_runs(chromium: Browser, poisoned: tuple[House, Served], name: str) -> None:
    """A payload is text: no new title, no dialog, no foreign request, nothing that the policy had to stop."""
    house, served = poisoned
    seen = 0
    with Window(chromium, served.url) as window:
        window.be(f"token-{name}")
        dialogs: list[str] = []

        def opened(dialog: Dialog) -> None:
            dialogs.append(dialog.message)
            dialog.dismiss()  # the page would stand still

        window.page.on("dialog", opened)
        for path in (*addresses(house), "/reviews?state=decided"):
            window.page.goto(path)
            window.page.wait_for_timeout(50)
            assert "owned" != window.page.title(), path
            assert ([], [], []) == (dialogs, window.foreign, window.faults), path
            assert 0 == window.page.evaluate(HOOKED), path
            assert 0 == window.page.locator("main script:not([type='application/json'])").count(), path
            seen += window.page.content().count("&lt;script&gt;document.title")
    assert seen > 1
    assert [] == house.faults
