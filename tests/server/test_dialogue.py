"""What is said to MAIL, RCPT and DATA, by whose policy, and that every recipient gets one row for it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost.mail.verdict import Defer, Reject, Rewrite
from gatepost.plugin.base import Plugin
from gatepost.plugin.registry import Registry
from gatepost.policy.policy import Mode, OnFailure
from gatepost.policy.snapshot import Snapshot
from gatepost.server.dialogue import MEMO
from tests.server.indoors import MAIL, Client, Indoors, inside

SENDER = "s@x.example"


def deny(house: Indoors, domain: str, **settings: Any) -> None:
    """Host a domain that refuses the usual client."""
    house.host(domain, settings)
    house.store.add_entry(f"domain:{domain}", "deny", "ip", "192.0.2.7")


def codes(said: list[str]) -> list[str]:
    """Return the codes of replies."""
    return [line[:3] for line in said]


# -- when a refusal is said -------------------------------------------------------------------


@inside()
async def test_refuse_at_data(house: Indoors) -> None:
    """`refuse_at=data` (the default): the mail is taken, a copy kept, and refused after the final dot."""
    deny(house, "no.test")
    house.open()
    rcpts, said = await house.client().mail(SENDER, ["ann@no.test"])
    assert ["250"] == codes(rcpts)
    assert said.startswith("550 5.7.1 Mail from you is not accepted here (")
    (row,) = house.outcomes()
    assert ("rejected", "deny_list", "hi") == (row.fate, row.plugin, row.subject)
    assert MAIL == house.archive.read(row.archive_ref)


@inside()
async def test_refuse_at_rcpt(house: Indoors) -> None:
    """`refuse_at=rcpt`: refused as soon as it is known; what the sender hears is general and has the id."""
    deny(house, "no.test", refuse_at="rcpt")
    house.open()
    client = house.client()
    rcpts, said = await client.mail(SENDER, ["ann@no.test"])
    assert ["550 5.7.1 Mail from you is not accepted here", ""] == [rcpts[0].partition(" (")[0], said]
    assert client.connection.session.id in rcpts[0]
    (row,) = house.outcomes()
    assert ("rejected", "deny_list", "") == (row.fate, row.plugin, row.archive_ref)
    assert "client address 192.0.2.7 is on the deny list" == row.reason


@inside()
async def test_unknown_recipient(house: Indoors) -> None:
    """No such user: at RCPT by default, after the data where the owner wants copies."""
    house.host("plain.test")
    house.host("keeps.test", {"refuse_at.unknown": "data"})
    house.open()
    client = house.client()
    rcpts, _ = await client.mail(SENDER, ["nobody@plain.test"])
    assert rcpts[0].startswith("550 5.1.1 No such recipient here (")
    rcpts, said = await client.mail(SENDER, ["nobody@keeps.test"])
    assert ("250", "550 5.1.1") == (rcpts[0][:3], said[:9])
    assert ["", MAIL] == [
        house.archive.read(row.archive_ref) if row.archive_ref else "" for row in house.outcomes()
    ]


@inside()
async def test_refused_at_rcpt_and_kept(house: Indoors) -> None:
    """Behind an accepted recipient a refused one hears so at RCPT, and his copy is kept from the data."""
    house.host("plain.test")
    deny(house, "no.test")
    house.open()
    rcpts, said = await house.client().mail(SENDER, ["ann@plain.test", "ann@no.test", "bob@no.test"])
    assert ["250", "550", "550"] == codes(rcpts)
    assert said.startswith("250")
    assert {"ann@plain.test": "accepted", "ann@no.test": "rejected", "bob@no.test": "rejected"} == {
        row.recipient: row.fate for row in house.outcomes()
    }
    assert {"ann@no.test", "bob@no.test"} == {one.recipient for one in house.archive.list()}
    assert {"rejected"} == {one.outcome for one in house.archive.list()}
    assert all(row.archive_ref for row in house.outcomes() if row.fate == "rejected")


@inside()
async def test_refused_first(house: Indoors) -> None:
    """A refusal that waits for the data becomes a held copy when a later recipient is accepted."""
    house.host("plain.test")
    deny(house, "no.test")
    house.open()
    rcpts, said = await house.client().mail(SENDER, ["ann@no.test", "bob@no.test", "ann@plain.test"])
    assert (["250"] * 3, "250") == (codes(rcpts), said[:3])
    held = {("ann@no.test", "quarantined"), ("bob@no.test", "quarantined")}
    assert {*held, ("ann@plain.test", "accepted")} == set(house.fates())


@pytest.mark.parametrize("end", ["RSET", "QUIT", "EHLO x.example", "", "DATA\r\nNOOP"])
def test_no_message_follows(tmp_path: Any, end: str) -> None:
    """However a transaction ends before its message: one row for each recipient that was named."""

    @inside()
    async def one(house: Indoors) -> None:
        house.host("plain.test")
        deny(house, "no.test")
        deny(house, "waits.test")
        house.open()
        client = house.client()
        to = ["ann@waits.test", "ann@plain.test", "ann@no.test", "nobody@plain.test", "x@else.test"]
        assert ["250", "250", "550", "550", "550"] == codes(await client.envelope(SENDER, to))
        if end:
            await client.say(end)
        if not client.closed:
            client.hang_up()
        assert {
            "ann@waits.test": "abandoned",
            "ann@plain.test": "abandoned",
            "ann@no.test": "rejected",
            "nobody@plain.test": "rejected",
            "x@else.test": "rejected",
        } == {row.recipient: row.fate for row in house.outcomes()}
        assert 5 == len(house.outcomes())
        assert 1 == len(house.sessions())

    one(tmp_path)


@inside()
async def test_defer(house: Indoors) -> None:
    """A deferral is said at RCPT whatever `refuse_at` says."""
    house.host("plain.test")
    house.probe.says["rcpt", "plain.test"] = Defer("slow down", "Come again")
    house.open()
    rcpts, _ = await house.client().mail(SENDER, ["ann@plain.test"])
    assert rcpts[0].startswith("451 4.7.1 Come again (")
    assert ["deferred"] == [row.fate for row in house.outcomes()]


@inside()
async def test_quarantine_at_rcpt(house: Indoors) -> None:
    """A check at RCPT whose action is to hold lets the mail in and holds it."""
    house.host("plain.test", {"probe.action": "quarantine"})
    house.probe.says["rcpt", "plain.test"] = Reject("odd client")
    house.open()
    rcpts, said = await house.client().mail(SENDER, ["ann@plain.test"])
    assert (["250"], "250") == (codes(rcpts), said[:3])
    assert ["quarantined"] == [one.outcome for one in house.archive.list()]
    assert [] == house.back_end.taken


# -- whose mail it is ---------------------------------------------------------------------------


@inside()
async def test_not_hosted(house: Indoors) -> None:
    """A domain that is not hosted here: 550 5.7.1, in the administrator's journal only."""
    house.host("plain.test")
    house.open()
    rcpts, _ = await house.client().mail(
        SENDER, ["ann@else.test", "ann@sub.plain.test", "postmaster@else.test"]
    )
    assert [True] * 3 == [line.startswith("550 5.7.1 Relaying denied (") for line in rcpts]
    assert [("", "relaying", "rejected")] * 3 == [(r.domain, r.plugin, r.fate) for r in house.outcomes()]


