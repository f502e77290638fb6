"""The workloads and their bars: the table of the project's aims, as data.

A bar compares medians: Gatepost's figure may be at most `at_most` times the peer's (or, without a peer,
at most that many units; or, where it is what the subject costs more, at most that many units more).
`better` is what is hoped for.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from bench.everything import GatepostEverything
from bench.gatepost import (
    Gatepost,
    GatepostDeny,
    GatepostDenyOne,
    GatepostOne,
    GatepostSmall,
)
from bench.haraka import Haraka, HarakaForward
from bench.load import Load
from bench.many import GatepostLarge
from bench.postfix import Postfix, PostfixProxy, Postscreen, PostscreenIdle
from bench.senders import GatepostChecked, GatepostUnchecked, PostfixMilters, PostfixQueue
from bench.server import Server
from bench.watched import GatepostWatched


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure is held to."""

    at_most: float
    better: float
    peer: str = ""
    more: bool = False
    """It bounds the difference from the peer, not the ratio."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A server in a workload, how many sessions one round sends it, and which where they differ."""

    make: Callable[[int], Server]
    sessions: int
    load: Load | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Workload:
    """One row of the table of aims."""

    name: str
    title: str
    load: Load
    contenders: tuple[Contender, ...]
    bars: tuple[Bar, ...]
    figure: str = "cpu"
    """What is judged: cpu (seconds per 1,000 sessions), p50 (ms a message), kib (a connection)."""
    subjects: tuple[str, ...] = field(default=("gatepost", "gatepost-1"))
    start_seconds: float = 0.0
    """The subjects may take at most so long from exec to their first greeting; 0: no bar."""
    resolver: bool = False
    """A real unbound stands behind, whose zone proves the sender."""
    process_mb: float = 0.0
    """Their dearest process may hold at most so much user memory (10^6 bytes of Pss)."""


def _both(sessions: int) -> tuple[Contender, ...]:
    return Contender(Gatepost, sessions), Contender(GatepostOne, sessions)


_RELAY = Load(size=4096)
_CHECKED = ("gatepost-checked",)
_EVERY = ("gatepost-everything",)
_SCALE_SUBJECTS = ("gatepost-large/some", "gatepost-large/all")


