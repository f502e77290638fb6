"""The services that all sessions of a process share: archive, spool, header lines, counting, postmaster."""

from __future__ import annotations

from gatepost.mail.session import Session
from gatepost.mail.verdict import AddHeader, Reject, Score
from tests.server.indoors import Indoors, inside
from tests.server.kinds import Seen, host_all


@inside()
async def test_refused_lies_there_once(house: Indoors) -> None:
    """A mail that is refused for many recipients lies on the disk once, under a name for each."""
    host_all(house)
    house.store.add_recipients("refuses.test", [f"u{n}" for n in range(20)])
    house.follower.look()  # type: ignore[union-attr]
    client = house.client()
    _, said = await client.mail("s@x.example", [f"u{n}@refuses.test" for n in range(20)])
    assert said.startswith("550")
    kept = house.archive.list()
    assert 20 == len(kept)
    assert 1 == len({house.archive.path(one.ref).stat().st_ino for one in kept})
    assert {f"u{n}@refuses.test" for n in range(20)} == {one.recipient for one in kept}
    assert b"Subject: hi\r\n\r\nhello\r\n" == house.archive.read(kept[0].ref)


@inside()
async def test_tags(house: Indoors) -> None:
    """Tagged copies get header lines, others of the same mail do not; who else gets it is told to nobody."""
    host_all(house)
    house.host("tags.test", {"probe.action": "tag"})
    house.host("scores.test")
    house.host("adds.test")
    house.follower.look()  # type: ignore[union-attr]
    house.probe.says["message", "tags.test"] = Reject("bad")
    house.probe.says["message", "scores.test"] = Score(6, "odd")
    house.probe.says["message", "adds.test"] = AddHeader("X-Probe", "was here")
    seen = Seen(house)
    assert [250] == await seen.mail("plain", "tags", "scores", "adds")
    got = {to: data.partition(b"Subject")[0] for _, to, data in house.back_end.taken}
    assert b"X-Gatepost-Tags: probe\r\n" in got["ann@tags.test"]
    assert b"X-Gatepost-Tags: score\r\n" in got["ann@scores.test"]
    assert b"X-Spam-Flag: YES\r\n" in got["ann@scores.test"]
    assert b"X-Probe: was here\r\n" in got["ann@adds.test"]
    assert 1 == got["ann@plain.test"].count(b"\r\nX-") + 1
    for to, top in got.items():
        assert 1 == top.count(b"Received: ")
        assert not [other for other in got if other != to and other.encode() in top]
    assert ["accepted"] * 4 == seen.fates()


@inside()
async def test_subjects_left_out(house: Indoors) -> None:
    """Where the owner says so neither journal nor archive index has the subject."""
    host_all(house)
    house.host("quiet.test", {"subjects": False})
    house.probe.says["message", "quiet.test"] = Reject("bad")
    house.follower.look()  # type: ignore[union-attr]
    await Seen(house).mail("quiet", "refuses")
    assert {"quiet.test": "", "refuses.test": "hi"} == {row.domain: row.subject for row in house.outcomes()}
    assert {"quiet.test": "", "refuses.test": "hi"} == {
        one.domain: one.subject for one in house.archive.list()
    }


@inside()
async def test_spool_has_all_that_is_needed(house: Indoors) -> None:
    """What is spooled has envelope, bytes, our Received and the added header lines."""
    host_all(house)
    house.store.put("domain:spools.test", {"probe.action": "tag"})
    house.follower.look()  # type: ignore[union-attr]
    house.probe.says["message", "spools.test"] = Reject("bad")
    await Seen(house).mail("spools", words=" BODY=8BITMIME")
    (entry,) = house.queue.list()
    assert ("s@x.example", ["ann@spools.test"]) == (entry.sender, [r.address for r in entry.recipients])
    assert ("8BITMIME", "spools.test", "192.0.2.7") == (entry.body, entry.domain, entry.client)
    data = b"".join(house.queue.blob(entry.id))
    assert data.startswith(b"Received: ")
    assert b"X-Gatepost-Tags: probe\r\n" in data
    assert data.endswith(b"Subject: hi\r\n\r\nhello\r\n")


@inside()
async def test_names_by_xclient(house: Indoors) -> None:
    """What a relay knows of the client's names is taken; what it does not know is left to be asked."""
    house.open()
    session = Session("A", "192.0.2.1")
    both = {"NAME": "mx.example", "REVERSE_NAME": "mx.example"}
    house.gateway.xclient(session, {"ADDR": "198.51.100.7", **both})
    assert (True, (("mx.example", True),)) == (session.host_known, session.host_names)
    house.gateway.xclient(session, {"ADDR": "198.51.100.8", "NAME": None, "REVERSE_NAME": "dsl.example"})
    assert (True, (("dsl.example", False),)) == (session.host_known, session.host_names)
    house.gateway.xclient(session, {"ADDR": "198.51.100.9", "NAME": None, "REVERSE_NAME": None})
    assert (False, ()) == (session.host_known, session.host_names)
