"""Each finding with its own answer, by the defaults and as an owner sets it; poison, and no libarchive."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost.mail.message import Message, find_border
from gatepost.mail.verdict import Defer, Reject, Score
from gatepost.plugin import contents, files
from gatepost.plugin.archives import Missing
from gatepost.plugin.bench import Bench
from gatepost.plugin.registry import load
from gatepost.plugin.tools import Killed, Tools
from gatepost.plugins.attachments import Attachments, Settings
from gatepost.policy.decide import Fate, Outcome, decide_message
from gatepost.policy.lists import Entry, Lists
from tests.mail.ole_files import ole
from tests.plugin.archive_bombs import forty_two
from tests.plugin.archive_cases import EXE, PLAIN, by_libarchive, mail, zipped

REGISTRY = load(entries=False)
SECRET = by_libarchive({"a.txt": b"x"}, "zip", options="zip:encryption=aes256", passphrase="x")
CUT = zipped({"a.txt": bytes(range(256))})[:200]
MACROS = ole(["WordDocument", "VBA", "_VBA_PROJECT"])


def ask(raw: bytes, tools: Tools | None = None, **settings: Any) -> tuple[Outcome, str]:
    """Return what becomes of a message, and all reasons or the failure."""
    bench = Bench(REGISTRY, tools or Tools())
    policy = bench.policy("example.org", {"attachments": {"mode": "on", **settings}})
    findings = asyncio.run(bench.ask_message(policy, Message(raw[: find_border(raw)], raw)))
    said = [f.verdict.reason for f in findings if isinstance(f.verdict, Reject | Defer | Score)]
    said += [f.failure for f in findings if f.failure]
    return decide_message(policy, findings, None), "; ".join(said)


@pytest.mark.parametrize(
    ("name", "data", "fate", "points", "why"),
    [
        ("letter.txt", b"hello", Fate.ACCEPT, 0, ""),
        ("photo.jpg", b"\xff\xd8\xff\xe0", Fate.ACCEPT, 0, ""),
        ("a.zip", zipped({"a.txt": b"x"}), Fate.ACCEPT, 0, ""),
        ("setup.exe", b"x", Fate.REJECT, 0, "setup.exe ends in .exe"),
        ("setup.bin", EXE, Fate.REJECT, 0, "setup.bin is exe (executable)"),
        ("invoice.pdf.js", b"x", Fate.REJECT, 0, "ends in .pdf.js"),
        ("a.zip", zipped(PLAIN), Fate.REJECT, 0, "a.zip/setup.exe ends in .exe"),
        ("a.zip", zipped({"b.zip": zipped({"x.bin": EXE})}), Fate.REJECT, 0, "a.zip/b.zip/x.bin is exe"),
        ("a.jpg", zipped({"a.txt": b"x"}), Fate.ACCEPT, 2, "a.jpg is really zip"),
        ("a.zip", SECRET, Fate.ACCEPT, 2, "a.zip is encrypted"),
        ("a.doc", MACROS, Fate.ACCEPT, 3, "a.doc has macros"),
        ("a.zip", CUT, Fate.ACCEPT, 0.5, "a.zip: "),
        ("a.arj", b"\x60\xea" + bytes(20), Fate.ACCEPT, 1, "which nobody here can look into"),
        ("a.zip", forty_two(), Fate.QUARANTINE, 0, "over budget: a.zip/lib"),
    ],
    ids=lambda one: str(one) if not isinstance(one, bytes) else "",
)
def test_defaults(name: str, data: bytes, fate: Fate, points: float, why: str) -> None:
    """What runs is refused, what nobody can judge is points, what was not read is held."""
    outcome, reasons = ask(mail((name, data)))
    assert (fate, points) == (outcome.fate, outcome.score)
    assert why in reasons
    assert bool(why) is bool(reasons)


def test_what_the_sender_reads() -> None:
    """A general sentence; the file's name is for the owner."""
    outcome, _ = ask(mail(("setup.exe", EXE)))
    assert (550, "5.7.1", Attachments.public) == (outcome.code, outcome.enhanced, outcome.public)
    assert "setup.exe" in outcome.reason


