"""From findings to the fate of one recipient: CONTRACT 5 as a table of examples."""

# ruff: noqa: E501 - one line of a table is one case

from dataclasses import dataclass, field

import pytest

from gatepost.mail.verdict import AddHeader, Allow, Defer, Reject, Rewrite, Score, Take, Verdict
from gatepost.policy import decide
from gatepost.policy.decide import ACCEPTED, Fate, Finding, Outcome, decide_message, decide_recipient
from gatepost.policy.lists import Entry
from gatepost.policy.policy import Action, DomainPolicy, Mode
from gatepost.policy.resolve import resolve
from gatepost.policy.source import DomainRows, Everywhere

ALLOW = Entry(1, "allow", "ip", "192.0.2.7")
DENY = Entry(2, "deny", "ip", "192.0.2.7")
VERIFIED = Entry(3, "allow", "sender", "ann@example.org", verified=True)
NO_USER = Reject("no such user", "No such user here", 550, "5.1.1")
LISTED = Reject("listed by bl.test")
LATER = Defer("greylisted", "Come back", 450, "4.7.1")


def policy(**values: object) -> DomainPolicy:
    """Return a policy with these core settings."""
    named = {key.replace("__", "."): value for key, value in values.items()}
    return resolve(DomainRows("example.org", {"route": ["smtp://a:25"], **named}), Everywhere(), {})


def said(
    verdict: Verdict | None,
    plugin: str = "dnsbl",
    mode: str = "on",
    action: str = "reject",
    failure: str = "",
    allowed_by: str = "",
) -> Finding:
    """Return what a check said."""
    return Finding(
        plugin, "rcpt", verdict, Mode(mode), Action(action), failure=failure, allowed_by=allowed_by
    )


@dataclass
class Case:
    """One line of the table."""

    why: str
    findings: list[Finding]
    fate: Fate
    plugin: str = ""
    code: int = 250
    entry: Entry | None = None
    tags: tuple[str, ...] = ()
    watched: tuple[str, ...] = ()
    allowed: str = ""
    proven: bool = False
    settings: dict[str, object] = field(default_factory=dict)


