"""Everything that a sender wrote is hostile: on no page it runs a script or reaches another host (T4.1)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog

from gatepost.desk import lists
from gatepost.store.journal_lines import outcome_line, session_line
from gatepost.store.journal_writer import JournalWriter
from tests.console.addresses import addresses
from tests.console.chromium import Window
from tests.console.house import House
from tests.console.seed import now
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

HOOKED = """[...document.querySelectorAll('main *')]
    .filter(one => [...one.attributes].some(attribute => attribute.name.startsWith('on'))).length"""


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
    writer.close()
    with house.desk("ann") as desk:
        for n, bad in enumerate(PAYLOADS[:6]):
            lists.add(desk, "ann.example", "allow", f"s{n}@y.example", plugin="dnsbl", note=bad)
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
        for path in addresses(house):
            window.page.goto(path)
            window.page.wait_for_timeout(50)
            assert "owned" not in window.page.title(), path
            assert ([], [], []) == (dialogs, window.foreign, window.faults), path
            assert 0 == window.page.evaluate(HOOKED), path
            assert 0 == window.page.locator("main script:not([type='application/json'])").count(), path
            seen += window.page.content().count("&lt;script&gt;document.title")
    assert seen > 1
    assert [] == house.faults
