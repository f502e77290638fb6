"""Rules of docs/howto/sort-by-score.md, run by procmail, Pigeonhole and Exim on mail that came through."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.gateway import Gateway
from tests.system.process import open_directory, program, wait_until
from tests.system.sink import Sink
from tests.system.test_backends import hosting

HOWTO = Path(__file__).parents[2] / "docs" / "howto" / "sort-by-score.md"
FORGED = b"X-Spam-Flag: YES\r\nX-Spam-Level: ********************\r\n"
MAILS = {
    "INBOX": b"From: <a@client.example>\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000\r\n"
    b"Message-ID: <1@client.example>\r\n",
    "Maybe": b"From: <a@client.example>\r\n",
    "Spam": b"From: <a@client.example>\r\nFrom: <b@client.example>\r\n",
}
"""Folder -> header of a mail that belongs there: whole; without Date and Message-ID; with two authors too."""


def rules(name: str) -> str:
    """Return a block of the howto."""
    found = re.search(rf"```{name}\n(.*?)```", HOWTO.read_text(), re.DOTALL)
    assert found, name
    return found[1]


@pytest.fixture
def delivered(make_gateway: Callable[..., Gateway], sink: Sink) -> dict[str, bytes]:
    """Give what arrived, by the folder where it belongs."""
    gateway = make_gateway()
    hosting(gateway, sink.port)
    values = ["headers.mode=on", "score.tag_at=5", "score.reject_at=50"]
    values += [f"headers.{what}={points}" for what, points in
               (("missing_date", 3), ("missing_message_id", 3), ("several_from", 6))]  # fmt: skip
    gateway.cli("domain", "set", "example.org", *values)

    def first() -> bool:
        gateway.send(["ann@example.org"], MAILS["Maybe"] + b"\r\nfirst\r\n")
        return any(b"X-Spam-Flag: YES" in one for one in sink.messages())

    wait_until(first, "settings in force")
    found = {}
    for folder, head in MAILS.items():
        before = len(sink.messages())
        assert 250 == gateway.send(["ann@example.org"], FORGED + head + b"Subject: hello\r\n\r\nHello\r\n")[0]
        wait_until(lambda before=before: len(sink.messages()) > before, folder)  # type: ignore[misc]
        raw = sink.messages()[-1].replace(b"\r\n", b"\n")
        found[folder] = re.sub(rb"\A(?:X-[A-Za-z-]+-Args: .*\n)+", b"", raw)
    return found


def test_headers(delivered: dict[str, bytes]) -> None:
    """What the howto's table promises; what a stranger wrote is gone."""
    heads = {folder: raw.partition(b"\n\n")[0] for folder, raw in delivered.items()}
    assert b"X-Spam-Flag" not in heads["INBOX"]
    assert b"****" not in heads["INBOX"]
    assert b"X-Spam-Level: ******\n" in heads["Maybe"]
    assert re.search(rb"X-Spam-Status: Yes, score=6\.0 required=5\.0\s+tests=HEADERS\n", heads["Maybe"])
    assert b"X-Spam-Level: ************\n" in heads["Spam"]
    assert [1, 1] == [heads[folder].count(b"X-Spam-Flag: YES") for folder in ("Maybe", "Spam")]


def test_procmail(delivered: dict[str, bytes], tmp_path: Path) -> None:
    """Each mail in its folder."""
    folders = tmp_path / "Mail"
    folders.mkdir()
    rc = tmp_path / "procmailrc"
    rc.write_text(
        f"MAILDIR={folders}\nDEFAULT={folders}/INBOX\nORGMAIL={folders}/INBOX\nSHELL=/bin/sh\n{rules('procmail')}"
    )
    for folder, raw in delivered.items():
        subprocess.run([program("procmail", "procmail"), str(rc)], input=raw, check=True, timeout=20)
        assert b"Subject: hello" in (folders / folder).read_bytes(), folder
        (folders / folder).unlink()
    assert [] == list(folders.iterdir())


def test_sieve(delivered: dict[str, bytes]) -> None:
    """The same by Pigeonhole, which never runs as root."""
    user, group = ("nobody", "nogroup") if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    with open_directory("sieve") as top:
        top.chmod(0o777)
        config, script, mail = top / "dovecot.conf", top / "sort.sieve", top / "mail"
        config.write_text(
            f"mail_location = maildir:{top}/box\nmail_home = {top}\nssl = no\n"
            f"mail_uid = {user}\nmail_gid = {group}\nfirst_valid_uid = 0\n"
        )
        script.write_text(rules("sieve"))
        for folder, raw in delivered.items():
            mail.write_bytes(raw)
            command = [program("sieve-test", "dovecot-sieve"), "-c", str(config), str(script), str(mail)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
            assert f"store message in folder: {folder}" in done.stdout, done.stdout + done.stderr


def test_exim(delivered: dict[str, bytes], tmp_path: Path) -> None:
    """The same by a user's filter."""
    config = tmp_path / "exim.conf"
    config.write_text(f"spool_directory = {tmp_path}\nlog_file_path = {tmp_path}/%slog\nkeep_environment =\n")
    script = tmp_path / "forward"
    script.write_text(rules("exim"))
    for folder, raw in delivered.items():
        command = [program("exim4", "exim4"), "-C", str(config), "-bf", str(script), "-bfd", "example.org"]
        done = subprocess.run(command, input=raw, capture_output=True, timeout=20, check=False)
        said = done.stdout.decode("utf-8", "replace")
        assert ("Save message to: " in said) is (folder != "INBOX"), said
        assert folder == "INBOX" or f"/{folder}" in said
