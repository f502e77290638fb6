"""An alarm as it goes out: JSON for a webhook, a plain mail for people. Pure; English, as the log is.

Reasons may hold what a server outside said: they stand on one line, cut, without what cannot be seen, so
that none of it begins a header or a line of ours.
"""

from __future__ import annotations

import json
from binascii import b2a_qp
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gatepost.desk.alarms import BEGIN, OVER, Alarm
from gatepost.mail.headers import date

LONGEST_SUBJECT = 150
SUBJECTS = {"begin": "ALARM", "again": "ALARM goes on", "over": "over", "test": "test"}
"""What is told -> the first word of the subject."""
TEST = "test"
TEST_TEXT = "This is a test: alarms reach you on this way."


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that is told: an alarm, and that it begins, goes on or is over; or a test (no alarm)."""

    what: str
    alarm: Alarm | None = None

    @property
    def text(self) -> str:
        """Return its sentence."""
        return visible(self.alarm.text) if self.alarm is not None else TEST_TEXT


def as_json(notice: Notice, hostname: str, public_url: str, now: float) -> bytes:
    """Return what a webhook gets."""
    alarm = notice.alarm
    told: dict[str, object] = {
        "event": notice.what,
        "host": hostname,
        "time": iso(now),
        "text": notice.text,
        "url": f"{public_url}/health" if public_url else None,
    }
    if alarm is not None:
        told |= {
            "alarm": alarm.key,
            "kind": alarm.kind,
            "name": alarm.name,
            "why": visible(alarm.why),
            "domains": list(alarm.domains),
            "began": iso(alarm.began),
            "ended": None if alarm.open else iso(alarm.ended),
        }
    return json.dumps(told).encode()


def as_mail(
    notices: Sequence[Notice], hostname: str, public_url: str, to: Sequence[str], id: str, now: float  # noqa: A002
) -> bytes:  # fmt: skip
    """Return one mail that tells several things: whole, with CRLF."""
    lines = [_line(one) for one in notices]
    if public_url:
        lines += ["", f"{public_url}/health"]
    text = "\n\n".join(lines).replace("\n\n\n", "\n\n") + "\n\n-- \nGatepost on " + hostname + "\n"
    head = [
        f"From: Gatepost <postmaster@{hostname}>",
        f"To: {', '.join(f'<{one}>' for one in to)}",
        f"Subject: {subject(notices, hostname)}",
        f"Date: {date(int(now))}",
        f"Message-ID: <{id}@{hostname}>",
        "Auto-Submitted: auto-generated",  # RFC 3834: nobody answers it
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
        "",
    ]
    body = b2a_qp(text.encode("utf-8", "replace").replace(b"\n", b"\r\n"), istext=True).decode("ascii")
    return "\r\n".join([*head, body]).encode("utf-8", "replace")


def subject(notices: Sequence[Notice], hostname: str) -> str:
    """Return the subject: the worst first, and how many more there are; ASCII."""
    first = min(notices, key=lambda one: list(SUBJECTS).index(one.what))
    more = f" (and {len(notices) - 1} more)" if len(notices) > 1 else ""
    said = f"[{hostname}] {SUBJECTS[first.what]}: {first.text}"[:LONGEST_SUBJECT] + more
    return said.encode("ascii", "backslashreplace").decode()


def _line(notice: Notice) -> str:
    alarm = notice.alarm
    if alarm is None:
        return notice.text
    when = f"since {iso(alarm.began)}" if alarm.open else f"from {iso(alarm.began)} to {iso(alarm.ended)}"
    word = {BEGIN: "Began", OVER: "Over"}.get(notice.what, "Goes on")
    return f"{word}: {notice.text}\n({when})"


def visible(text: str) -> str:
    """Return text without what cannot be seen."""
    return "".join(c if c.isprintable() else "?" for c in text)


def iso(at: float) -> str:
    """Return a moment for programs and logs."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
