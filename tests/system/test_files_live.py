"""Policy as files, through a running gateway: touched and in force, removed and gone (reference, 7.5)."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.desk.test_srv_read import touch
from tests.system.dns import Unbound
from tests.system.gateway import Gateway
from tests.system.process import wait_until
from tests.system.running import in_force
from tests.system.sink import Sink
from tests.system.test_backends import hosting, letter

NAMED = "127.0.0.5"
"""Its reverse name is `mail.good.test`, forward-confirmed or not."""
SOON = 4.0
"""Within a second it must be in force; a loaded machine may take more."""


@pytest.fixture
def followed(make_gateway: Callable[..., Gateway], unbound: Unbound, sink: Sink, tmp_path: Path) -> Gateway:
    """Give a gateway of two workers that follows `srv` beside its data, with example.org in it."""
    touch(tmp_path / "srv", "example.org/users/valid/ann", "example.org/users/valid/bob/127.0.0.7")
    gateway = make_gateway(
        dns={"servers": [unbound.server]},
        smtp={"workers": 2},
        files={
            "srv": str(tmp_path / "srv"),
            "route": f"smtp://127.0.0.1:{sink.port}",
            "blacklist_d": str(tmp_path / "blacklist.d"),
        },
    )

    def hosted() -> bool:
        """Each worker has it; until then the policy is empty, and that is 451."""
        return {250} == {gateway.rcpt("ann@example.org")[0] for _ in range(10)}

    wait_until(hosted, "the domain of the tree")
    return gateway


def said(gateway: Gateway, source: str = "127.0.0.1", to: str = "ann@example.org") -> int:
    """Return the last reply to a whole mail, whichever worker takes it."""
    code, text = gateway.send([to], letter("files"), source=source)
    assert code in (250, 550), text
    return code


def everywhere(gateway: Gateway, code: int, source: str = "127.0.0.1", to: str = "ann@example.org") -> bool:
    """Tell whether ten sessions in a row, over both workers, get this reply."""
    return {code} == {said(gateway, source, to) for _ in range(10)}


def test_tld_blacklisting_by_the_clients_rdns(followed: Gateway, tmp_path: Path) -> None:
    """`touch _global_/blacklisted/tld/test`: refused by every worker soon; a whitelist overrides it."""
    tld = tmp_path / "srv/_global_/blacklisted/tld"
    touch(tld, "test")
    wait_until(lambda: said(followed, NAMED) == 550, "the client's top-level domain refused", SOON)
    wait_until(lambda: everywhere(followed, 550, NAMED), "by every worker", SOON)
    assert 250 == said(followed), "a host without that name is not touched"

    touch(tmp_path / "srv/example.org/whitelisted/ips", NAMED)
    wait_until(lambda: said(followed, NAMED) == 250, "a whitelist overrides", SOON)

    (tmp_path / "srv/example.org/whitelisted/ips" / NAMED).unlink()
    wait_until(lambda: said(followed, NAMED) == 550, "refused again", 2 * SOON)
    (tld / "test").unlink()
    wait_until(lambda: said(followed, NAMED) == 250, "gone with its file", 2 * SOON)


def test_domain_blacklisting(followed: Gateway, tmp_path: Path) -> None:
    """A file for a sender's domain refuses it and its sub-domains."""
    touch(tmp_path / "srv", "example.org/blacklisted/domains/client.example")
    refused = ["me@client.example", "me@sub.client.example"]

    def codes() -> list[int]:
        return [followed.send(["ann@example.org"], letter("x"), sender=s)[0] for s in refused]

    wait_until(lambda: codes() == [550, 550], "the sender's domain refused", SOON)
    assert 250 == followed.send(["ann@example.org"], letter("x"), sender="me@other.example")[0]


def test_row_7_5_settings_handled_via_files(followed: Gateway, tmp_path: Path) -> None:
    """Users, a client ACL, the wildcard, `invalid` that beats it, and `/etc/blacklist.d`."""
    assert [250, 550] == [said(followed, source, "bob@example.org") for source in ("127.0.0.7", "127.0.0.1")]
    assert 550 == followed.rcpt("carl@example.org")[0]
    touch(tmp_path / "srv/example.org/users", "valid/*", "invalid/dora")
    wait_until(lambda: followed.rcpt("carl@example.org")[0] == 250, "the wildcard", SOON)
    assert 550 == followed.rcpt("dora@example.org")[0]

    touch(tmp_path / "blacklist.d", "127.0.0.66")
    # That folder was not there at the start, so nobody tells of it: it is found by looking.
    wait_until(lambda: said(followed, "127.0.0.66") == 550, "the shared block list")


