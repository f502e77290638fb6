"""Log lines: one event is one line, readable back, whatever a stranger put into it."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gatepost.telemetry import metrics
from gatepost.telemetry.log import (
    FIELD_LIMIT,
    Log,
    as_json,
    as_text,
    escape,
    logfmt,
    read_logfmt,
    terse,
    unescape,
)
from tests.cost import assert_cheap

HOSTILE = [
    "\r\n250 ok",
    "a\nts=2026 event=outcome client=192.0.2.66",
    "nul\0here",
    "esc\x1b[2Jscreen",
    "next\x85line",
    "line\u2028sep\u2029par",
    "bidi\u202etxt.exe",
    "\u2066isolate",
    "zero\u200bwidth",
    "\udc80\udcfflone",
    "\ud800",
    'quote"and\\slash',
    'x" client=192.0.2.66 y="',
    "\t\t\t901\t",
    "\\",
    "\\x3d",
    "=",
    "",
    " ",
    "Grüße 漢字 😀",
]


class Clock:
    """Stands still."""

    def __call__(self) -> float:
        return 1_790_000_000.25


@pytest.fixture
def open_log(tmp_path: Path) -> Callable[..., tuple[Log, Callable[[], str]]]:
    """Give a maker of (log, reader of what it wrote)."""

    def make(**settings: object) -> tuple[Log, Callable[[], str]]:
        path = tmp_path / "log"
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        return Log(fd, clock=Clock(), **settings), lambda: path.read_text("utf-8")  # type: ignore[arg-type]

    return make


OpenLog = Callable[..., tuple[Log, Callable[[], str]]]


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_stay_in_their_line_and_field(open_log: OpenLog, value: str) -> None:
    """T7.1: each untrusted value is on one line, comes back equal, and shows nothing unprintable."""
    log, written = open_log()

    log.event("helo", client="192.0.2.1", helo=value, rest="end")

    line = written()
    assert line.endswith("\n")
    assert 1 == len(line.splitlines())
    assert line[:-1].isprintable()
    fields = read_logfmt(line)
    assert value == fields["helo"]
    assert "192.0.2.1" == fields["client"]
    assert "end" == fields["rest"]


@pytest.mark.parametrize("value", HOSTILE)
def test_json_lines_are_ascii_and_read_back(open_log: OpenLog, value: str) -> None:
    """T7.1 for the JSON form."""
    log, written = open_log(format="json")

    log.event("helo", client="192.0.2.1", helo=value)

    line = written()
    assert line.isascii()
    assert 1 == len(line.splitlines())
    assert value == json.loads(line)["helo"]


@given(st.text(max_size=300))
@example("\\u2028")
@example("\\\n")
def test_escape_can_be_undone(text: str) -> None:
    """Nothing is lost by escaping, and what is escaped can be printed."""
    escaped = escape(text)

    assert escaped.isprintable()
    assert text == unescape(escaped)


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.text(max_size=60), max_size=6))
def test_logfmt_round_trip(fields: dict[str, str]) -> None:
    """What `logfmt` writes `read_logfmt` reads."""
    fields = {
        key: value for key, value in fields.items() if key not in {"password", "secret", "token", "auth"}
    }

    assert fields == read_logfmt(logfmt(fields))


@given(st.binary(max_size=200))
def test_any_bytes_can_be_logged(data: bytes) -> None:
    """Invalid UTF-8 is shown escaped and comes back as the same bytes."""
    fields = read_logfmt(logfmt({"helo": data}))

    assert data == fields["helo"].encode("utf-8", "surrogateescape")


def test_no_other_client_can_be_written_into_the_line() -> None:
    """T7.3: a search for `client=` finds the true client only, since no value holds an equals sign."""
    line = logfmt(
        {"client": "192.0.2.1", "helo": "x client=192.0.2.66 y", "from": 'a" client=192.0.2.66 b="'}
    )

    assert 1 == line.count("client=")


def test_values_are_bounded() -> None:
    """A megabyte in a field is cut, and the line says how much is missing."""
    for form in (logfmt, as_json):
        line = form({"helo": "x" * 1_000_000, "bytes": b"y" * 1_000_000, "many": ["z"] * 1_000_000})
        assert len(line) < 4 * FIELD_LIMIT + 2000
        assert "...[+" in line
    assert FIELD_LIMIT >= len(as_text("x" * 1001))


def test_hostile_megabyte_takes_linear_time() -> None:
    """The cost of a long hostile value is bounded."""
    fields = {"helo": "\u202e" * 1_000_000}
    assert_cheap(0.05, logfmt, fields)


@pytest.mark.parametrize("form", ["logfmt", "json", "terse"])
def test_secrets_are_never_written(open_log: OpenLog, form: str) -> None:
    """T7.2: fields that are named like a secret are written as stars, in each form and at each level."""
    log, written = open_log(format=form, level="debug")

    log.event("login", level="debug", user="ann", password="hunter2", token="hunter2", secret=b"hunter2")

    assert "user" in written()
    assert "hunter2" not in written()


def test_odd_names_of_fields_become_good_ones(open_log: OpenLog) -> None:
    """The reader knows small letters, digits, dot and underscore."""
    log, written = open_log()

    fields: dict[str, Any] = {"Message-ID": "1", "a b=": "2"}
    log.event("x", **fields)

    assert ("1", "2") == (read_logfmt(written())["message_id"], read_logfmt(written())["a_b_"])


def test_types() -> None:
    """Numbers, truth values and lists look as people expect; None is left out."""
    assert "a=1 b=0.25 c=true e=x,y" == logfmt({"a": 1, "b": 0.25, "c": True, "d": None, "e": ["x", "y"]})
    assert '{"a":1,"b":0.25,"c":true,"e":["x","y"]}' == as_json(
        {"a": 1, "b": 0.25, "c": True, "d": None, "e": ["x", "y"]}
    )


def test_not_logfmt() -> None:
    """The reader says where a line is broken."""
    with pytest.raises(ValueError, match="column 5"):
        read_logfmt('a=1 "broken')


def test_head_of_a_line(open_log: OpenLog) -> None:
    """A line begins with the time in UTC, the level and the name of the event."""
    log, written = open_log()

    log.event("start", level="warning", workers=2)

    assert "ts=2026-09-21T14:13:20.250Z level=warning event=start workers=2\n" == written()


def test_levels(open_log: OpenLog) -> None:
    """What lies under the level is not written."""
    log, written = open_log(level="warning")

    log.event("quiet")
    log.buffered("quiet")
    log.outcome(id="X", client="192.0.2.1", fate="accepted")
    log.flush()
    log.event("loud", level="error")

    assert "event=loud" in written()
    assert "quiet" not in written()
    assert "outcome" not in written()


def test_buffered_lines_come_in_order(open_log: OpenLog) -> None:
    """What was buffered stands before what is written later; a flush without lines writes nothing."""
    log, written = open_log()

    log.buffered("one")
    log.outcome(id="X", client="192.0.2.1", fate="accepted")
    assert "" == written()
    log.event("three")
    log.flush()

    assert ["one", "outcome", "three"] == [read_logfmt(line)["event"] for line in written().splitlines()]


def test_buffer_is_bounded(open_log: OpenLog) -> None:
    """Many buffered lines write themselves."""
    log, written = open_log()

    for _ in range(300):
        log.buffered("x")

    assert 256 == len(written().splitlines())


def test_row_7_4_log_line(open_log: OpenLog) -> None:
    """`log.terse`: a back-tick and the eight tab-separated fields of logterse, for outcomes only."""
    log, written = open_log(format="terse")

    log.outcome(
        id="0DQ3N7V5K2F8T.1",
        client="192.0.2.1",
        host="mail.example.com",
        helo="mail.example.com",
        sender="a@example.com",
        recipient="ann@example.org",
        fate="rejected",
        plugin="dnsbl",
        reason="listed in bl.test",
    )
    log.event("other")

    first, second = written().splitlines()
    assert first == (
        "`192.0.2.1\tmail.example.com\tmail.example.com\t<a@example.com>\t<ann@example.org>\tdnsbl\t901\t"
        "listed in bl.test (0DQ3N7V5K2F8T.1)"
    )
    assert "other" == read_logfmt(second)["event"]


@pytest.mark.parametrize("value", [*HOSTILE, "x" * 2000])
def test_outcomes_come_back_like_events(open_log: OpenLog, value: str) -> None:
    """T7.1 for the line that is put together by hand: both ways of writing it are read back alike."""
    log, written = open_log()

    log.outcome(
        id="S.1", client="192.0.2.1", fate="rejected", plugin="dnsbl", code=550, score=1.5, size=7,
        seconds=0.25, domain="example.org", recipient=value, sender="a@b.example", host="", helo="x y",
        reason=value, message_id="<m@id>",
    )  # fmt: skip
    log.flush()

    assert 1 == len(written().splitlines())
    fields = read_logfmt(written())
    assert as_text(value) == fields.pop("recipient")
    assert as_text(value) == fields.pop("reason")
    assert {
        "ts": "2026-09-21T14:13:20.250Z", "level": "info", "event": "outcome", "id": "S.1",
        "client": "192.0.2.1", "fate": "rejected", "plugin": "dnsbl", "code": "550", "score": "1.5",
        "size": "7", "seconds": "0.25", "domain": "example.org", "sender": "a@b.example", "host": "",
        "helo": "x y", "message_id": "<m@id>",
    } == fields  # fmt: skip


def test_terse_of_accepted_mail() -> None:
    """Delivered mail is `queued` without a return value, and an unknown host is `Unknown`."""
    assert "`192.0.2.1\tUnknown\tx\t<>\t<b@c.example>\tqueued\t\t<m@id> (S.1)" == terse(
        {"id": "S.1", "client": "192.0.2.1", "helo": "x", "recipient": "b@c.example", "fate": "accepted",
         "plugin": "", "message_id": "<m@id>"}
    )  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE)
def test_terse_cannot_be_forged(value: str) -> None:
    """T7.1 for the terse form: eight fields, one line."""
    line = terse(
        {
            "id": "S.1",
            "client": "192.0.2.1",
            "helo": value,
            "sender": value,
            "reason": value,
            "fate": "deferred",
        }
    )

    assert 8 == len(line.split("\t"))
    assert 1 == len(line.splitlines())


def test_a_log_that_cannot_be_written_stops_nothing(open_log: OpenLog) -> None:
    """A closed reader costs the lines, not the mail; the next line that can be written says how many."""
    metrics.reset()
    read, write = os.pipe()
    os.close(read)
    log = Log(write, clock=Clock())

    log.event("one")
    log.event("two")
    assert 2 == log.lost
    assert 2 == metrics.LOG_LINES_LOST.values[()]

    good, written = open_log()
    good.lost = log.lost
    good.event("three")
    assert ["log_lines_lost", "three"] == [read_logfmt(line)["event"] for line in written().splitlines()]
    assert 0 == good.lost
