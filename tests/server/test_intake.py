"""What becomes of a message: each recipient gets his own, one reply speaks for all, nothing is lost."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any

import pytest

from gatepost.mail.verdict import Reject, Score
from gatepost.relay.results import Result
from gatepost.server.intake import Intake
from tests.server import indoors
from tests.server.indoors import Indoors, inside
from tests.server.kinds import ALONE, KINDS, Seen, host_all

PAIRS = [pair[:: 1 - 2 * (n % 2)] for n, pair in enumerate(itertools.combinations(KINDS, 2))]
"""Every two of them, now the one first and now the other."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("words", ["", " PRDR"])
def test_one_recipient(tmp_path: Any, kind: str, words: str) -> None:
    """One recipient: the reply is his own, with PRDR and without, and what was refused or held is kept."""

    @inside()
    async def one(house: Indoors) -> None:
        host_all(house)
        seen = Seen(house)
        code, fate = ALONE[kind]
        assert [code] == await seen.mail(kind, words=words)
        assert [fate] == seen.fates()
        assert {"holds": {"holds": "quarantined"}, "refuses": {"refuses": "rejected"}}.get(kind, {}) == (
            seen.outcome_in_archive()
        )
        assert ({"plain"} if kind == "plain" else set()) == seen.delivered()
        assert int(kind == "spools") == seen.spooled()

    one(tmp_path)


def without_prdr(kinds: tuple[str, ...]) -> tuple[int, list[str]]:
    """Return reply and fates as CONTRACT 5 has them: the judge of the tests below."""
    codes = [ALONE[kind][0] for kind in kinds]
    if 250 in codes:
        mixed = {"rejected": "quarantined", "deferred": "queued"}
        return 250, [mixed.get(ALONE[kind][1], ALONE[kind][1]) for kind in kinds]
    if 451 in codes:
        return 451, ["deferred"] * len(kinds)
    return codes[0], ["rejected"] * len(kinds)


@inside()
async def test_every_pair(house: Indoors) -> None:
    """Two recipients, one reply: 250 once any copy is safe, and then the other is kept or queued."""
    host_all(house)
    for kinds in PAIRS:
        seen = Seen(house)
        code, fates = without_prdr(kinds)
        assert [code] == await seen.mail(*kinds), kinds
        assert fates == seen.fates(), kinds
        assert {kind for kind in kinds if kind == "plain"} == seen.delivered(), kinds
        assert fates.count("queued") == seen.spooled(), kinds
        words = {"holds": "quarantined", "refuses": "quarantined", "no": "refused_by_backend"}
        kept = {kind: words[kind] for kind in kinds if code == 250 and kind in words}
        if code in (550, 554):
            # The other one was refused by his own server only later: his copy stayed with the client.
            kept = {"refuses": "rejected"} if "refuses" in kinds else {}
            assert kept.keys() == seen.outcome_in_archive().keys(), kinds
        else:
            assert kept == seen.outcome_in_archive(), kinds


@inside()
async def test_every_pair_with_prdr(house: Indoors) -> None:
    """With PRDR each recipient has his own reply and fate, in the order of RCPT, and then the final one."""
    host_all(house)
    for kinds in PAIRS:
        seen = Seen(house)
        each = [ALONE[kind][0] for kind in kinds]
        final = 250 if 250 in each else 451 if 451 in each else each[0]
        assert [353, *each, final] == await seen.mail(*kinds, words=" PRDR"), kinds
        assert [ALONE[kind][1] for kind in kinds] == seen.fates(), kinds
        kept = {"holds": "quarantined", "refuses": "rejected"}
        assert {k: kept[k] for k in kinds if k in kept} == seen.outcome_in_archive(), kinds
        assert kinds.count("spools") == seen.spooled(), kinds


def full(*_args: Any) -> Any:
    """Stand for a disk that takes nothing."""
    raise OSError(28, "No space left on device")


