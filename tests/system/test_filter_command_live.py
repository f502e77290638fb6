"""bogofilter and CRM114 from Debian, and a filter that writes SpamBayes' header, as a domain's own filter.

The commands are those of docs/howto/classic-filters.md, read out of it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.system.gateway import Gateway
from tests.system.process import program, wait_until
from tests.system.sink import Sink
from tests.system.test_backends import hosting, letter

HOWTO = Path(__file__).parents[2] / "docs" / "howto" / "classic-filters.md"
BUY = [
    "cheap replica watches free shipping order now",
    "win money casino bonus order now",
    "cheap pills no prescription",
]
KIND = [
    "minutes of the meeting on tuesday",
    "the patch for the parser is attached",
    "lunch on friday with the team",
]

SPAMBAYES = r"""
while IFS= read -r line && [ "$line" ]; do echo "$line"; done
if grep -qi "order now"; then echo "X-Spambayes-Classification: spam; 0.99"
else echo "X-Spambayes-Classification: ham; 0.00"; fi
echo
"""


def written_down() -> dict[str, Any]:
    """Return the commands of the howto."""
    blocks = re.findall(r"```toml\n(.*?)```", HOWTO.read_text(), re.DOTALL)
    return dict(tomllib.loads("\n".join(blocks))["scanner"]["commands"])


@pytest.fixture
def place(make_gateway: Callable[..., Gateway], sink: Sink) -> Gateway:
    """Give a gateway that knows the filters, and two domains."""
    program("bogofilter", "bogofilter")
    program("crm", "crm114")
    commands = written_down()
    commands["spambayes"]["classify"] = ["/bin/sh", "-c", SPAMBAYES]
    gateway = make_gateway(scanner={"commands": commands})
    for domain in ("example.org", "second.example"):
        hosting(gateway, sink.port, domain=domain)
    return gateway


def teach(gateway: Gateway, domain: str, folder: Path) -> None:
    """Teach a domain's filters by `gatepost learn`."""
    for side, words in (("spam", BUY), ("ham", KIND)):
        for n in range(24):
            file = folder / f"{side}{n}"
            body = f"{words[n % 3]} {n}\r\n" * 3
            file.write_bytes(
                b"Message-ID: <%d.%s@x.example>\r\n" % (n, side.encode()) + letter(words[n % 3], body)
            )
        done = gateway.cli("learn", side, domain, *(str(folder / f"{side}{n}") for n in range(24)))
        assert "24 learnt" in done.stdout
        assert done.stderr == ""


@pytest.mark.parametrize("name", ["bogofilter", "crm114", "spambayes"])
def test_real_filter(place: Gateway, sink: Sink, name: str, tmp_path: Path) -> None:
    """Taught by one domain, it quarantines for that domain alone; the other one's data stays untaught."""
    for domain in ("example.org", "second.example"):
        place.cli(
            "domain",
            "set",
            domain,
            "filter_command.mode=on",
            f"filter_command.filter={name}",
            "score.quarantine_at=4",
        )
    if name != "spambayes":
        teach(place, "example.org", tmp_path)
    spam = letter("order", "cheap replica watches free shipping order now\r\n" * 3)
    kind = letter("kindly", "minutes of the meeting on tuesday\r\n" * 3)
    wait_until(lambda: place.send(["ann@example.org"], spam) and fates(place, "quarantined"), "held")
    held = fates(place, "quarantined")[0]
    explained = " ".join(place.cli("explain", held["id"]).stdout.split())
    assert f"{name} says spam" in explained

    assert 250 == place.send(["ann@example.org"], kind)[0]
    before = len(sink.messages())
    assert 250 == place.send(["ann@second.example"], spam)[0]
    if name != "spambayes":
        assert before + 1 == len(sink.messages())
        assert [] == fates(place, "quarantined", "second.example")
    assert any(b"Subject: kindly" in one for one in sink.messages())


def fates(gateway: Gateway, outcome: str, domain: str = "example.org") -> list[Any]:
    """Return the journal's rows of a domain with this outcome."""
    return [row for row in gateway.json("journal", "--domain", domain) if row["outcome"] == outcome]
