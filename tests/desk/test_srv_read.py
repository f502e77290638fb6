"""Every file of the layout is the row that it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gatepost.desk.desk import Desk
from gatepost.desk.srv_read import DomainReader, read_blacklist_d
from gatepost.desk.srv_tree import Tree
from gatepost.store.policy_files import NO_MARKS, Key
from gatepost.store.scopes import EVERYWHERE

DOMAIN = "example.org"
ENTRIES = {
    "blacklisted/ips/192.0.2.7": ("", "", "deny", "ip", "192.0.2.7"),
    "blacklisted/ips/10.0.0.0%2F8": ("", "", "deny", "net", "10.0.0.0/8"),
    "blacklisted/hosts/hosted-by.example.com": ("", "", "deny", "host", "hosted-by.example.com"),
    "blacklisted/senders/Bob@Example.net": ("", "", "deny", "sender", "bob@example.net"),
    "blacklisted/domains/example.net": ("", "", "deny", "sender_domain", "example.net"),
    "blacklisted/tld/ru": ("", "", "deny", "tld", "ru"),
    "blacklisted/tld/com.br": ("", "", "deny", "tld", "com.br"),
    "blacklisted/helo/friend": ("", "", "deny", "helo", "friend"),
    "whitelisted/ips/2001:DB8::1": ("", "", "allow", "ip", "2001:db8::1"),
    "checks/dnsbl/whitelisted/ips/192.0.2.9": ("", "dnsbl", "allow", "ip", "192.0.2.9"),
    "checks/sender/whitelisted/domains/a.test": (
        "",
        "sender_domain",
        "allow",
        "sender_domain",
        "a.test",
    ),
    "mailboxes/ann/whitelisted/senders/b@a.example": ("ann", "", "allow", "sender", "b@a.example"),
}


def touch(top: Path, *files: str) -> None:
    """Make files, with their folders."""
    for file in files:
        (top / file).parent.mkdir(parents=True, exist_ok=True)
        (top / file).touch()


def read(desk: Desk, top: Path, domain: str = DOMAIN) -> tuple[dict[Key, Any], Tree]:
    """Return the rows of a folder, and what was told."""
    tree = Tree(top)
    return DomainReader(tree, domain, top, desk.registry.defaults()).read(), tree


@pytest.mark.parametrize(("file", "key"), ENTRIES.items())
def test_entries(desk: Desk, tmp_path: Path, file: str, key: Key) -> None:
    """A file of a list is an entry in its one spelling."""
    touch(tmp_path, f"srv/{file}")
    rows, tree = read(desk, tmp_path / "srv")
    assert {("entry", *key): NO_MARKS} == {k: v for k, v in rows.items() if k[0] == "entry"}
    assert [] == [p for p in tree.problems if "no such check" not in p.why]


def test_users(desk: Desk, tmp_path: Path) -> None:
    """A folder as a user name is a client ACL; `*` is everybody; an empty folder lets nobody in."""
    touch(tmp_path, "users/valid/Ann", "users/valid/*", "users/valid/bob/192.0.2.1", "users/invalid/old")
    touch(tmp_path, "users/valid/a%2Fb")
    (tmp_path / "users/valid/carl").mkdir()
    rows, _ = read(desk, tmp_path)
    assert {
        ("recipient", "ann", "valid"): None,
        ("recipient", "*", "valid"): None,
        ("recipient", "bob", "valid"): ["192.0.2.1/32"],
        ("recipient", "carl", "valid"): [],
        ("recipient", "a/b", "valid"): None,
        ("recipient", "old", "invalid"): None,
    } == {key: value for key, value in rows.items() if key[0] == "recipient"}


def test_a_whitelisted_recipient(desk: Desk, tmp_path: Path) -> None:
    """Whoever writes to a whitelisted recipient is let past the checks."""
    touch(tmp_path, "whitelisted/recipients/ann")
    rows, _ = read(desk, tmp_path)
    assert [("ann", "", "allow", "net", "0.0.0.0/0"), ("ann", "", "allow", "net", "::/0")] == [
        key[1:] for key in rows if key[0] == "entry"
    ]


def test_checks_zones_settings(desk: Desk, tmp_path: Path) -> None:
    """Files switch checks on; zones switch block lists on; our own file has what the old layout had not."""
    touch(tmp_path, "checks/spf", "checks/nosuch")
    (tmp_path / "zones").write_text("zen.example\n# no\nnot a zone\n")
    rows, tree = read(desk, tmp_path)
    settings = {key[2]: value for key, value in rows.items() if key[0] == "setting"}
    assert ("on", "on", "off") == tuple(settings[f"{name}.mode"] for name in ("spf", "dnsbl", "dkim"))
    assert ["zen.example"] == settings["dnsbl.zones"]
    assert ("kept", "checks", "nosuch") in rows
    assert {"checks/nosuch", "zones"} == {problem.path for problem in tree.problems}

    (tmp_path / "settings").write_text('keep_days=7\nkeep_dayz=1\nroute=["smtp://127.0.0.1:26"]\n')
    rows, tree = read(desk, tmp_path)
    assert 7 == rows["setting", "", "keep_days"]
    assert ("setting", "", "dkim.mode") not in rows
    assert "did you mean 'keep_days'?" in tree.problems[-1].why


def test_wrong_names_are_told(desk: Desk, tmp_path: Path) -> None:
    """What is no address, no recipient, no list costs nothing else."""
    touch(tmp_path, "blacklisted/ips/ru", "blacklisted/ips/192.0.2.1", "blacklisted/colours/red")
    touch(tmp_path, "users/valid/a%00b", "users/valid/ann")
    rows, tree = read(desk, tmp_path)
    assert {"blacklisted/ips/ru", "blacklisted/colours", "users/valid/a%00b"} == {
        p.path for p in tree.problems
    }
    assert {("recipient", "ann", "valid"), ("entry", "", "", "deny", "ip", "192.0.2.1")} <= rows.keys()


def test_a_host_without_a_name_has_no_end_of_it(desk: Desk, tmp_path: Path) -> None:
    """`tld/unknown` was how a host without reverse DNS was denied: what does that here is told."""
    touch(tmp_path, "blacklisted/tld/unknown", "blacklisted/tld/ru")
    rows, tree = read(desk, tmp_path)
    assert ["ru"] == [key[-1] for key in rows if key[0] == "entry"]
    assert ["blacklisted/tld/unknown"] == [problem.path for problem in tree.problems]
    assert "checks/rdns" in tree.problems[0].why


def test_for_all_domains(desk: Desk, tmp_path: Path) -> None:
    """`_global_` has lists, but no users and no checks."""
    touch(tmp_path, "blacklisted/tld/ru", "users/valid/ann", "checks/spf", "checks/dnsbl/only-lists")
    touch(tmp_path, "checks/dnsbl/whitelisted/ips/192.0.2.1")
    rows, tree = read(desk, tmp_path, EVERYWHERE)
    assert {
        ("entry", "", "", "deny", "tld", "ru"),
        ("entry", "", "dnsbl", "allow", "ip", "192.0.2.1"),
    } == set(rows)
    assert ["checks"] == [problem.path for problem in tree.problems]


def test_what_an_entry_says_besides(desk: Desk, tmp_path: Path) -> None:
    """Expiry, note, proof and lock stand in the file; what others wrote into a file is not ours to read."""
    touch(tmp_path, "blacklisted/ips/192.0.2.1")
    (tmp_path / "blacklisted/ips/192.0.2.1").write_text('gatepost {"note": "x", "expires": 5, "locked": 1}')
    touch(tmp_path, "blacklisted/ips/192.0.2.2")
    (tmp_path / "blacklisted/ips/192.0.2.2").write_text("see ticket 5\n")
    rows, _ = read(desk, tmp_path)
    assert {**NO_MARKS, "note": "x", "expires": 5} == rows["entry", "", "", "deny", "ip", "192.0.2.1"]
    assert NO_MARKS == rows["entry", "", "", "deny", "ip", "192.0.2.2"]


def test_blacklist_d(tmp_path: Path) -> None:
    """`/etc/blacklist.d` is client addresses that are denied everywhere."""
    touch(tmp_path, "192.0.2.1", "README")
    rows: dict[Key, Any] = {}
    tree = Tree(tmp_path)
    read_blacklist_d(tree, rows)
    assert [("entry", "", "", "deny", "ip", "192.0.2.1")] == list(rows)
    assert ["README"] == [problem.path for problem in tree.problems]
