"""Kept mail is found, released once however often it is asked for, and stays until it was taken."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gatepost.desk import archive, domains, queue
from gatepost.desk.deeds import deeds_of
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.dns.zone import Zone
from gatepost.mail import stamp
from gatepost.mail.message import Message, find_border
from gatepost.relay.courier import Courier
from gatepost.relay.handoff import Relay
from gatepost.relay.pool import Pool
from gatepost.spool.index import Kept
from gatepost.spool.release import HEADER, body_hash, check_release

ID = "0DQ3N7V5K2F8T.1"
RAW = b"From: bob@example.net\r\nSubject: casino\r\n\r\n.dot\r\nbody \xff\r\n"


def keep(desk: Desk, recipient: str = "ann@example.org", id_: str = ID, raw: bytes = RAW) -> Kept:
    """Put a refused mail into the archive."""
    item = Kept(
        id=id_,
        time=desk.clock(),
        sender="bob@example.net",
        recipient=recipient,
        domain=recipient.rpartition("@")[2],
        ip="192.0.2.7",
        helo="mail.example.net",
        reason="listed in bl.test",
        plugin="dnsbl",
        subject="casino",
        size=len(raw),
    )
    ref = desk.archive.keep(item, [raw])
    found = desk.archive.get(ref)
    assert found is not None
    return found


def deliver(desk: Desk) -> None:
    """Let the real courier hand on what is due."""

    async def run() -> None:
        pool = Pool(desk.hostname, Zone(""))
        courier = Courier(
            desk.queue,
            Relay(pool, clock=desk.clock),
            hostname=desk.hostname,
            routes_for=lambda name: (desk.policy.domain(name) or pytest.fail()).values["route"],
            clock=desk.clock,
        )
        for name in desk.queue.due(desk.clock()):
            await courier.attempt(name)
        pool.close()

    asyncio.run(run())


def mails(tmp_path: Path, user: str = "ann") -> list[bytes]:
    """Return what lies in a Maildir."""
    return [path.read_bytes() for path in sorted((tmp_path / "mail" / user / "new").glob("*"))]


# -- looking ----------------------------------------------------------------------------------


def test_find(desk: Desk) -> None:
    """By the id of the transaction or the session, as typed; by the file's name; for one recipient."""
    ann, bob = keep(desk), keep(desk, "bob@example.org")
    assert {k.recipient for k in archive.find(desk, "0dq3n7v5k2f8t")} == {ann.recipient, bob.recipient}
    assert [k.ref for k in archive.find(desk, ID, recipient="ANN@example.org")] == [ann.ref]
    assert [k.ref for k in archive.find(desk, bob.ref)] == [bob.ref]
    for what, domain in ((ID, "example.net"), ("nothing", None), ("../../etc/passwd", None)):
        with pytest.raises(NotFound):
            archive.find(desk, what, domain)


def test_listing(desk: Desk) -> None:
    """The newest first, by domain, time and words."""
    keep(desk)
    assert [k.id for k in archive.listing(desk, "example.org", text="CASINO")] == [ID]
    assert archive.listing(desk, since=desk.clock() + 1) == []


def test_opened(desk: Desk) -> None:
    """The bytes as received; who looked is written down."""
    kept = keep(desk)
    assert b"".join(archive.opened(desk, kept)) == RAW
    assert [(d.by, d.what) for d in deeds_of(desk, "example.org", kept.ref)] == [("ann", "opened")]


def test_damaged_file(desk: Desk) -> None:
    """A file that cannot be read is one clear line."""
    kept = keep(desk)
    desk.archive.path(kept.ref).write_bytes(b"\x28\xb5\x2f\xfd")
    with pytest.raises(DeskError, match="cannot be read"):
        b"".join(archive.opened(desk, kept))


# -- releasing --------------------------------------------------------------------------------


