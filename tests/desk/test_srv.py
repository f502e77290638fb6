"""A tree is taken over, written out, and taken over again as the same policy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gatepost.desk import domains, lists, recipients, srv
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError
from gatepost.store.policy_files import rows_of
from gatepost.store.scopes import EVERYWHERE
from tests.desk.test_srv_read import touch

ROUTE = "smtp://127.0.0.1:26"


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A tree of the old system: two domains, and what holds for all."""
    top = tmp_path / "srv"
    touch(
        top, "example.org/users/valid/ann", "example.org/users/valid/bob/192.0.2.1", "example.org/checks/spf"
    )
    touch(top, "second.example/users/valid/*", "second.example/users/invalid/old")
    touch(top, "second.example/checks/all", "second.example/checks/dnsbl/whitelisted/ips/192.0.2.9")
    touch(
        top, "second.example/whitelisted/recipients/sales", "second.example/blacklisted/senders/a@b.example"
    )
    touch(top, "_global_/blacklisted/tld/ru", "_global_/whitelisted/ips/192.0.2.7")
    (top / "second.example/zones").write_text("zen.example\n")
    return top


def everything(desk: Desk) -> dict[str, Any]:
    """Return the whole policy as rows."""
    return {name: rows_of(desk.policy, name) for name in (EVERYWHERE, *desk.policy.domains())}


def test_import(desk: Desk, top: Path) -> None:
    """Domains, users, lists and checks come over; a domain that is new gets the route."""
    done = srv.import_tree(desk, top, route=ROUTE)
    assert ["second.example"] == done.hosted
    assert {"*": 2} == {name: rows for name, rows in done.domains.items() if name == EVERYWHERE}
    assert ["ann", "bob"] == [row.local for row in recipients.listing(desk, "example.org")]
    assert [ROUTE] == domains.own_values(desk, "second.example")["route"]
    assert domains.own_values(desk, "example.org")["route"][0].startswith("maildir:")
    assert {".ru", "192.0.2.7"} == {one.entry.text for one in lists.show(desk, None)}
    assert ("on", "off") == tuple(
        domains.own_values(desk, "example.org")[f"{n}.mode"] for n in ("spf", "dkim")
    )


def test_row_7_5_simplified_version(desk: Desk, top: Path, tmp_path: Path) -> None:
    """Import, export, import elsewhere: the same policy; and exported again the same files."""
    srv.import_tree(desk, top, route=ROUTE)
    first = everything(desk)
    done = srv.export_tree(desk, tmp_path / "out")
    assert [] == done.problems
    with Desk(tmp_path / "other", "bob", clock=desk.clock) as other:
        assert [] == [p for p in srv.import_tree(other, tmp_path / "out").problems if "kept" not in p.why]
        assert first == everything(other)
        srv.export_tree(other, tmp_path / "again")

    def files(folder: Path) -> dict[str, str]:
        return {str(f.relative_to(folder)): f.read_text() for f in folder.rglob("*") if f.is_file()}

    assert files(tmp_path / "out") == files(tmp_path / "again")
    assert (tmp_path / "out/_global_/blacklisted/tld/ru").exists()


def test_nothing_is_removed(desk: Desk, top: Path) -> None:
    """What is here and not in the tree stays."""
    recipients.add(desk, "example.org", ["carl"])
    srv.import_tree(desk, top, route=ROUTE)
    assert ["ann", "bob", "carl"] == [row.local for row in recipients.listing(desk, "example.org")]


def test_without_a_route(desk: Desk, top: Path) -> None:
    """A new domain without a route is told and left; a route that is none is refused before anything."""
    done = srv.import_tree(desk, top)
    assert ["second.example"] == [p.path for p in done.problems if "route" in p.why]
    assert ["example.org"] == desk.policy.domains()
    with pytest.raises(DeskError, match="circle"):
        srv.import_tree(desk, top, route="smtp://127.0.0.1:2525")


def test_dry_run(desk: Desk, top: Path) -> None:
    """It says what it would do, and does nothing."""
    before = everything(desk), desk.policy.version()
    dry = srv.import_tree(desk, top, route=ROUTE, dry_run=True)
    assert before == (everything(desk), desk.policy.version())
    assert dry.domains == srv.import_tree(desk, top, route=ROUTE).domains


def test_blacklist_d(desk: Desk, top: Path, tmp_path: Path) -> None:
    """`/etc/blacklist.d` is for all domains."""
    touch(tmp_path / "blacklist.d", "192.0.2.66")
    srv.import_tree(desk, top, route=ROUTE, blacklist_d=tmp_path / "blacklist.d")
    assert "192.0.2.66" in {one.entry.text for one in lists.show(desk, None)}


def test_refusals(desk: Desk, top: Path, tmp_path: Path) -> None:
    """An empty folder is no tree; an export overwrites nothing; a name that no file can have is told."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(DeskError, match="no domain"):
        srv.import_tree(desk, tmp_path / "empty")
    with pytest.raises(DeskError, match="not empty"):
        srv.export_tree(desk, top)
    lists.add(desk, "example.org", "deny", "helo:" + "(" * 200)
    assert ["example.org"] == [p.path for p in srv.export_tree(desk, tmp_path / "out").problems]