@pytest.mark.parametrize(
    ("finding", "name", "data"),
    [
        ("encrypted", "a.zip", SECRET),
        ("macros", "a.doc", MACROS),
        ("broken", "a.zip", CUT),
        ("disguised", "a.jpg", zipped({})),
        ("unreadable", "a.arj", b"\x60\xea" + bytes(20)),
        ("over_budget", "a.zip", forty_two()),
        ("hidden_ending", "a\u202ecod", b"x"),
        ("ambiguous", "a.zip", zipped({"b.txt": b"x"}).partition(b"PK\x01\x02")[0] + zipped({"a.txt": b"y"})),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_each_answer(finding: str, name: str, data: bytes) -> None:
    """Each finding alone becomes what the owner says: never more, never less."""
    for answer, fate in (("refuse", Fate.REJECT), ("defer", Fate.DEFER), ("quarantine", Fate.QUARANTINE),
                         ("tag", Fate.ACCEPT), ("ignore", Fate.ACCEPT), (1.5, Fate.ACCEPT)):  # fmt: skip
        outcome, reasons = ask(mail((name, data)), None, **{finding: answer})
        assert fate is outcome.fate
        assert reasons
        assert ("attachments",) * (answer == "tag") == outcome.tags


def test_own_lists_of_endings_and_types() -> None:
    """Other endings and types; what is taken off the list passes, also by its bytes if the owner says so."""
    assert Fate.REJECT is ask(mail(("a.docm", b"x")), denied_endings=["*.DOCM", "xlsm"])[0].fate
    assert Fate.ACCEPT is ask(mail(("a.js", b"x")), denied_endings=["exe"])[0].fate
    assert Fate.ACCEPT is ask(mail(("a.exe", EXE)), denied_endings=[], denied_types=[])[0].fate
    assert Fate.REJECT is ask(mail(("a.dat", b"#!/bin/sh")), denied_types=["script"])[0].fate
    assert Fate.REJECT is ask(mail(("a.dat", zipped({}))), denied_types=["archive"])[0].fate
    outcome, _ = ask(mail(("a.zip", zipped({"x.js": b""}))), denied_name_inside=1)
    assert (Fate.ACCEPT, 1) == (outcome.fate, outcome.score)
    for wrong in ({"denied_endings": ["a.b"]}, {"denied_endings": [""]}, {"denied_types": ["exee"]}):
        with pytest.raises(ValueError, match=r"is no (ending|type)"):
            Settings.model_validate(wrong)


def test_a_domain_may_take_less() -> None:
    """Budgets below those of the reader."""
    raw = mail(("a.zip", zipped({f"{n}.txt": b"x" for n in range(10)})))
    assert Fate.ACCEPT is ask(raw, most_entries=10)[0].fate
    assert Fate.QUARANTINE is ask(raw, most_entries=9)[0].fate
    deep = mail(("a.zip", zipped({"b.zip": zipped({})})))
    assert Fate.ACCEPT is ask(deep, most_depth=2)[0].fate
    assert Fate.QUARANTINE is ask(deep, most_depth=1)[0].fate


def test_a_broken_archive_is_no_refusal() -> None:
    """By itself it is half a point; what is forbidden in it refuses all the same."""
    cut = zipped({"x.exe": b"1", "y.txt": b"2" * 99}).partition(b"PK\x01\x02")[0]
    outcome, reasons = ask(mail(("a.zip", cut)))
    assert Fate.REJECT is outcome.fate
    assert "a.zip/x.exe ends in .exe" in reasons


def test_a_message_too_large_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is larger than a process takes was not looked into: over budget, and no poison."""
    raw = mail(("a.zip", zipped({"a.txt": b"x"})))
    monkeypatch.setattr(files, "MAX_MESSAGE", len(raw))
    assert Fate.ACCEPT is ask(raw)[0].fate
    monkeypatch.setattr(files, "MAX_MESSAGE", len(raw) - 1)
    outcome, reasons = ask(raw)
    assert (Fate.QUARANTINE, "over budget: more than 0 MiB") == (outcome.fate, reasons)


def test_poison() -> None:
    """T6.4: a mail that ends its process twice is held, with an alert; others go on."""
    alerts: list[str] = []

    async def dies(*_: Any, **__: Any) -> Any:
        raise Killed("the process died")

    tools = Tools(in_worker=dies, alert=lambda plugin, text: alerts.append(f"{plugin} {text}"))
    raw = mail(("a.zip", zipped({})))
    outcome, reasons = ask(raw, tools)
    assert (Fate.QUARANTINE, "poison: the process died") == (outcome.fate, reasons)
    assert ["attachments poison: TRY0000000000.1: the process died"] == alerts
    assert Fate.ACCEPT is ask(raw, tools, poison="ignore")[0].fate
    assert Fate.ACCEPT is ask(mail(("a.txt", b"x")), tools)[0].fate


def test_without_libarchive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names and types are looked at all the same, and names in a zip; else it cannot answer."""

    def missing(*_: Any) -> Any:
        raise Missing("install it")

    monkeypatch.setattr(contents, "opened", missing)
    assert Fate.REJECT is ask(mail(("a.zip", zipped(PLAIN))))[0].fate
    assert Fate.REJECT is ask(mail(("a.7z", by_libarchive(PLAIN, "7zip")), ("x.exe", EXE)))[0].fate
    outcome, failure = ask(mail(("a.7z", by_libarchive(PLAIN, "7zip"))))
    assert (Fate.ACCEPT, "install it") == (outcome.fate, failure)
    assert Fate.DEFER is ask(mail(("a.zip", zipped({"a.txt": b""}))), on_failure="defer")[0].fate
    assert (Fate.ACCEPT, "") == (ask(mail(("a.txt", b"x")))[0].fate, ask(mail(("a.txt", b"x")))[1])


def test_own_list() -> None:
    """An allow entry of this check leads past it."""
    lists = Lists([Entry(1, "allow", "sender", "sender@example.net")])
    assert Fate.ACCEPT is ask(mail(("x.exe", EXE)), lists=lists)[0].fate