def _senders(sessions: int) -> tuple[Contender, ...]:
    """Gatepost without and with the checks, Postfix without and with its milters."""
    return (
        Contender(GatepostUnchecked, sessions),
        Contender(GatepostChecked, sessions),
        Contender(PostfixQueue, sessions // 4),
        Contender(PostfixMilters, sessions // 4),
    )


def _every(sessions: int, peer: Contender) -> tuple[Contender, ...]:
    """Gatepost as shipped and with every early check on, and a peer without such checks."""
    return Contender(GatepostOne, sessions), Contender(GatepostEverything, sessions), peer


def _scale(load: Callable[[int, int], Load], sessions: int) -> tuple[Contender, ...]:
    return (
        Contender(GatepostSmall, sessions, load(1, 10_000)),
        Contender(GatepostLarge, sessions, load(1_000, 10), "some"),
        Contender(GatepostLarge, sessions, load(100_000, 10), "all"),
    )


WORKLOADS = (
    Workload(
        "reject1",
        "reject of one unknown RCPT",
        Load(refused=1),
        (*_both(15_000), Contender(Postfix, 5_000), Contender(Haraka, 2_500)),
        (Bar(1 / 3, 1 / 5, "postfix"),),
    ),
    Workload(
        "reject10",
        "ten rejected RCPT in a session",
        Load(refused=10),
        (*_both(5_000), Contender(Postfix, 1_500), Contender(Haraka, 1_200)),
        (Bar(1 / 6, 1 / 12, "postfix"), Bar(1 / 3, 1 / 6, "haraka")),
    ),
    Workload(
        "deny",
        "client on the deny list",
        Load(refused=1, known_users=True),
        (Contender(GatepostDeny, 15_000), Contender(GatepostDenyOne, 15_000), Contender(Postscreen, 15_000)),
        (Bar(1.0, 4 / 5, "postscreen"),),
        subjects=("gatepost-deny", "gatepost-deny-1"),
    ),
    Workload(
        "relay4k",
        "relay of a 4 KiB message to smtp-sink",
        _RELAY,
        (*_both(8_000), Contender(PostfixProxy, 2_500), Contender(HarakaForward, 800)),
        (Bar(1 / 3, 1 / 5, "postfix-proxy"), Bar(1 / 8, 1 / 8, "haraka-forward")),
    ),
    Workload(
        "relay4kx10",
        "relay of ten 4 KiB messages in a session",
        Load(size=4096, messages=10),
        (*_both(1_200), Contender(PostfixProxy, 400), Contender(HarakaForward, 80)),
        (Bar(1 / 3, 1 / 5, "postfix-proxy"),),
    ),
    Workload(
        "relay100k",
        "relay of a 100 KiB message",
        Load(size=102_400),
        (*_both(2_500), Contender(PostfixProxy, 1_200), Contender(HarakaForward, 300)),
        (Bar(1 / 2.5, 1 / 3.5, "postfix-proxy"),),
    ),
    Workload(
        "latency",
        "median latency of a 4 KiB relay, one client",
        Load(size=4096, messages=10, clients=1),
        (*_both(200), Contender(PostfixProxy, 200), Contender(HarakaForward, 6)),
        (Bar(1.0, 1 / 2, "postfix-proxy"),),
        figure="p50",
    ),
    Workload(
        "idle",
        "memory per idle connection after EHLO, 10,000 held",
        Load(idle=True),
        (*_both(10_000), Contender(Haraka, 10_000), Contender(PostscreenIdle, 10_000)),
        (Bar(8, 3),),
        figure="kib",
    ),
    Workload(
        "senders4k",
        "relay of a 4 KiB message with one RSA-2048 signature, SPF, DKIM, ARC and DMARC on",
        Load(size=4096, signed=True),
        _senders(3_000),
        (Bar(1.0, 0.5, "gatepost-unchecked", more=True),),
        subjects=_CHECKED,
        resolver=True,
    ),
    Workload(
        "senders100k",
        "relay of a 100 KiB message with one RSA-2048 signature, SPF, DKIM, ARC and DMARC on",
        Load(size=102_400, signed=True),
        _senders(1_600),
        (Bar(3.0, 1.5, "gatepost-unchecked", more=True),),
        subjects=_CHECKED,
        resolver=True,
    ),
    Workload(
        "senders-reject",
        "reject of one unknown RCPT with SPF, DKIM, ARC and DMARC on",
        Load(refused=1),
        _senders(10_000),
        (Bar(1.05, 1.0, "gatepost-unchecked"),),
        subjects=_CHECKED,
        resolver=True,
    ),
    Workload(
        "watched-reject1",
        "reject of one unknown RCPT while an administrator follows the journal",
        Load(refused=1),
        (Contender(GatepostOne, 15_000), Contender(GatepostWatched, 15_000)),
        (Bar(1.05, 1.0, "gatepost-1"),),
        subjects=("gatepost-watched",),
    ),
    Workload(
        "every-reject1",
        "reject of one unknown RCPT with every check before the message on",
        Load(refused=1),
        _every(10_000, Contender(Postfix, 4_000)),
        (Bar(1 / 3, 1 / 5, "postfix"),),
        subjects=_EVERY,
        resolver=True,
    ),
    Workload(
        "every-reject10",
        "ten rejected RCPT in a session with every check before the message on",
        Load(refused=10),
        _every(4_000, Contender(Postfix, 1_500)),
        (Bar(1 / 6, 1 / 12, "postfix"),),
        subjects=_EVERY,
        resolver=True,
    ),
    Workload(
        "every-relay4k",
        "relay of a 4 KiB message with every check before the message on",
        _RELAY,
        _every(5_000, Contender(PostfixProxy, 2_000)),
        (Bar(1 / 3, 1 / 5, "postfix-proxy"),),
        subjects=_EVERY,
        resolver=True,
    ),
    Workload(
        "scale-reject",
        "reject of one unknown RCPT: 1 domain against 100,000 domains with a million recipients",
        Load(refused=1),
        _scale(lambda domains, users: Load(refused=1, domains=domains, users=users), 10_000),
        (Bar(1.10, 1.0, "gatepost-small"),),
        subjects=_SCALE_SUBJECTS,
        start_seconds=5,
        process_mb=150,
    ),
    Workload(
        "scale-relay",
        "relay of a 4 KiB message: 1 domain against 100,000 domains with a million recipients",
        _RELAY,
        _scale(lambda domains, users: Load(domains=domains, users=users), 6_000),
        (Bar(1.10, 1.0, "gatepost-small"),),
        subjects=_SCALE_SUBJECTS,
        start_seconds=5,
        process_mb=150,
    ),
)
