"""What was kept unread is looked into before a reader's link releases it (T4.7)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gatepost.desk import archive, digest_links, domains, malice
from gatepost.desk.check import check
from gatepost.desk.desk import Desk
from gatepost.desk.digest_links import Link
from gatepost.desk.malice import Doubt
from gatepost.desk.releasing import Doubtful, Releasing
from gatepost.desk.trial import Mail
from gatepost.plugin.pipeline import Pipeline
from gatepost.policy.decide import Finding
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


def with_clamd(desk: Desk, kept: Kept, says: bytes) -> Doubt | None:
    """Look at a mail while a clamd says this."""

    asked: list[bytes] = []

    async def clamd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\0\0\0\0"))
        writer.write(says)
        await writer.drain()
        writer.close()

    async def run() -> Doubt | None:
        async with await asyncio.start_server(clamd, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            domains.set_values(desk, "example.org", {"clamav.addresses": [f"127.0.0.1:{port}"]})
            doubt = await asyncio.to_thread(malice.found, desk, kept)
        assert 1 == len(asked)
        return doubt

    return asyncio.run(run())


def test_a_client_that_comes_too_often(scanned: Desk) -> None:
    """The machine's own checks are not asked: their deferral of its client hid that no scanner had looked."""
    domains.set_values(scanned, None, {"client_rate.unknown_recipients": 5, "client_rate.window": 3600})

    async def count() -> None:
        await scanned.state_of("client_rate", "*").add("unknown_recipients 203.0.113.9", 9, 3600)

    asyncio.run(count())
    scanned.state.flush()
    kept = keep(scanned, RAW)
    (said,) = check(scanned, Mail(RAW, kept.sender or "", (kept.recipient,), kept.ip))
    assert ("deferred", "gateway") == (said.fate, said.plugin), "this is such a client"
    domains.set_values(
        scanned,
        "example.org",
        {"clamav.mode": "on", "clamav.addresses": ["127.0.0.1:1"], "virus.mode": "off"},
    )
    dead = malice.found(scanned, kept)
    assert dead is not None
    assert not dead.answered
    assert dead.said.startswith("clamav: ")
    eicar = with_clamd(scanned, kept, b"stream: Win.Test.EICAR_HDB-1 FOUND\0")
    assert Doubt("clamav: ClamAV: Win.Test.EICAR_HDB-1", True) == eicar
    assert with_clamd(scanned, kept, b"stream: OK\0") is None


def test_only_an_answer_is_one(scanned: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever kept the scanner from being asked, nobody knows; its points alone may refuse a mail."""
    stray = scanned.archive.keep(
        Kept("0DQ3N7V5K2F8T.2", scanned.clock(), "mia@partner.example", "ann@elsewhere.example",
             "example.org", ip="203.0.113.9", size=len(RAW)), [RAW])  # fmt: skip
    kept = scanned.archive.get(stray)
    assert kept is not None
    assert Doubt("relaying: the domain is not hosted here", False) == malice.found(scanned, kept)
    domains.set_values(
        scanned, "example.org", {"clamav.mode": "on", "virus.mode": "off", "score.reject_at": 3}
    )
    kept = keep(scanned, RAW)
    points = with_clamd(scanned, kept, b"stream: Heuristics.Encrypted.Zip FOUND\0")
    assert Doubt("score: 4 points, refused from 3", True) == points

    async def silent(_pipeline: Pipeline, *_asked: object) -> list[list[Finding]]:
        return [[]]

    monkeypatch.setattr(Pipeline, "run_message", silent)
    assert Doubt("clamav: not asked", False) == malice.found(scanned, kept)


@pytest.mark.parametrize("how", ["refused", "gone"])
@pytest.mark.parametrize("level", ["example.org", None, "ann@example.org"])
def test_one_that_is_not_there(scanned: Desk, how: str, level: str | None) -> None:
    """A folder that is refused whole, or a file that is gone: nobody has looked, and it is said why."""
    folder = scanned.plugin_folder
    assert folder is not None
    domains.unset_values(scanned, "example.org", ["virus.mode", "strict.mode"])
    domains.set_values(scanned, level, {"virus.mode": "on"})
    kept = keep(scanned, BAD)
    if how == "refused":
        (folder / "strict.py").chmod(0o666)
        said = f"virus: did not load: {folder}/strict.py: anyone can write it, so no plugin is read"
    else:
        (folder / "virus.py").unlink()
        said = "virus: the plugin is not there"
    with Desk(scanned.data_dir, "ann", plugin_folder=folder) as desk:
        doubt = malice.found(desk, kept)
        assert doubt is not None
        assert not doubt.answered
        assert doubt.said.startswith(said)
        with pytest.raises(Doubtful, match="cannot look at it now: virus: "):
            Releasing(desk).release(kept)
        assert "waiting" == Releasing(desk, all_the_same=True).release(kept).state
        domains.unset_values(desk, level, ["virus.mode"])
        assert malice.found(desk, kept) is None


@pytest.mark.parametrize(
    ("text", "doubted"),
    [
        ("def (", True),
        (PLUGIN.format(unskippable=True).replace("async def message", "async def mesage"), True),
        (PLUGIN.format(unskippable=False).replace("async def message", "async def mesage"), False),
    ],
    ids=["nobody knows", "unskippable", "skippable"],
)
@pytest.mark.parametrize("name", ["ann", "postmaster"])
def test_one_that_did_not_load(scanned: Desk, text: str, doubted: bool, name: str) -> None:
    """A scanner that is on and broken has not looked: no silence, and where it is off no doubt."""
    assert scanned.plugin_folder is not None
    (scanned.plugin_folder / "virus.py").write_text(text)
    kept = replace(keep(scanned, BAD), recipient=f"{name}@example.org")
    with Desk(scanned.data_dir, "ann", plugin_folder=scanned.plugin_folder) as desk:
        doubt = malice.found(desk, kept)
        assert doubted == (doubt is not None)
        if doubt is not None:
            assert doubt.said.startswith("virus: did not load: ")
            assert not doubt.answered
        domains.set_values(desk, "example.org", {"virus.mode": "off"})
        assert malice.found(desk, kept) is None