def test_release(desk: Desk, tmp_path: Path) -> None:
    """The original bytes under one signed header reach the domain's own server; then it is said so."""
    kept = keep(desk)
    assert archive.release(desk, kept).state == "waiting"
    assert desk.archive.exists(kept.ref)
    deliver(desk)
    (mail,) = mails(tmp_path)
    whole = mail[mail.index(HEADER.encode()) :]
    header, rest = whole[: whole.index(b"From:")], whole[whole.index(b"From:") :]
    assert rest == RAW.replace(b"\r\n", b"\n") or rest == RAW
    message = Message(whole[: find_border(whole)] if find_border(whole) > 0 else header)
    value = message.get(HEADER) or ""
    secret = (desk.data_dir / "secret").read_bytes()
    marked = check_release(secret, value, "ann@example.org", body_hash([RAW]), desk.clock())
    assert marked is not None
    assert marked.id == ID
    mark = stamp.read(message.get(stamp.HEADER) or "")
    assert mark is not None
    assert stamp.holds(mark, secret, "example.org", ["ann@example.org"]), "found when it is trained by mail"
    assert archive.state(desk, kept).state == "delivered"
    assert desk.archive.exists(kept.ref)


def test_release_takes_out_forged(desk: Desk, tmp_path: Path) -> None:
    """Lines in our name that came with it are kept, and not handed on; the hash is of the body alone."""
    forged = f"Authentication-Results: {desk.hostname}; dmarc=pass\r\n{HEADER}: v=1\r\nX-Spam-Flag: NO\r\n"
    kept = keep(desk, raw=forged.encode() + RAW)
    archive.release(desk, kept)
    deliver(desk)
    (mail,) = mails(tmp_path)
    assert 1 == mail.count(HEADER.encode())
    assert b"dmarc=pass" not in mail
    assert b"X-Spam-Flag" not in mail
    assert mail.replace(b"\r\n", b"\n").endswith(RAW.replace(b"\r\n", b"\n"))


def test_two_clicks_one_delivery(desk: Desk, tmp_path: Path) -> None:
    """However often and whenever it is asked for, also after the delivery."""
    kept = keep(desk)
    archive.release(desk, kept)
    archive.release(desk, kept)
    deliver(desk)
    assert archive.release(desk, kept).state == "delivered"
    deliver(desk)
    assert len(mails(tmp_path)) == 1
    assert [d.what for d in deeds_of(desk, "example.org", kept.ref)] == ["released"]


def test_again(desk: Desk, tmp_path: Path) -> None:
    """Who says `again` gets it once more."""
    kept = keep(desk)
    archive.release(desk, kept)
    deliver(desk)
    archive.release(desk, kept, again=True)
    deliver(desk)
    assert len(mails(tmp_path)) == 2


def test_each_recipient_is_released_alone(desk: Desk, tmp_path: Path) -> None:
    """Ann's copy goes to Ann and not to Bob."""
    ann, _bob = keep(desk), keep(desk, "bob@example.org")
    archive.release(desk, ann)
    deliver(desk)
    assert (len(mails(tmp_path)), len(mails(tmp_path, "bob"))) == (1, 0)


def test_refused_release(desk: Desk) -> None:
    """The domain's server refuses it: the owner sees its words, it never bounces, a hand tries again."""
    kept = keep(desk)
    archive.release(desk, kept)
    claim = desk.queue.claim(archive.queue_name(kept))
    assert claim is not None
    from dataclasses import replace

    (recipient,) = claim.envelope.recipients
    refused = replace(recipient, failed=True, last="550 5.7.1 no (back:25)")
    desk.queue.update(claim, replace(claim.envelope, recipients=(refused,)))
    claim.release()
    state = archive.state(desk, kept)
    assert (state.state, state.last) == ("failed", "550 5.7.1 no (back:25)")
    assert archive.release(desk, kept).state == "waiting"


def test_release_for_a_removed_domain(desk: Desk) -> None:
    """There is no route any more."""
    kept = keep(desk)
    domains.remove(desk, "example.org")
    with pytest.raises(DeskError, match="not hosted here any more"):
        archive.release(desk, kept)


# -- deleting ---------------------------------------------------------------------------------


def test_delete(desk: Desk) -> None:
    """Bytes and line go; that somebody did it stays."""
    kept = keep(desk)
    archive.delete(desk, kept)
    with pytest.raises(NotFound):
        archive.find(desk, ID)
    assert [d.what for d in deeds_of(desk, "example.org", kept.ref)] == ["deleted"]


def test_delete_while_it_is_released(desk: Desk) -> None:
    """What is on its way is not deleted under the courier; dropped from the queue it may be."""
    kept = keep(desk)
    archive.release(desk, kept)
    with pytest.raises(DeskError, match="being released"):
        archive.delete(desk, kept)
    queue.drop(desk, queue.find(desk, [archive.queue_name(kept)]))
    archive.delete(desk, kept)