@inside()
async def test_no_domain_hosted_yet(house: Indoors) -> None:
    """With an empty policy it is 451, never 550, also for a bare postmaster."""
    house.open()
    rcpts, _ = await house.client().mail(SENDER, ["ann@else.test", "postmaster"])
    assert [True, True] == [line.startswith("451 4.3.0 Policy not available") for line in rcpts]
    assert ["deferred", "deferred"] == [row.fate for row in house.outcomes()]
    assert "policy_unavailable" in house.log_text()


class Failing:
    """A source of policy that fails when it is asked for some things."""

    def __init__(self, source: Any, *fails: str) -> None:
        self.source = source
        self.fails = fails

    def __getattr__(self, name: str) -> Any:
        if name in self.fails:
            raise OSError("the disk is gone")
        return getattr(self.source, name)


@pytest.mark.parametrize("fails", ["domain", "recipient", "first_domain"])
def test_policy_unavailable(tmp_path: Any, fails: str) -> None:
    """A policy that cannot be read at any point is 451, and each recipient has his row."""

    @inside()
    async def one(house: Indoors) -> None:
        house.host("plain.test")
        house.open()
        source = house.follower._store  # type: ignore[union-attr]  # what the follower reads from
        house.gateway.live.snapshot = Snapshot(
            1,
            Failing(source, fails),
            house.registry.defaults(),
        )
        to = ["postmaster"] if fails == "first_domain" else ["ann@plain.test"]
        rcpts, _ = await house.client().mail(SENDER, to)
        assert rcpts[0].startswith("451 4.3.0 Policy not available")
        assert [("deferred", "policy")] == [(row.fate, row.plugin) for row in house.outcomes()]

    one(tmp_path)


