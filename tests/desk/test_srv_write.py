"""Rows become files, and those files the same rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gatepost.desk.desk import Desk
from gatepost.desk.srv_read import DomainReader
from gatepost.desk.srv_tree import Tree
from gatepost.desk.srv_write import files_of, write_files
from gatepost.store.policy_files import NO_MARKS, Key
from gatepost.store.scopes import EVERYWHERE

NOTE = {**NO_MARKS, "note": "our \u201cpartner\u201d", "expires": 5.0, "verified": True}
ROWS: dict[Key, Any] = {
    ("setting", "", "route"): ["smtp://127.0.0.1:26"],
    ("setting", "", "spf.mode"): "on",
    ("setting", "", "dkim.mode"): "watch",
    ("setting", "", "dnsbl.mode"): "on",
    ("setting", "", "dnsbl.zones"): ["zen.example=127.0.0.2"],
    ("setting", "ann", "spf.mode"): "off",
    ("recipient", "../../checks/all", "valid"): None,
    ("recipient", "*", "valid"): None,
    ("recipient", "bob", "valid"): ["192.0.2.1/32"],
    ("recipient", "bob", "invalid"): None,
    ("entry", "", "", "deny", "net", "10.0.0.0/8"): dict(NO_MARKS),
    ("entry", "", "", "allow", "sender", "x/y@example.net"): NOTE,
    ("entry", "", "spf", "allow", "ip", "192.0.2.1"): dict(NO_MARKS),
    ("entry", "", "dmarc", "allow", "sender_domain", "a.example"): dict(NO_MARKS),
    ("entry", "ann", "spf", "allow", "host", "mail.a.example"): dict(NO_MARKS),
    ("entry", "ann", "", "allow", "net", "0.0.0.0/0"): dict(NO_MARKS),
    ("entry", "ann", "", "allow", "net", "::/0"): dict(NO_MARKS),
    ("entry", "bob", "", "allow", "net", "0.0.0.0/0"): dict(NO_MARKS),
    ("kept", "checks", "nosuch"): None,
}


def test_there_and_back(desk: Desk, tmp_path: Path) -> None:
    """Everything that a domain can have comes back, and no name has led out of its folder."""
    top = tmp_path / "srv"
    write_files(top, files_of("example.org", ROWS))
    assert ["example.org"] == [place.name for place in top.iterdir()]
    folder = top / "example.org"
    rows = DomainReader(Tree(top), "example.org", folder, desk.registry.defaults()).read()
    assert rows == ROWS
    assert (folder / "whitelisted/recipients/ann").exists()
    assert (folder / "users/valid/bob/192.0.2.1%2F32").exists()


def test_settings_are_for_who_wrote_them(tmp_path: Path) -> None:
    """Keys stand in them: whatever the umask is, nobody else on the machine reads them."""
    rows: dict[Key, Any] = {
        ("setting", "", "bounce.batv_keys"): ["0:secret"],
        ("setting", "ann", "refuse_at"): "rcpt",
        ("recipient", "ann", "valid"): None,
    }
    write_files(tmp_path, files_of("example.org", rows))
    written = {path.parent.name: path for path in tmp_path.rglob("settings")}
    assert "0:secret" in written["example.org"].read_text()
    assert {0o600} == {path.stat().st_mode & 0o777 for path in written.values()}
    assert {"example.org", "ann"} == written.keys()


def test_for_all_domains(desk: Desk, tmp_path: Path) -> None:
    """What holds for all lies in `_global_`: modes as settings, zones as a file."""
    given: dict[Key, Any] = {
        ("setting", "", "spf.mode"): "on",
        ("setting", "", "dnsbl.zones"): ["zen.example"],
        ("setting", "", "dnsbl.mode"): "on",
        ("entry", "", "dnsbl", "allow", "ip", "192.0.2.1"): dict(NO_MARKS),
        ("entry", "", "", "deny", "tld", "ru"): dict(NO_MARKS),
    }
    top = tmp_path / "srv"
    write_files(top, files_of(EVERYWHERE, given))
    folder = top / "_global_"
    rows = DomainReader(Tree(top), EVERYWHERE, folder, desk.registry.defaults()).read()
    assert rows == given
    assert (folder / "blacklisted/tld/ru").exists()