@inside()
async def test_archive_full(house: Indoors, monkeypatch: pytest.MonkeyPatch) -> None:
    """Held and not storable is 452 for all; refused and not storable is refused all the same, and counted."""
    host_all(house)
    monkeypatch.setattr(house.archive, "keep_each", full)
    for kinds in [*((kind,) for kind in KINDS), *PAIRS]:
        seen = Seen(house)
        code, fates = without_prdr(kinds)
        # That his server will refuse it ("no") is not known yet when a refused copy is kept.
        must_hold = "holds" in kinds or ("refuses" in kinds and len(kinds) > 1)
        if must_hold:
            code, fates = 452, ["deferred"] * len(kinds)
        elif code == 250 and "no" in kinds:
            # The one server took its copy, the other's is nowhere: the client must keep the mail.
            code, fates = 451, [fate if fate == "accepted" else "deferred" for fate in fates]
        assert [code] == await seen.mail(*kinds), kinds
        assert fates == seen.fates(), kinds
        assert {} == seen.outcome_in_archive()
    assert "not_kept" in house.log_text()


@inside()
async def test_archive_full_for_one_domain(house: Indoors, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one domain's room is full the others' refused copies are kept."""
    host_all(house)
    house.host("also.test")
    house.probe.says["message", "also.test"] = Reject("bad")
    house.follower.look()  # type: ignore[union-attr]
    keep: Callable[..., list[str]] = house.archive.keep_each

    def one_is_full(items: Any, chunks: Any) -> list[str]:
        return full() if any(item.domain == "also.test" for item in items) else keep(items, chunks)

    monkeypatch.setattr(house.archive, "keep_each", one_is_full)
    seen = Seen(house)
    assert [550] == await seen.mail("also", "refuses")
    assert ["rejected", "rejected"] == seen.fates()
    assert {"refuses": "rejected"} == seen.outcome_in_archive()


@inside()
async def test_spool_full(house: Indoors, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be spooled stays with the client: 451, and what was kept for others is taken back."""
    host_all(house)
    monkeypatch.setattr(house.queue, "put", full)
    for kinds in (("spools",), ("plain", "down"), ("later", "plain"), ("holds", "defers"), ("takes", "down")):
        seen = Seen(house)
        assert [451] == await seen.mail(*kinds), kinds
        assert ["accepted" if kind == "plain" else "deferred" for kind in kinds] == seen.fates()
        assert {} == seen.outcome_in_archive(), kinds
        assert 0 == seen.spooled()


@inside()
async def test_our_own_bug(house: Indoors) -> None:
    """An exception in the middle of it is 451; what was kept is taken back; the next mail is well."""
    host_all(house)

    def breaks(_target: Any, _data: bytes) -> Any:
        raise RuntimeError("our own bug")

    answer, house.back_end.answer = house.back_end.answer, breaks
    seen = Seen(house)
    assert [451] == await seen.mail("refuses", "plain")
    assert ["deferred", "deferred"] == seen.fates()
    assert {} == seen.outcome_in_archive()
    house.back_end.answer = answer
    assert [250] == await seen.mail("plain")
    assert "our own bug" in house.log_text()


# -- the form of the message ------------------------------------------------------------------

OWN = b"Received: from a by mx.test (Gatepost) with ESMTP; now\r\n"
OTHER = b"Received: from a by b; now\r\n"
FORMS: dict[str, tuple[bytes, int, str]] = {
    "our own mark twice": (OWN * 2 + b"\r\nx\r\n", 250, ""),
    "our own mark three times": (OWN * 3 + b"\r\nx\r\n", 554, "5.4.6"),
    "49 Received": (OTHER * 49 + b"\r\nx\r\n", 250, ""),
    "50 Received": (OTHER * 50 + b"\r\nx\r\n", 554, "5.4.6"),
    "50 Received in the body": (b"Subject: x\r\n\r\n" + OTHER * 50, 250, ""),
    "NUL": (b"Subject: x\r\n\r\na\0b\r\n", 550, "5.6.0"),
    "a long line": (b"Subject: x\r\n\r\n" + b"a" * 1_048_577 + b"\r\n", 550, "5.6.0"),
    "a line as long as may be": (b"Subject: x\r\n\r\n" + b"a" * 1_048_574 + b"\r\n", 250, ""),
    "no header": (b"\r\nx\r\n", 250, ""),
    "nothing": (b"", 250, ""),
    "no empty line": (b"Subject: x\r\n", 250, ""),
    "8-bit": ("Subject: ü\r\n\r\nü\r\n".encode(), 250, ""),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms(tmp_path: Any, form: str) -> None:
    """What a mail may not look like is refused for all, kept for none, and stands in the journal."""
    body, code, enhanced = FORMS[form]

    @inside()
    async def one(house: Indoors) -> None:
        host_all(house)
        seen = Seen(house)
        client = house.client()
        _, said = await client.mail("s@x.example", ["ann@plain.test", "ann@holds.test"], body)
        assert said.startswith(f"{code} {enhanced}"), said
        if code == 250:
            assert ["accepted", "quarantined"] == seen.fates()
            assert house.back_end.taken[0][2].endswith(b"\r\n" + body)
        else:
            assert client.connection.session.id in said
            assert ["rejected", "rejected"] == seen.fates()
            assert {} == seen.outcome_in_archive()
            assert not client.closed
        assert (await client.mail("s@x.example", ["ann@plain.test"]))[1].startswith("250")

    one(tmp_path)


BARE = b"Subject: x\n\r\none\n.two\n.\nMAIL FROM:<a@b>\rthree\r\n"


@inside(bare_newline="normalize")
async def test_bare_newline_normalized(house: Indoors) -> None:
    """A bare CR or LF becomes CRLF and ends no message; dots behind it stay; kept is what is relayed."""
    host_all(house)
    client = house.client()
    _, said = await client.mail("s@x.example", ["ann@plain.test", "ann@refuses.test"], BARE)
    assert said.startswith("250")
    kept = house.archive.read(house.archive.list()[0].ref)
    assert b"Subject: x\r\n\r\none\r\n.two\r\n.\r\nMAIL FROM:<a@b>\r\nthree\r\n" == kept
    assert house.back_end.taken[0][2].endswith(b"\r\n" + kept)
    assert 2 == len(house.outcomes())


@inside()
async def test_a_long_mail_is_read_beside_the_loop(house: Indoors, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies in a file is put together in a thread, for archive and spool too: others get answers."""
    host_all(house)
    threads: list[bool] = []
    read = Intake.message

    def message(intake: Intake) -> bytes:
        threads.append(threading.current_thread() is threading.main_thread())
        return read(intake)

    monkeypatch.setattr(Intake, "message", message)
    for text, in_loop in ((b"x" * 76 + b"\r\n", {True}), ((b"x" * 76 + b"\r\n") * 30_000, {False})):
        threads.clear()
        client = house.client()
        to = ["ann@refuses.test", "ann@spools.test"]
        _, said = await client.mail("s@x.example", to, b"Subject: x\r\n\r\n" + text)
        assert said.startswith("250")
        assert len(threads) >= 2
        assert in_loop == set(threads)


@inside(bare_newline="reject")
async def test_bare_newline_rejected(house: Indoors) -> None:
    """With `reject` it is 550 5.6.11 after the true end, and the session is over."""
    host_all(house)
    seen = Seen(house)
    client = house.client()
    _, said = await client.mail("s@x.example", ["ann@plain.test"], b"Subject: x\r\n\r\none\ntwo\r\n")
    assert said.startswith("550 5.6.11")
    assert client.closed
    assert ["rejected"] == seen.fates()


@inside(max_message_size="1KiB")
async def test_too_big(house: Indoors) -> None:
    """A mail over the limit is refused at MAIL where it says so, else after the data."""
    host_all(house)
    seen = Seen(house)
    client = house.client()
    await client.say("EHLO x.example")
    assert (await client.say("MAIL FROM:<s@x.example> SIZE=1025")).startswith("552 5.3.4")
    _, said = await client.mail("s@x.example", ["ann@plain.test"], b"x" * 1024 + b"\r\n")
    assert said.startswith("552 5.3.4")
    assert ["rejected"] == seen.fates()
    assert set() == seen.delivered()
    assert (await client.mail("s@x.example", ["ann@plain.test"]))[1].startswith("250")


# -- what is added, and what is said ------------------------------------------------------------


@inside()
async def test_points(house: Indoors) -> None:
    """Points at RCPT and in the message are summed; past `score.reject_at` the mail is refused and kept."""
    host_all(house)
    house.probe.says["rcpt", "plain.test"] = Score(9, "odd client")
    house.probe.says["message", "plain.test"] = Score(7, "odd text")
    seen = Seen(house)
    assert [550] == await seen.mail("plain")
    (row,) = house.outcomes()
    assert ("rejected", 16.0) == (row.fate, row.score)
    assert {"plain": "rejected"} == seen.outcome_in_archive()
    house.probe.says["rcpt", "plain.test"] = None
    assert [250] == await seen.mail("plain")


@inside()
async def test_watch(house: Indoors) -> None:
    """A check on watch is asked and written down, and changes nothing."""
    host_all(house)
    house.store.put("domain:refuses.test", {"probe.mode": "watch"})
    house.follower.look()  # type: ignore[union-attr]
    seen = Seen(house)
    assert [250] == await seen.mail("refuses")
    (row,) = house.outcomes()
    assert "accepted" == row.fate
    assert ["probe", "message", "watch reject", "bad"] == [row.trace[-2][n] for n in (0, 1, 2, 4)]
    assert b"X-" not in house.back_end.taken[0][2].partition(b"Subject")[0]
    assert {} == seen.outcome_in_archive()


@inside()
async def test_bypass(house: Indoors) -> None:
    """With bypass all mail for valid recipients is relayed, tagged and written down."""
    host_all(house)
    house.host("late.test")
    for domain in ("refuses.test", "late.test", "holds.test", "defers.test"):
        house.store.put(f"domain:{domain}", {"bypass": True})
    house.probe.says["rcpt", "late.test"] = Reject("bad client")
    house.follower.look()  # type: ignore[union-attr]
    seen = Seen(house)
    assert [250] == await seen.mail("refuses", "late", "holds", "defers")
    assert ["accepted"] * 4 == seen.fates()
    assert {"refuses", "late", "holds", "defers"} == seen.delivered()
    assert all(b"X-Gatepost-Tags: bypass\r\n" in data for _, _, data in house.back_end.taken)
    client = house.client()
    assert (await client.envelope("s@x.example", ["nobody@refuses.test"]))[0].startswith("550 5.1.1")


@inside()
async def test_row_7_4_support_system_kept_apart(house: Indoors) -> None:
    """postmaster and abuse are reached whatever the checks would say, by the same mail that others refuse."""
    host_all(house)
    house.probe.says["rcpt", "refuses.test"] = Reject("bad client")
    client = house.client()
    to = ["postmaster@refuses.test", "ABUSE@refuses.test", "ann@refuses.test"]
    rcpts, said = await client.mail("s@x.example", to)
    assert ["250", "250", "550"] == [line[:3] for line in rcpts]
    assert said.startswith("250")
    assert ["postmaster@refuses.test", "ABUSE@refuses.test"] == [to for _, to, _ in house.back_end.taken]
    assert 1 == house.fates()["ann@refuses.test", "rejected"]
    assert 3 == sum(house.fates().values())


@pytest.mark.parametrize(
    ("says", "code", "used"), [("takes", "250", 1), ("refuses", "550", 0), ("defers", "451", 0)]
)
def test_counted_before_the_reply(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, says: str, code: str, used: int
) -> None:
    """Whoever is killed behind the reply has counted the mail already, and only one that got in."""
    monkeypatch.setattr(indoors, "SHIPPED", (*indoors.SHIPPED, "counted_address"))

    @inside()
    async def counted(house: Indoors) -> None:
        house.host("example.org", {"counted_address.mode": "on"})
        house.open()
        house.gateway.background = lambda work: work.close()  # type: ignore[method-assign]
        if says == "refuses":
            house.back_end.says["example.org"] = Result("refused", 550, "5.7.1", "no", "back end")
        elif says == "defers":
            house.back_end.says["example.org"] = Result("deferred", 451, "4.2.0", "later", "back end")
        (at_rcpt,), final = await house.client().mail("s@x.example", ["w.1.ann@example.org"])
        assert ("250", code) == (at_rcpt[:3], final[:3])
        place = ("example.org", "counted_address", "at ann w")
        assert used == await house.records.count(*place)
        assert bool(used) == (await house.records.get(*place) is not None)

    counted(tmp_path)


MARKS = (
    b"X-Spam-Flag: NO\r\nx-spam-status:\r\n No, score=-99\r\nX-Spam-Level: *\r\n"
    b"X-Gatepost-Release: v=1; x=9999999999; s=x;\r\n id=x; bh=x;\r\n to=x\r\nX-Gatepost-Tags: none\r\n"
)


@inside()
async def test_forged_marks(house: Indoors) -> None:
    """Marks that back ends sort by go on only if they are ours, behind however long a header block."""
    host_all(house)
    house.host("tags.test", {"probe.action": "tag"})
    house.follower.look()  # type: ignore[union-attr]
    house.probe.says["message", "tags.test"] = Reject("bad")
    pads = b"".join(b"X-Pad: %d %s\r\n" % (n, b"x" * 900) for n in range(200))
    for rest in (b"Subject: hi\r\n\r\nX-Spam-Flag: NO\r\n", pads + MARKS + b"\r\nhello\r\n", pads + MARKS):
        house.back_end.taken.clear()
        _, said = await house.client().mail("s@x.example", ["ann@plain.test", "ann@tags.test"], MARKS + rest)
        assert said.startswith("250"), said
        for _, to, got in house.back_end.taken:
            assert got.endswith(rest.replace(MARKS, b"")), to
            top = got.partition(b"\r\n\r\n")[0]
            assert (to == "ann@tags.test") == (b"X-Spam-Flag: YES" in top)
            assert int(to == "ann@tags.test") == top.count(b"X-Gatepost-") == top.lower().count(b"x-spam-")
        assert 2 == len(house.back_end.taken)


@inside()
async def test_forged_mark_refused(house: Indoors) -> None:
    """A mark of released mail that somebody copied leads past no check, and is kept as it came."""
    host_all(house)
    _, said = await house.client().mail(
        "s@x.example", ["ann@refuses.test"], MARKS + b"Subject: hi\r\n\r\nx\r\n"
    )
    assert said.startswith("550")
    (kept,) = house.archive.list()
    assert house.archive.read(kept.ref).startswith(MARKS)


@inside()
async def test_forged_results(house: Indoors) -> None:
    """Results in our name that a stranger wrote do not go on, in any writing; others' stay."""
    host_all(house)
    forged = (
        b"authentication-RESULTS:\r\n (c) MX.test\r\n 1; dmarc=pass\r\n"
        b'Received-SPF: pass receiver="mx.TEST"; identity=mailfrom\r\n'
    )
    rest = b"Authentication-Results: mx.other.example; spf=fail\r\nSubject: hi\r\n\r\n" + b"x\r\n" * 9
    _, said = await house.client().mail("s@x.example", ["ann@plain.test"], forged + rest)
    assert said.startswith("250")
    ((_, _, got),) = house.back_end.taken
    assert got.endswith(b"\r\n" + rest)
    assert 1 == got.lower().count(b"authentication-results")
    assert b"eceived-SPF" not in got