def test_a_path_as_a_local_part_is_nobody(followed: Gateway, tmp_path: Path) -> None:
    """What made old tests for files succeed is no recipient here, and leaves no file anywhere."""
    before = sorted((tmp_path / "srv").rglob("*"))
    for local in ("/../valid/ann", "../../checks/all", "../valid/ann", "..%2Fvalid%2Fann", "a@b"):
        code, text = followed.rcpt(f'"{local}"@example.org')
        assert (550, "5.1.1") == (code, text.split()[0]), (local, text)
    assert before == sorted((tmp_path / "srv").rglob("*"))


def test_ten_thousand_files_and_a_tree_that_vanishes(followed: Gateway, tmp_path: Path) -> None:
    """Unpacked at once they are taken over in a few changes; not mounted, all of it stays."""
    before = followed.json("changes", "--limit", "1")[0]["version"]
    ips = [f"10.{n // 2500}.{n // 100 % 25}.{n % 100}" for n in range(10_000)]
    touch(tmp_path / "srv/_global_/blacklisted/ips", *ips, NAMED)
    wait_until(lambda: said(followed, NAMED) == 550, "the last of ten thousand")
    wait_until(lambda: len(followed.json("list", "show", "--all")) == 10_001, "all of them")
    assert followed.json("changes", "--limit", "1")[0]["version"] - before <= 20

    (tmp_path / "srv").rename(tmp_path / "away")
    wait_until(lambda: "what it said stays" in followed.said(), "the alert")
    assert 550 == said(followed, NAMED)
    assert 250 == said(followed)

    (tmp_path / "away").rename(tmp_path / "srv")
    shutil.rmtree(tmp_path / "srv/_global_")
    wait_until(lambda: said(followed, NAMED) == 250, "gone with its folder, after a while", 30)


def test_row_7_6_over_5_000_so_far_today(followed: Gateway, tmp_path: Path) -> None:
    """`find -L today -type f | wc -l` is the number kept; each has a line with the old keys (7.6)."""
    touch(tmp_path / "srv/example.org/blacklisted/ips", "127.0.0.66")
    wait_until(lambda: said(followed, "127.0.0.66") == 550, "refused", SOON)
    in_force()
    for _ in range(4):
        assert 550 == said(followed, "127.0.0.66")
    archive = followed.data / "archive"
    counted = subprocess.run(
        "find -L today -type f | wc -l", shell=True, cwd=archive, capture_output=True, text=True, check=True
    )
    lines = [json.loads(line) for path in (archive / "index").glob("*.jsonl") for line in path.open()]
    assert 5 == int(counted.stdout) == len(lines)
    old = {"from", "ip", "host", "helo", "reason", "subject", "recipient", "filename", "message-id"}
    for line in lines:
        assert old <= line.keys()
        assert ("<sender@client.example>", "127.0.0.66", "Unknown", "files", "ann@example.org") == tuple(
            line[key] for key in ("from", "ip", "host", "subject", "recipient")
        )
        assert (archive / line["filename"]).is_file()
    assert (archive / "yesterday").is_symlink()


def test_import_and_export_while_it_runs(gateway: Gateway, sink: Sink, tmp_path: Path) -> None:
    """An imported domain takes mail within a second, and is exported as the same files."""
    hosting(gateway, sink.port)
    touch(tmp_path / "old", "second.example/users/valid/ann", "second.example/checks/moon")
    done = gateway.cli("srv", "import", str(tmp_path / "old"), "--route", f"smtp://127.0.0.1:{sink.port}")
    assert "second.example/checks/moon" in done.stdout
    gateway.until_accepted("ann@second.example")
    gateway.cli("srv", "export", str(tmp_path / "new"), "second.example")
    assert (tmp_path / "new/second.example/users/valid/ann").exists()
    assert (tmp_path / "new/second.example/checks/moon").exists()


def test_a_configuration_of_qpsmtpd_in_force(gateway: Gateway, sink: Sink, tmp_path: Path) -> None:
    """Imported while it runs: the domain takes mail, what its lists refuse is refused, `reject 0` is not."""
    config = tmp_path / "config"
    config.mkdir()
    for name, text in {
        "plugins": f"helo reject 0\nqueue/smtp-forward 127.0.0.1 {sink.port}\n",
        "rcpthosts": "old.example\n",
        "badmailfrom": "bad@client.example enough\n@worse.example\n",
        "badrcptto": "gone@old.example\n",
        "whitelisthosts": "127.0.0.8\n",
    }.items():
        (config / name).write_text(text)
    gateway.cli("import", "qpsmtpd", str(config), "--recipients", "any")
    gateway.until_accepted("ann@old.example")
    in_force()  # an import is many changes, and each worker follows for itself

    def sent(sender: str, source: str = "127.0.0.1") -> int:
        return gateway.send(["ann@old.example"], letter("x"), source=source, sender=sender)[0]

    assert 250 == sent("me@client.example")
    assert [550, 550] == [sent("bad@client.example"), sent("me@sub.worse.example")]
    assert 550 == gateway.rcpt("gone@old.example")[0]
    assert "enough" in json.dumps(gateway.json("list", "show", "--all"))