@inside()
async def test_bare_postmaster(house: Indoors) -> None:
    """A bare postmaster is that of the domain we are named after, or of the first one."""
    house.host("alpha.test")
    house.open()
    client = house.client()
    assert (await client.mail("", ["postmaster"]))[1].startswith("250")
    house.host("test")
    house.follower.look()  # type: ignore[union-attr]
    assert (await client.mail("", ["Postmaster"]))[1].startswith("250")
    assert [(None, "postmaster@alpha.test"), (None, "postmaster@test")] == [
        (sender, to) for sender, to, _ in house.back_end.taken
    ]


@pytest.mark.parametrize("first", [True, False])
def test_split(tmp_path: Any, first: bool) -> None:
    """With `mixed=split` of either owner a recipient of another policy is asked to come alone: 452 4.5.3."""

    @inside()
    async def one(house: Indoors) -> None:
        house.host("a.test", {"mixed": "split"} if first else {})
        house.host("b.test", {} if first else {"mixed": "split"})
        house.open()
        rcpts, said = await house.client().mail(SENDER, ["ann@a.test", "bob@a.test", "ann@b.test"])
        assert ["250", "250", "452"] == codes(rcpts)
        assert rcpts[2].startswith("452 4.5.3 ")
        assert said.startswith("250")
        assert {"ann@a.test": "accepted", "bob@a.test": "accepted", "ann@b.test": "deferred"} == {
            row.recipient: row.fate for row in house.outcomes()
        }

    one(tmp_path)


@inside()
async def test_mailbox(house: Indoors) -> None:
    """What is set for one mailbox holds for it and for nobody beside it."""
    house.host("plain.test", {"probe.mode": "off"})
    house.store.put("mailbox:ann@plain.test", {"probe.mode": "on", "refuse_at": "rcpt"})
    house.probe.says["rcpt", "plain.test"] = Reject("bad")
    house.open()
    rcpts, _ = await house.client().mail(SENDER, ["Ann@plain.test", "bob@plain.test"])
    assert ["550", "250"] == codes(rcpts)


class Alias(Plugin):
    """Mail for alias goes to ann."""

    default_mode = Mode.ON

    def address(self, ctx: Any) -> Rewrite | None:
        """Rewrite it."""
        return Rewrite(f"ann@{ctx.recipient.domain}") if ctx.recipient.local == "alias" else None