RECIPIENT = [
    Case("nobody speaks", [said(None)], Fate.ACCEPT),
    Case("refused", [said(LISTED)], Fate.REJECT, "dnsbl", 550),
    Case("action quarantine", [said(LISTED, action="quarantine")], Fate.QUARANTINE, "dnsbl", 250),
    Case("action defer", [said(LISTED, action="defer")], Fate.DEFER, "dnsbl", 451),
    Case("action tag", [said(LISTED, action="tag")], Fate.ACCEPT, tags=("dnsbl",)),
    Case("watch never acts", [said(LISTED, mode="watch")], Fate.ACCEPT, watched=("dnsbl",)),
    Case("off says nothing", [said(LISTED, mode="off")], Fate.ACCEPT),
    Case("deferred", [said(LATER)], Fate.DEFER, "dnsbl", 450),
    Case("a deferral is not held", [said(LATER, action="quarantine")], Fate.DEFER, "dnsbl", 450),
    Case("a deferral may be a tag", [said(LATER, action="tag")], Fate.ACCEPT, tags=("dnsbl",)),
    Case("could not answer", [said(Defer("time-out"), action="tag", failure="time-out")], Fate.DEFER, "dnsbl", 451),
    Case("a failure never is a 5xx", [said(Reject("odd"), failure="raised")], Fate.DEFER, "dnsbl", 451),
    Case("swallowed", [said(Take("training"), "training")], Fate.TAKE, "training"),
    Case("codes that are none", [said(Reject("x", code=250, enhanced="2.0.0"))], Fate.REJECT, "dnsbl", 550),
    Case("deferral with a 5xx code", [said(Defer("x", code=550, enhanced="5.0.0"))], Fate.DEFER, "dnsbl", 451),
    # several speak: the strongest
    Case("reject before defer", [said(LATER, "greylist"), said(LISTED)], Fate.REJECT, "dnsbl", 550),
    Case("defer before hold", [said(LISTED, action="quarantine"), said(LATER, "greylist")],
         Fate.DEFER, "greylist", 450),
    Case("take before hold", [said(LISTED, action="quarantine"), said(Take("x"), "training")],
         Fate.TAKE, "training"),
    Case("of equal ones the first", [said(LISTED, "a"), said(LISTED, "b")], Fate.REJECT, "a", 550),
    Case("refused and tagged", [said(LISTED, "a", action="tag"), said(LISTED, "b")], Fate.REJECT, "b", 550,
         tags=("a",)),
    # (1) who does not exist is refused, whatever the lists say
    Case("unknown and allowed", [said(NO_USER, "recipients")], Fate.REJECT, "recipients", 550, entry=ALLOW),
    Case("unknown and vouched for", [said(NO_USER, "recipients"), said(Allow("dnswl"), "dnswl")],
         Fate.REJECT, "recipients", 550),
    Case("unknown before listed", [said(LISTED), said(NO_USER, "recipients")], Fate.REJECT, "recipients", 550),
    # (2..) allow entries
    Case("allowed", [said(LISTED)], Fate.ACCEPT, entry=ALLOW, allowed="allow 192.0.2.7 (domain)"),
    Case("allowed past a tag", [said(LISTED, action="tag")], Fate.ACCEPT, entry=ALLOW,
         allowed="allow 192.0.2.7 (domain)"),
    Case("allowed past a take", [said(Take("eaten"), "bounce")], Fate.ACCEPT, entry=ALLOW,
         allowed="allow 192.0.2.7 (domain)"),
    Case("allowed by its own list", [said(LISTED, allowed_by="allow 192.0.2.7"), said(None, "a")], Fate.ACCEPT),
    Case("one check allowed, another not", [said(LISTED, allowed_by="x"), said(LISTED, "b")],
         Fate.REJECT, "b", 550),
    Case("verified and unproven", [said(LISTED)], Fate.REJECT, "dnsbl", 550, entry=VERIFIED),
    Case("verified and proven", [said(LISTED)], Fate.ACCEPT, entry=VERIFIED, proven=True,
         allowed="allow ann@example.org (domain)"),
    # a deny entry speaks through its check
    Case("denied, check off", [said(None)], Fate.ACCEPT, entry=DENY),
    Case("denied, check on", [said(Reject("on the deny list"), "deny_list")], Fate.REJECT, "deny_list", 550,
         entry=DENY),
    # vouching
    Case("vouched for", [said(LISTED), said(Allow("dnswl"), "dnswl")], Fate.ACCEPT, allowed="dnswl: dnswl"),
    Case("vouching on watch", [said(LISTED), said(Allow("dnswl"), "dnswl", "watch")], Fate.REJECT, "dnsbl", 550),
    Case("no vouching against an owner", [said(Reject("denied"), "deny_list"), said(Allow("dnswl"), "dnswl")],
         Fate.REJECT, "deny_list", 550, entry=DENY),
    Case("a rewrite is no opinion", [said(Rewrite("ann@example.org"), "batv")], Fate.ACCEPT),
    Case("points do not decide at RCPT", [said(Score(99, "x"))], Fate.ACCEPT),
]  # fmt: skip


@pytest.mark.parametrize("case", RECIPIENT, ids=[c.why for c in RECIPIENT])
def test_recipient(case: Case) -> None:
    """At RCPT."""
    check(case, decide_recipient(policy(**case.settings), case.findings, case.entry, proven=case.proven))


def check(case: Case, outcome: Outcome) -> None:
    """Compare what the table names."""
    assert (case.fate, case.plugin, case.code) == (outcome.fate, outcome.plugin, outcome.code)
    assert case.tags == outcome.tags
    assert case.watched == outcome.watched
    assert case.allowed == outcome.allowed_by


def points(n: float, plugin: str = "bayes", mode: str = "on") -> Finding:
    """Return a check that scores."""
    return said(Score(n, "words"), plugin, mode)


