"""Bounces: what is forged is refused and when, what is real passes, what a machine answers is marked."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost.mail.address import Address, parse_address
from gatepost.mail.batv import DAY, make, plain
from gatepost.mail.message import Message
from gatepost.mail.transaction import Recipient, Transaction
from gatepost.plugin.batv import since_key
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.bounces import BatvTag
from gatepost.plugin.registry import load
from gatepost.plugin.tools import Tools
from gatepost.policy.decide import Fate, Outcome, decide_message
from gatepost.policy.source import RecipientRow
from gatepost.store.memory import MemoryRecords, MemoryState

REGISTRY = load(entries=False)
NOON = 20_000.5 * DAY
ANN = parse_address("ann@example.org")
BATV = {"batv": True, "batv_keys": ["3:old", "4:secret"], "batv_addresses": ["Ann"]}
BOUNCE = "From: MAILER-DAEMON@mx.example\r\nSubject: Undelivered Mail\r\n\r\n"
LETTER = "From: eve@shop.example\r\nSubject: lunch\r\n\r\n"
CHALLENGE = "In-Reply-To: <1@x>\r\nSubject: Please confirm your message\r\n\r\n"
AWAY = "Auto-Submitted: auto-replied\r\nSubject: Away\r\n\r\n"


def tagged(number: int = 4, key: bytes = b"secret", days_ago: float = 0, address: Address = ANN) -> str:
    """Return an address with a tag."""
    made = make(address, number, key, NOON - days_ago * DAY)
    assert made is not None
    return made.text


class House:
    """A domain with the check on, and what it remembers."""

    def __init__(self, **own: Any) -> None:
        self.records = MemoryRecords(lambda: NOON)
        self.state = MemoryState(lambda: NOON)
        self.bench = Bench(REGISTRY, Tools(records=self.records, state=self.state), lambda: NOON)
        storm = own.pop("storm", "off")
        switches = {"bounce": {"mode": "on", **own}, "bounce_storm": {"mode": storm, "bounces": 3}}
        self.policy = self.bench.policy("example.org", switches)
        self.tags: list[BatvTag | None] = []

    def signed_since(self, days: float, local: str = "ann") -> None:
        """Signing began so long ago."""
        put = self.records.put("example.org", "bounce", since_key(local), {"since": NOON - days * DAY})
        asyncio.run(put)

    def mail(self, *recipients: str, sender: str = "", head: str = BOUNCE) -> list[Outcome]:
        """Put a mail through RCPT and the end of the data."""
        return asyncio.run(self._mail(recipients, sender, head))

    async def _mail(self, recipients: tuple[str, ...], sender: str, head: str) -> list[Outcome]:
        case = Case(sender=sender)
        session, transaction = case.session(), case.transaction()
        for text in recipients:
            await self._rcpt(text, session, transaction)
        found = await self.bench.pipeline.run_message(
            session, transaction, transaction.recipients, Message(head.encode())
        )
        self.transaction = transaction
        return [
            decide_message(self.policy, [*r.findings, *more], None)
            for r, more in zip(transaction.recipients, found, strict=True)
        ]

    async def _rcpt(self, text: str, session: Any, transaction: Transaction) -> None:
        named = parse_address(text)
        recipient = Recipient(named, plain(named), policy=self.policy)
        row = RecipientRow(recipient.final.key[0])
        asked = self.bench.pipeline.run_recipient(session, transaction, recipient, self.policy, row)
        recipient.findings = list(asked if isinstance(asked, list) else await asked)
        transaction.recipients.append(recipient)


def fates(outcomes: list[Outcome]) -> list[Fate]:
    """Return the fates alone."""
    return [one.fate for one in outcomes]


@pytest.mark.parametrize(
    ("recipients", "sender", "fate"),
    [
        (("ann@example.org",), "", Fate.ACCEPT),
        (("ann@example.org", "Ann@example.org"), "", Fate.ACCEPT),
        (("ann@example.org", "bob@example.org"), "", Fate.REJECT),
        (("ann@example.org", "bob@example.org"), "eve@shop.example", Fate.ACCEPT),
    ],
)
def test_several_recipients(recipients: tuple[str, ...], sender: str, fate: Fate) -> None:
    """A bounce has one recipient; a letter may have several; one named twice is one."""
    assert [fate] * len(recipients) == fates(House().mail(*recipients, sender=sender))


def test_several_recipients_allowed() -> None:
    """The check of several recipients can be switched off by itself."""
    assert [Fate.ACCEPT] * 2 == fates(House(several=False).mail("ann@example.org", "bob@example.org"))


@pytest.mark.parametrize(
    ("recipient", "fate", "reason"),
    [
        (tagged(), Fate.ACCEPT, ""),
        (tagged(3, b"old"), Fate.ACCEPT, ""),
        (tagged(days_ago=7), Fate.ACCEPT, ""),
        (tagged(days_ago=8), Fate.REJECT, "bad BATV tag: expired 1 days ago"),
        (tagged(days_ago=500), Fate.REJECT, "bad BATV tag: expired 493 days ago"),
        (tagged(4, b"guessed"), Fate.REJECT, "bad BATV tag: not made with key 4"),
        (tagged(5), Fate.REJECT, "bad BATV tag: no key 5"),
        (tagged().replace("=ann", "=bob"), Fate.REJECT, "bad BATV tag: not made with key 4"),
        ("ann@example.org", Fate.REJECT, "bounce without a tag, to an address whose mail is signed"),
        ("bob@example.org", Fate.ACCEPT, ""),
        ("prvs=ann@example.org", Fate.ACCEPT, ""),
    ],
)
def test_batv(recipient: str, fate: Fate, reason: str) -> None:
    """Good tags pass by any of the keys; bad, old and missing ones are refused; who signs not is let be."""
    house = House(**BATV)
    house.signed_since(8)
    (outcome,) = house.mail(recipient)
    assert (fate, reason) == (outcome.fate, outcome.reason)


def test_other_senders_are_not_refused() -> None:
    """People and lists write to a return path with whatever tag it has; the tag is stripped, that is all."""
    house = House(**BATV)
    house.signed_since(8)
    for recipient in (tagged(days_ago=100), tagged(4, b"guessed"), "ann@example.org"):
        assert [Fate.ACCEPT] == fates(house.mail(recipient, sender="eve@shop.example", head=LETTER))


@pytest.mark.parametrize(
    ("days", "grace", "fate"),
    [
        (None, 7, Fate.ACCEPT),
        (6.9, 7, Fate.ACCEPT),
        (7, 7, Fate.REJECT),
        (2, 2, Fate.REJECT),
        (None, 0, Fate.REJECT),
    ],
)
def test_grace(days: float | None, grace: int, fate: Fate) -> None:
    """Untagged bounces are refused after so many days of signing; never signed: never; 0: at once."""
    house = House(**BATV, batv_grace_days=grace)
    if days is not None:
        house.signed_since(days)
    assert [fate] == fates(house.mail("ann@example.org"))


def test_signing_elsewhere_is_seen() -> None:
    """The first good tag that comes back proves that somebody signs: the days of grace begin."""
    house = House(**BATV)
    house.mail(tagged())
    record = asyncio.run(house.records.get("example.org", "bounce", since_key("ann")))
    assert {"since": NOON} == record


def test_at_data_only() -> None:
    """A callout (RCPT and nothing more) to a signed address is not refused."""
    house = House(**BATV)
    house.signed_since(100)
    findings = asyncio.run(house.bench.ask(house.policy, Case(sender="", recipient="ann@example.org")))
    assert [] == [f.verdict for f in findings if f.verdict is not None]


def test_not_checked_unless_said() -> None:
    """Without `batv` nothing is refused; the fact about a tag is told all the same."""
    house = House(**{**BATV, "batv": False})
    house.signed_since(100)
    assert [Fate.ACCEPT] == fates(house.mail("ann@example.org"))
    assert [Fate.ACCEPT] == fates(house.mail(tagged(4, b"guessed")))
    told = [value for value in house.transaction.answers.values() if isinstance(value, BatvTag)]
    assert [BatvTag(False, "not made with key 4")] == told


def test_one_domains_tag_is_not_anothers() -> None:
    """A tag of another address of the same key is none of this one."""
    house = House(**BATV)
    (outcome,) = house.mail(
        tagged(address=parse_address("ann@other.example")).replace("other.example", "example.org")
    )
    assert Fate.REJECT == outcome.fate


@pytest.mark.parametrize(
    ("deed", "fate"),
    [("pass", Fate.ACCEPT), ("tag", Fate.ACCEPT), ("quarantine", Fate.QUARANTINE), ("defer", Fate.DEFER),
     ("reject", Fate.REJECT)],
)  # fmt: skip
@pytest.mark.parametrize(
    ("setting", "sender", "head"),
    [
        ("bounces", "", BOUNCE),
        ("challenges", "eve@shop.example", CHALLENGE),
        ("replies", "eve@shop.example", AWAY),
    ],
)
def test_row_7_4_challenge_response_replies(
    setting: str, sender: str, head: str, deed: str, fate: Fate
) -> None:
    """Each kind of automatic mail has its action, whatever the check's own is; `tag` marks it."""
    (outcome,) = House(**{setting: deed, "action": "tag"}).mail("ann@example.org", sender=sender, head=head)
    assert fate == outcome.fate
    assert (deed == "tag") == bool(outcome.headers)
    assert not outcome.tags