@inside()
async def test_rewritten(house: Indoors) -> None:
    """A recipient that a plugin rewrote is looked up, delivered and judged as what it really is."""
    house.host("plain.test")
    found = [(one.name, one.plugin, one.origin, one.error) for one in house.registry]
    house.registry = Registry([*found, ("alias", Alias(), "test", "")])
    house.open()
    rcpts, _ = await house.client().mail(SENDER, ["alias@plain.test", "other@plain.test"])
    assert ["250", "550"] == codes(rcpts)
    assert ["ann@plain.test"] == [to for _, to, _ in house.back_end.taken]
    assert ["alias@plain.test", "other@plain.test"] == sorted(row.recipient for row in house.outcomes())


# -- what is remembered, and for how long ---------------------------------------------------------


@inside()
async def test_nothing_leaks_between_mails(house: Indoors) -> None:
    """What was decided about one mail does not decide about the next one, of another sender or client."""
    house.host("plain.test", {"refuse_at": "rcpt"})
    house.store.add_entry("domain:plain.test", "deny", "sender", "bad@x.example")
    house.store.add_entry("domain:plain.test", "allow", "sender", "good@x.example")
    house.open()
    client = house.client()
    senders = ["bad@x.example", "good@x.example", "bad@x.example", SENDER, "", "bad@x.example"]
    said = [(await client.mail(sender, ["ann@plain.test"]))[0][0][:3] for sender in senders]
    assert ["550", "250", "550", "250", "250", "550"] == said
    assert (await house.client("192.0.2.8").mail(SENDER, ["ann@plain.test"]))[0][0].startswith("250")


@inside()
async def test_nothing_leaks_between_policies(house: Indoors) -> None:
    """Two domains with equal findings decide each for itself, in the same transaction."""
    deny(house, "no.test", refuse_at="rcpt")
    house.host("tags.test", {"deny_list.action": "tag"})
    house.host("off.test", {"deny_list.mode": "off"})
    for domain in ("tags.test", "off.test"):
        house.store.add_entry(f"domain:{domain}", "deny", "ip", "192.0.2.7")
    house.open()
    for _ in range(3):
        rcpts, _ = await house.client().mail(SENDER, ["ann@tags.test", "ann@no.test", "ann@off.test"])
        assert ["250", "550", "250"] == codes(rcpts)
    tagged = {to for _, to, data in house.back_end.taken if b"X-Gatepost-Tags: deny_list" in data}
    assert {"ann@tags.test"} == tagged


@inside()
async def test_each_reason_is_its_own(house: Indoors) -> None:
    """Refusals that differ in nothing but their reason are not taken for one another."""
    house.host("plain.test", {"refuse_at": "rcpt"})
    reasons = iter(f"reason {n}" for n in range(50))
    house.probe.says["rcpt", "plain.test"] = lambda: Reject(next(reasons))
    house.open()
    client = house.client()
    for _ in range(50):
        await client.mail(SENDER, ["ann@plain.test"])
    assert [f"reason {n}" for n in range(50)] == [row.reason for row in house.outcomes()]


@inside()
async def test_snapshot_of_the_transaction(house: Indoors) -> None:
    """A transaction keeps the policy that it began with; the next one has the new one."""
    house.host("plain.test")
    house.open()
    client = house.client()
    await client.envelope(SENDER, ["ann@plain.test"])
    house.store.add_entry("domain:plain.test", "deny", "ip", "192.0.2.7")
    house.store.put("domain:plain.test", {"refuse_at": "rcpt"})
    assert house.follower.look()  # type: ignore[union-attr]
    assert (await client.say("RCPT TO:<bob@plain.test>")).startswith("250")
    await client.say("DATA")
    assert (await client.say(MAIL + b".\r\n")).startswith("250")
    assert ["550"] == codes((await client.mail(SENDER, ["bob@plain.test"]))[0])


