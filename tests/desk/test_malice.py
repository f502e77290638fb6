"""What was kept unread is looked into before a reader's link releases it (T4.7)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.desk import archive, digest_links, domains, malice
from gatepost.desk.desk import Desk
from gatepost.desk.digest_links import Link
from gatepost.desk.malice import Doubt
from gatepost.desk.releasing import Doubtful
from gatepost.spool.index import Kept
from tests.desk.test_archive import RAW

PLUGIN = '''
"""Find a virus."""
from gatepost.plugin import Plugin, Reject, Score


class Virus(Plugin):
    """Find the word."""

    unskippable = {unskippable}

    async def message(self, ctx):
        return Reject("a virus") if b"EICAR" in ctx.message.body else None
'''
BAD = RAW + b"EICAR\r\n"


@pytest.fixture
def scanned(tmp_path: Path) -> Iterator[Desk]:
    """A desk with a scanner of its own, and a check that refuses everything but may be passed."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "virus.py").write_text(PLUGIN.format(unskippable=True))
    (folder / "strict.py").write_text(
        PLUGIN.format(unskippable=False).replace("Virus", "Strict").replace('b"EICAR"', 'b""')
    )
    with Desk(
        tmp_path / "data", "ann", plugin_folder=folder, dns_servers=["127.0.0.1:1"], dns_timeout=0.2,
        hostname="mx.example.org",
    ) as desk:  # fmt: skip
        domains.add(desk, "example.org", [f"maildir://{tmp_path}/mail/%u"])
        domains.set_values(
            desk, "example.org", {"recipients": "any", "virus.mode": "on", "strict.mode": "on"}
        )
        yield desk


def keep(desk: Desk, raw: bytes) -> Kept:
    """Keep a mail that an early check refused."""
    item = Kept("0DQ3N7V5K2F8T.1", desk.clock(), "mia@partner.example", "ann@example.org", "example.org",
                ip="203.0.113.9", plugin="dnsbl", size=len(raw))  # fmt: skip
    found = desk.archive.get(desk.archive.keep(item, [raw]))
    assert found is not None
    return found


def test_a_link_releases_no_malware(scanned: Desk) -> None:
    """Nobody had looked into it: nothing is queued, looking costs nothing, and the link is not used up."""
    kept = keep(scanned, BAD)
    token = digest_links.make(scanned, Link("release", kept.ref, "ann@example.org", scanned.clock() + 3600))
    digest_links.look(scanned, token)
    with pytest.raises(Doubtful, match="virus: a virus"):
        digest_links.use(scanned, token)
    digest_links.look(scanned, token)
    assert 0 == len(scanned.queue)
    assert "" == archive.state(scanned, kept).state


def test_only_what_nobody_may_pass_is_asked(scanned: Desk) -> None:
    """Another check's opinion is what the reader overrules; an allow entry and bypass overrule no scanner."""
    kept = keep(scanned, RAW)
    assert malice.found(scanned, kept) is None
    domains.set_values(scanned, "example.org", {"bypass": True})
    domains.set_values(scanned, "ann@example.org", {"strict.mode": "on"})
    assert Doubt("virus: a virus", True) == malice.found(scanned, keep(scanned, BAD))
    token = digest_links.make(scanned, Link("release", kept.ref, "ann@example.org", scanned.clock() + 3600))
    assert "waiting" == digest_links.use(scanned, token)[1].state


def test_a_dead_scanner(scanned: Desk) -> None:
    """It is really asked, and that it does not answer is another thing than what it finds."""
    dead = {"clamav.mode": "on", "clamav.addresses": ["127.0.0.1:1"]}
    domains.set_values(scanned, "example.org", dead)
    doubt = malice.found(scanned, keep(scanned, RAW))
    assert doubt is not None
    assert not doubt.answered
    assert "clamav cannot answer: 127.0.0.1:1: " in doubt.said
    kept = keep(scanned, RAW)
    token = digest_links.make(scanned, Link("release", kept.ref, "ann@example.org", scanned.clock() + 3600))
    with pytest.raises(Doubtful, match="cannot look at it now"):
        digest_links.use(scanned, token)
    found = malice.found(scanned, keep(scanned, BAD))
    assert found == Doubt("virus: a virus", True), "who found something comes first"
    domains.set_values(scanned, "example.org", {"clamav.on_failure": "pass"})
    assert malice.found(scanned, keep(scanned, RAW)) is None
    assert "waiting" == digest_links.use(scanned, token)[1].state


def test_where_it_is_off(scanned: Desk) -> None:
    """A domain without a scanner has none here either."""
    domains.set_values(scanned, "example.org", {"virus.mode": "off"})
    assert malice.found(scanned, keep(scanned, BAD)) is None
