"""Refused after the data: kept, in the day's index, shown, and released to the domain's own server."""

import datetime as dt
import json
import re
import time
import uuid
from pathlib import Path

from tests.system.exim import Exim
from tests.system.gateway import Gateway
from tests.system.process import wait_until
from tests.system.test_backends import ID, hosting, letter

BODY = ".a dot\r\n\tand an odd \xe9 line  \r\n" + "x" * 2000 + "\r\n"


def refused(gateway: Gateway, exim: Exim, marker: str) -> str:
    """Deny the client, send a mail, and return the id of its refusal."""
    hosting(gateway, exim.port)
    gateway.cli("list", "add", "example.org", "deny", "127.0.0.66")
    message = letter(marker).removesuffix(b"Hello\r\n") + BODY.encode("latin-1")
    probe = letter("not yet denied")  # of its own: what is accepted until then must not count as a copy
    wait_until(
        lambda: 250 != gateway.send(["ann@example.org"], probe, source="127.0.0.66")[0],
        "the entry in force",
    )
    code, text = gateway.send(["ann@example.org"], message, source="127.0.0.66")
    assert 550 == code, text
    found = re.search(ID, text)
    assert found
    return found[0]


def index_lines(data: Path) -> list[dict[str, object]]:
    """Return today's lines of the index (either day, should the test run at midnight)."""
    lines = [line for path in (data / "archive" / "index").glob("*.jsonl") for line in path.open()]
    return [json.loads(line) for line in lines]


def test_refused_kept_shown_released(gateway: Gateway, exim: Exim) -> None:
    """The whole way: 550 behind the data, a file and a line, `archive show`, `archive release`, once."""
    marker = uuid.uuid4().hex
    id_ = refused(gateway, exim, marker)

    kept = [line for line in index_lines(gateway.data) if line["subject"] == marker]
    assert 1 == len(kept)
    assert str(kept[0]["id"]).startswith(id_)
    wanted = {"id", "time", "from", "ip", "host", "helo", "reason", "plugin", "outcome", "score", "subject"}
    assert wanted | {"recipient", "message-id", "size", "filename"} <= set(kept[0])
    assert "127.0.0.66" == kept[0]["ip"]
    assert "deny_list" == kept[0]["plugin"]
    day = dt.datetime.now(dt.UTC).date().isoformat()
    assert (gateway.data / "archive" / "today").exists() or not (gateway.data / "archive" / day).exists()

    shown = gateway.cli_bytes("archive", "show", id_)
    assert BODY.encode("latin-1") in shown
    assert marker.encode() in shown

    gateway.cli("archive", "release", id_)
    arrived = exim.maildir("ann").wait(marker)
    assert BODY.encode("latin-1").replace(b"\r\n", b"\n") in arrived.replace(b"\r\n", b"\n")

    gateway.cli("archive", "release", id_, check=False)
    second = uuid.uuid4().hex
    assert 250 == gateway.send(["ann@example.org"], letter(second))[0]
    exim.maildir("ann").wait(second)
    exim.maildir("ann").wait(marker)  # still one copy


def test_killed_after_the_refusal_it_is_still_there(gateway: Gateway, exim: Exim) -> None:
    """What was refused with 550 after the data is kept, whatever happens to the processes."""
    marker = uuid.uuid4().hex
    id_ = refused(gateway, exim, marker)

    gateway.kill()

    assert marker.encode() in gateway.cli_bytes("archive", "show", id_)


def test_row_7_6_log_entry(gateway: Gateway, exim: Exim) -> None:
    """Row "log entry (JSON)" of 7.6: one object a line, which a tool that reads the old keys understands."""
    refused(gateway, exim, uuid.uuid4().hex)
    marker = uuid.uuid4().hex
    mail = b"Message-ID: <1@client.example>\r\n" + letter(marker)
    code, text = gateway.send(["Ann@example.org"], mail, source="127.0.0.66")
    found = re.search(ID, text)
    assert (550, True) == (code, found is not None)
    (line,) = [one for one in index_lines(gateway.data) if one["subject"] == marker]
    old = ("from", "ip", "host", "helo", "subject", "recipient", "message-id")
    assert [
        *("<sender@client.example>", "127.0.0.66", "Unknown", "client.example"),
        *(marker, "Ann@example.org", "<1@client.example>"),
    ] == [line[key] for key in old]
    assert "127.0.0.66" in str(line["reason"])
    assert (gateway.data / "archive" / str(line["filename"])).is_file()
    # What the old line lacked.
    assert ("deny_list", "rejected") == (line["plugin"], line["outcome"])
    assert found is not None
    assert str(line["id"]).startswith(found[0])
    assert abs(time.time() - float(str(line["time"]))) < 300