MESSAGE = [
    Case("few points", [points(4.9)], Fate.ACCEPT),
    Case("tagged", [points(3), points(2, "rules")], Fate.ACCEPT, tags=("score",)),
    Case("refused", [points(10), points(5, "rules")], Fate.REJECT, "score", 550),
    Case("points against", [points(20), points(-6, "rules")], Fate.ACCEPT, tags=("score",)),
    Case("watched points do not count", [points(99, mode="watch")], Fate.ACCEPT),
    Case("held", [points(12)], Fate.QUARANTINE, "score", 250, settings={"score__quarantine_at": 12}),
    Case(
        "reject switched off",
        [points(99)],
        Fate.ACCEPT,
        tags=("score",),
        settings={"score__reject_at": "off"},
    ),
    Case("allowed past points", [points(99)], Fate.ACCEPT, entry=ALLOW, allowed="allow 192.0.2.7 (domain)"),
    Case("vouched for", [points(99), said(Allow("known"), "known")], Fate.ACCEPT, allowed="known: known"),
    Case("a check's refusal before points", [points(99), said(LISTED)], Fate.REJECT, "dnsbl", 550),
    Case("own allow list", [said(Score(99, "x"), "bayes", allowed_by="allow .ru")], Fate.ACCEPT),
]


@pytest.mark.parametrize("case", MESSAGE, ids=[c.why for c in MESSAGE])
def test_message(case: Case) -> None:
    """With the message at hand."""
    check(case, decide_message(policy(**case.settings), case.findings, case.entry, proven=case.proven))


def test_headers_and_score_are_told() -> None:
    """Headers of checks that are on, and the sum of points, stand in the outcome."""
    outcome = decide_message(
        policy(),
        [
            points(2.5),
            said(AddHeader("X-Virus", "clean"), "clamav"),
            said(AddHeader("X-Not", "x"), "w", "watch"),
        ],
        None,
    )
    assert outcome == Outcome(Fate.ACCEPT, score=2.5, headers=(("X-Virus", "clean"),))


def test_reasons() -> None:
    """The owner reads the exact reason, the sender the general one."""
    outcome = decide_recipient(policy(), [said(NO_USER, "recipients")], None)
    assert (outcome.reason, outcome.public) == ("no such user", "No such user here")
    assert outcome.enhanced == "5.1.1"
    deferred = decide_recipient(policy(), [said(LISTED, action="defer")], None)
    assert "later" in deferred.public


def test_unskippable_can_be_named() -> None:
    """A virus scanner may be named beside the recipients."""
    virus = [said(Reject("EICAR"), "clamav")]
    assert decide_message(policy(), virus, ALLOW).fate is Fate.ACCEPT
    assert decide_message(policy(), virus, ALLOW, unskippable={"clamav"}).fate is Fate.REJECT


def test_nothing_found() -> None:
    """Without findings all is accepted, and it costs nothing."""
    assert decide_recipient(policy(), [], None) is ACCEPTED
    assert decide_message(policy(), [said(None)], None) is ACCEPTED
    assert decide_recipient(policy(), [], ALLOW).allowed_by == "allow 192.0.2.7 (domain)"


def test_refusals_that_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check's constant refusal has one outcome; another check's equal one has its own; memory is bounded."""
    again = decide_recipient(policy(), [said(NO_USER, "recipients")], None)
    assert decide_recipient(policy(), [said(NO_USER, "recipients"), said(None)], None) is again
    assert decide_recipient(policy(), [said(NO_USER, "other")], None).plugin == "other"
    assert decide_recipient(policy(), [said(NO_USER, "recipients")], DENY).plugin == "recipients"
    monkeypatch.setattr("gatepost.policy.decide.MAX_KNOWN", 5)
    for n in range(50):
        assert decide_recipient(policy(), [said(Reject(f"reason {n}"))], None).reason == f"reason {n}"
    assert len(decide._KNOWN) <= 5
