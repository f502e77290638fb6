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
from tests.system.running import in_force
from tests.system.sink import Sink
from tests.system.test_backends import hosting

HOWTO = Path(__file__).parents[2] / "docs" / "howto"
FORGED = b"X-Spam-Flag: YES\r\nX-Spam-Level: ********************\r\n"
MAILS = {
    "INBOX": b"From: <a@client.example>\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000\r\n"
    b"Message-ID: <1@client.example>\r\n",
    "Maybe": b"From: <a@client.example>\r\n",
    "Spam": b"From: <a@client.example>\r\nFrom: <b@client.example>\r\n",
}
"""Folder -> header of a mail that belongs there: whole; without Date and Message-ID; with two authors too."""


def rules(name: str, page: str = "sort-by-score") -> str:
    """Return a block of a howto."""
    found = re.search(rf"```{name}\n(.*?)```", (HOWTO / f"{page}.md").read_text(), re.DOTALL)
    assert found, name
    return found[1]


def as_delivered(sink: Sink) -> bytes:
    """Return the last mail that arrived, as a mailbox has it."""
    return re.sub(rb"\A(?:X-[A-Za-z-]+-Args: .*\n)+", b"", sink.messages()[-1].replace(b"\r\n", b"\n"))


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
        found[folder] = as_delivered(sink)
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


def run_procmail(folders: Path, rc: Path, recipes: str, raw: bytes) -> None:
    """Give a mail to procmail with these recipes; it delivers below `folders`."""
    rc.write_text(
        f"MAILDIR={folders}\nDEFAULT={folders}/INBOX\nORGMAIL={folders}/INBOX\nSHELL=/bin/sh\n{recipes}"
    )
    subprocess.run([program("procmail", "procmail"), str(rc)], input=raw, check=True, timeout=20)


def test_procmail(delivered: dict[str, bytes], tmp_path: Path) -> None:
    """Each mail in its folder."""
    folders = tmp_path / "Mail"
    folders.mkdir()
    for folder, raw in delivered.items():
        run_procmail(folders, tmp_path / "procmailrc", rules("procmail"), raw)
        assert b"Subject: hello" in (folders / folder).read_bytes(), folder
        (folders / folder).unlink()
    assert [] == list(folders.iterdir())


def folder_by_sieve(recipes: str, raw: bytes) -> str:
    """Return the folder that Pigeonhole, which never runs as root, would choose."""
    user, group = ("nobody", "nogroup") if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    with open_directory("sieve") as top:
        top.chmod(0o777)
        config, script, mail = top / "dovecot.conf", top / "sort.sieve", top / "mail"
        config.write_text(
            f"mail_location = maildir:{top}/box\nmail_home = {top}\nssl = no\n"
            f"mail_uid = {user}\nmail_gid = {group}\nfirst_valid_uid = 0\n"
        )
        script.write_text(recipes)
        mail.write_bytes(raw)
        command = [program("sieve-test", "dovecot-sieve"), "-c", str(config), str(script), str(mail)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    found = re.search(r"store message in folder: (\S+)", done.stdout)
    assert found, done.stdout + done.stderr
    return found[1]


def test_sieve(delivered: dict[str, bytes]) -> None:
    """The same by Pigeonhole."""
    assert {folder: folder for folder in delivered} == {
        folder: folder_by_sieve(rules("sieve"), raw) for folder, raw in delivered.items()
    }


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


def test_row_7_4_procmail_recipe_for_bounces(
    make_gateway: Callable[..., Gateway], sink: Sink, tmp_path: Path
) -> None:
    """What bounces or challenges is filed by the recipes of bounce-storms.md; what only says so is not."""
    gateway = make_gateway()
    hosting(gateway, sink.port)
    gateway.cli("domain", "set", "example.org", "bounce.mode=on")
    in_force()
    folders = tmp_path / "Mail"
    folders.mkdir()
    bounces = [
        ("", b"From: MAILER-DAEMON@mx.example\r\nSubject: Undelivered Mail\r\n"),
        ("eve@x.example", b"Auto-Submitted: auto-replied\r\nSubject: Please confirm your message\r\n"),
    ]
    letters = [
        ("eve@x.example", b"Subject: lunch\r\n"),
        ("eve@x.example", b"X-Automatic-Mail: bounce (forged)\r\nSubject: lunch\r\n"),
        ("eve@x.example", b"Auto-Submitted: auto-replied\r\nSubject: away\r\n"),
    ]
    for folder, mails in (("Automated.bounces", bounces), ("INBOX", letters)):
        for sender, head in mails:
            assert 250 == gateway.send(["ann@example.org"], head + b"\r\nHello\r\n", sender=sender)[0]
            raw = as_delivered(sink)
            run_procmail(folders, tmp_path / "procmailrc", rules("procmail", "bounce-storms"), raw)
            assert folder == folder_by_sieve(rules("sieve", "bounce-storms"), raw)
    assert len(bounces) == len(list((folders / "Automated.bounces" / "new").iterdir()))
    assert len(letters) == (folders / "INBOX").read_bytes().count(b"\nHello\n")
