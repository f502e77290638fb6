"""An alarm as it goes out: what programs and people need, and nothing that a stranger could forge with it."""

from __future__ import annotations

import json
from quopri import decodestring

from gatepost.desk.alarm_words import Notice, as_json, as_mail, subject
from gatepost.desk.alarms import Alarm

CLAMD = Alarm("scanner", "127.0.0.1:3310", "Connection refused", 1_795_000_000, 1_795_000_060)
EVIL = Alarm("backend", "10.0.0.5:25", "451 x\r\nBcc: eve@x.example\r\n\r\n<b>\x1b[31mü", 1_795_000_000, 0,
             1_795_000_600, ("example.org",))  # fmt: skip


def test_json() -> None:
    """Every fact on its own, times for programs."""
    told = json.loads(as_json(Notice("begin", CLAMD), "mx.test", "https://mx.test", 1_795_000_100))
    assert ("begin", "mx.test", "scanner:127.0.0.1:3310", "scanner", None) == (
        told["event"], told["host"], told["alarm"], told["kind"], told["ended"],
    )  # fmt: skip
    assert "The scanner 127.0.0.1:3310 is in trouble: Connection refused" == told["text"]
    assert ("2026-11-18T11:06:40+00:00", "https://mx.test/health") == (told["began"], told["url"])
    over = json.loads(as_json(Notice("over", EVIL), "mx.test", "", 0))
    assert ("2026-11-18T11:16:40+00:00", None, ["example.org"]) == (
        over["ended"], over["url"], over["domains"],
    )  # fmt: skip
    assert "\n" not in over["text"] + over["why"]
    test = json.loads(as_json(Notice("test"), "mx.test", "", 0))
    assert "test" == test["event"]
    assert "alarm" not in test


def test_mail() -> None:
    """Several things in one mail, CRLF, ASCII, nothing of a stranger's in the header."""
    notices = [Notice("over", EVIL), Notice("begin", CLAMD)]
    mail = as_mail(notices, "mx.test", "https://mx.test", ["ops@a.example", "b@c.example"], "alarm-1", 0)
    assert mail.isascii()
    assert mail.count(b"\n") == mail.count(b"\r\n")
    head, _, body = mail.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert (
        "Subject: [mx.test] ALARM: The scanner 127.0.0.1:3310 is in trouble: Connection refused (and 1 more)"
        in lines
    )
    assert "To: <ops@a.example>, <b@c.example>" in lines
    assert "Auto-Submitted: auto-generated" in lines
    assert not any(line.startswith("Bcc") for line in lines)
    text = decodestring(body).decode()
    assert "Over: Mail cannot be handed to 10.0.0.5:25: 451 x??Bcc: eve@x.example????<b>?[31mü" in text
    assert "(from 2026-11-18T11:06:40+00:00 to 2026-11-18T11:16:40+00:00)" in text
    assert "Began: The scanner" in text
    assert "https://mx.test/health" in text


def test_subject() -> None:
    """One line, bounded, ASCII; the worst first."""
    said = subject([Notice("begin", EVIL)], "mx.test")
    assert said.startswith("[mx.test] ALARM: Mail cannot be handed to 10.0.0.5:25")
    assert said.isascii()
    assert said.isprintable()
    assert len(subject([Notice("begin", Alarm("disk", "x", "y" * 999, 0, 0))], "mx.test")) <= 150
    assert "[mx.test] test: This is a test: alarms reach you on this way." == subject(
        [Notice("test")], "mx.test"
    )