@inside()
async def test_allow_entry(house: Indoors) -> None:
    """An allow entry leads past every check but that of the recipient, and the journal says so."""
    house.host("plain.test", {"refuse_at": "rcpt"})
    number = house.store.add_entry("domain:plain.test", "allow", "ip", "192.0.2.7").id
    house.probe.says["rcpt", "plain.test"] = Reject("bad client")
    house.probe.says["message", "plain.test"] = Reject("bad text")
    house.open()
    client = house.client()
    rcpts, said = await client.mail(SENDER, ["ann@plain.test", "nobody@plain.test"])
    assert (["250", "550"], "250") == (codes(rcpts), said[:3])
    unknown, accepted = sorted(house.outcomes(), key=lambda row: row.fate, reverse=True)
    assert ("rejected", "recipients") == (unknown.fate, unknown.plugin)
    assert ["lists", "", "allow"] == accepted.trace[-2][:3]
    assert house.gateway.used[number] >= 1
    assert ["550"] == codes((await house.client("192.0.2.8").mail(SENDER, ["ann@plain.test"]))[0])


# -- checks that fail, wait or are left alone -------------------------------------------------------


@pytest.mark.parametrize(("on_failure", "code"), [(OnFailure.PASS, "250"), (OnFailure.DEFER, "451")])
@pytest.mark.parametrize("hook", ["rcpt", "message"])
def test_a_check_fails(tmp_path: Any, on_failure: OnFailure, code: str, hook: str) -> None:
    """An exception of a check becomes what its `on_failure` says, never a 5xx, and is written down."""

    @inside()
    async def one(house: Indoors) -> None:
        house.host("plain.test", {"probe.on_failure": str(on_failure)})
        house.probe.says[hook, "plain.test"] = ZeroDivisionError("oh")
        house.open()
        rcpts, said = await house.client().mail(SENDER, ["ann@plain.test"])
        assert code == (said or rcpts[0])[:3]
        (row,) = house.outcomes()
        assert "ZeroDivisionError: oh" in str(row.trace)

    one(tmp_path)


@pytest.mark.parametrize(
    ("setting", "said"),
    [("messages", "450 4.7.1"), ("recipients", "452 4.5.3"), ("unknown_recipients", "450")],
)
def test_client_rate(tmp_path: Any, setting: str, said: str) -> None:
    """The machine's own limits speak at MAIL and at RCPT, for the one client only."""

    @inside()
    async def one(house: Indoors) -> None:
        house.host("plain.test")
        house.store.put("all", {f"client_rate.{setting}": 1})
        house.open()

        async def mail(client: Client) -> list[str]:
            await client.say("EHLO x.example")
            to = "nobody@plain.test" if setting == "unknown_recipients" else "ann@plain.test"
            lines = ["MAIL FROM:<s@x.example>", f"RCPT TO:<{to}>", "RSET"]
            replies = [(await client.say(line)).strip() for line in lines]
            await asyncio.sleep(0.01)
            return replies

        client = house.client()
        assert not [line for line in await mail(client) if line.startswith(said)]
        assert [line for line in await mail(client) if line.startswith(said)]
        assert not [line for line in await mail(house.client("192.0.2.8")) if line.startswith(said)]

    one(tmp_path)


# -- what is remembered of refusals ------------------------------------------------------------


@inside()
async def test_only_what_all_mails_share_is_remembered(house: Indoors) -> None:
    """The usual refusal is decided once; what a check said of one mail alone fills no memory."""
    house.host("one.test", {"refuse_at": "rcpt"})
    house.open()
    policy = house.follower.live.snapshot.policy_for("one.test")  # type: ignore[union-attr]
    assert policy is not None

    def memo() -> dict[object, object]:
        known: dict[object, object] = policy.cache.get(MEMO, {})
        return known

    for _ in range(20):
        assert ["550"] == codes(await house.client().envelope(SENDER, ["nobody@one.test"]))
    usual = len(memo())
    assert 1 <= usual < 5

    for n in range(20):
        house.probe.says["rcpt", "one.test"] = Reject(f"mail {n}")
        assert ["550"] == codes(await house.client().envelope(SENDER, ["ann@one.test"]))
    assert len(memo()) <= usual + 1