def test_letters_are_let_be() -> None:
    """A person's letter gets no header and no verdict, however all is set."""
    house = House(bounces="reject", challenges="reject", replies="reject")
    (outcome,) = house.mail("ann@example.org", sender="eve@shop.example", head=LETTER)
    assert (Fate.ACCEPT, ()) == (outcome.fate, outcome.headers)


def test_a_good_tag_passes_the_action() -> None:
    """Where bounces are refused or held, one with a good tag is only marked."""
    (outcome,) = House(**BATV, bounces="reject").mail(tagged())
    assert (Fate.ACCEPT, (("X-Automatic-Mail", "bounce (Subject: Undelivered Mail)"),)) == (
        outcome.fate,
        outcome.headers,
    )


def test_a_good_tag_passes_a_storm() -> None:
    """While a storm has closed an address, bounces with a good tag still reach it, and no others."""
    house = House(**{**BATV, "batv": False}, storm="on")
    for _ in range(4):
        outcome = house.mail("ann@example.org")[0]
    assert ("bounce_storm", Fate.REJECT) == (outcome.plugin, outcome.fate)
    assert [Fate.ACCEPT] == fates(house.mail(tagged()))
    assert [Fate.REJECT] == fates(house.mail(tagged(4, b"guessed")))
    assert [Fate.REJECT] == fates(house.mail("ann@example.org"))


def test_action_of_the_check() -> None:
    """Forged bounces follow `bounce.action`."""
    house = House(**BATV, action="quarantine")
    assert [Fate.QUARANTINE] == fates(house.mail(tagged(4, b"guessed")))


@pytest.mark.parametrize(
    "own",
    [
        {"batv_keys": ["secret"]},
        {"batv_keys": ["10:secret"]},
        {"batv_keys": ["0:"]},
        {"batv_keys": [f"0:{'x' * 65}"]},
        {"batv_keys": ["0:a", "0:b"]},
        {"batv_addresses": ["ann@example.org"]},
        {"batv_grace_days": -1},
        {"challenges": "burn"},
    ],
)
def test_wrong_settings(own: dict[str, Any]) -> None:
    """What cannot be is an error that does not tell the key."""
    with pytest.raises(ValueError, match="bounce") as error:
        House(**own)
    assert (
        "secret" not in str(error.value).replace("secret of a key", "").replace("NUMBER:SECRET", "").lower()
    )
