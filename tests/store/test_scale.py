"""With thousands of domains a look costs what it does with a single one, and a start takes no time."""

from pathlib import Path

from gatepost.policy.snapshot import Snapshot
from gatepost.store.policy_db import PolicyStore
from gatepost.store.policy_follow import PolicyFollower
from tests.cost import assert_cheap, assert_dearer_by, seconds
from tests.policy.dnsbl import DEFAULTS

DOMAINS, USERS = 5_000, 10
LONG = 30_000


def made(folder: Path, domains: int) -> tuple[PolicyFollower, Snapshot]:
    """Load so many domains and start like a worker."""
    folder.mkdir()
    store = PolicyStore(folder / "policy.db")
    names = [f"user{n}" for n in range(USERS)]
    store.load((f"d{n}.example", "smtp://a:25", {}, names) for n in range(domains))
    store.close()
    follower = PolicyFollower(folder)
    return follower, follower.snapshot(DEFAULTS)


def test_thousands_of_domains(tmp_path: Path) -> None:
    """Start reads nothing but what is set for all; looks cost the same; memory has only who gets mail."""
    _, small = made(tmp_path / "small", 1)
    follower, large = made(tmp_path / "large", DOMAINS)

    def start() -> None:
        again = PolicyFollower(tmp_path / "large").snapshot(DEFAULTS)
        assert again.recipient("d77.example", "user1") is not None

    assert_cheap(1, start)

    def look(snapshot: Snapshot) -> None:
        for _ in range(1_000):
            snapshot.recipient("d0.example", "user1")

    assert_dearer_by(2, lambda: seconds(look, small), lambda: seconds(look, large))
    for n in range(DOMAINS):
        assert large.policy_for(f"d{n}.example") is not None
    assert len(large._young) + len(large._old) <= 5_000
    assert follower.trouble == ""


def test_a_long_list(tmp_path: Path) -> None:
    """A list too long for memory is asked by index: a look costs no more in it than in a short one."""
    follower, _ = made(tmp_path / "data", 1)
    store = PolicyStore(tmp_path / "data" / "policy.db")
    store.add_domain("long.example", "smtp://a:25")
    store.add_recipients("long.example", (f"u{n}" for n in range(LONG)))
    snapshot = follower.snapshot(DEFAULTS)
    assert snapshot.recipient("long.example", "u29999") is not None
    assert snapshot.recipient("long.example", "nosuch") is None

    def cost(domain: str, local: str) -> float:
        return seconds(lambda: [follower.recipient(domain, local) for _ in range(200)])

    assert_dearer_by(2, lambda: cost("d0.example", "user1"), lambda: cost("long.example", "u777"))
