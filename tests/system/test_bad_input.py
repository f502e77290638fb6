"""What a hostile or broken client sends, over a real socket: the reply, and nothing else was disturbed."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gatepost.smtp.data import unstuff
from gatepost.telemetry.log import read_logfmt
from tests.relay.backend import Backend
from tests.system.gateway import Gateway
from tests.system.process import wait_until
from tests.system.running import behind, deny, host, in_force, journal, metric, policy, running, workers
from tests.system.talk import Talk

END = b"\r\n.\r\n"
PIECES = {
    "CR": b"\r", "LF": b"\n", "CRLF": b"\r\n", "CRCRLF": b"\r\r\n", "LFCR": b"\n\r",
    "NUL": b"\0", "none": b"",
}  # fmt: skip
VARIANTS = [
    (before, after)
    for before, after in itertools.product(PIECES, repeat=2)
    if END not in PIECES[before] + b"." + PIECES[after]
]
"""What may stand around a dot without ending the data: every pair but those that hold the true end."""
HEAD = b"Subject: outer\r\n\r\nouter"
SMUGGLED = (
    b"MAIL FROM:<evil@client.example>\r\nRCPT TO:<evil@example.org>\r\nDATA\r\n"
    b"Subject: smuggled\r\n\r\nsmuggled"
)
MANY = {"max_connections_per_client": 2000, "workers": 2, "max_message_line": "64KiB"}


@pytest.fixture(scope="module")
def back_end() -> Iterator[Backend]:
    """Give a back end that ends a message at CRLF . CRLF only, and notes every command."""
    with behind() as backend:
        yield backend


@pytest.fixture(scope="module")
def gateway(back_end: Backend) -> Iterator[Gateway]:
    """Give a gateway with two workers in the default mode, `normalize`."""
    with running(smtp=MANY, archive={"min_free": "1MiB"}) as gateway:
        boxes = gateway.top / "boxes"
        host(gateway, "example.org", back_end.url)
        host(gateway, "held.example", back_end.url, deny_list__action="quarantine")
        deny(gateway, "held.example", "127.0.0.66")
        host(gateway, "boxes.example", f"maildir://{boxes}/%d/%u")
        in_force()
        yield gateway


def split_at_each_byte(before: bytes, after: bytes) -> list[tuple[bytes, bytes]]:
    """Return the message with a hidden mail in it, cut once at each byte around the dot."""
    whole = HEAD + before + b"." + after + SMUGGLED + END
    first, last = len(HEAD) - 1, len(HEAD) + len(before) + 1 + len(after) + 1
    return [(whole[:at], whole[at:]) for at in range(first, last + 1)]


def sent_in_pieces(gateway: Gateway, messages: list[tuple[bytes, bytes]]) -> list[list[int]]:
    """Send each in a session of its own, in two segments, with NOOP and QUIT behind; the codes of each."""
    talks = [Talk(gateway.port) for _ in messages]
    for talk in talks:
        talk.send(b"EHLO client.example\r\nMAIL FROM:<me@client.example>\r\nRCPT TO:<ann@example.org>\r\n")
    for talk in talks:
        assert [250, 250, 250] == [talk.reply()[0] for _ in range(3)]
        talk.send(b"DATA\r\n")
    for talk, (first, _) in zip(talks, messages, strict=True):
        assert 354 == talk.reply()[0]
        talk.send(first)
    time.sleep(0.1)  # the first segments are read before the second ones come
    for talk, (_, second) in zip(talks, messages, strict=True):
        talk.send(second + b"NOOP\r\nQUIT\r\n")
    codes = [talk.rest() for talk in talks]
    for talk in talks:
        talk.close()
    return codes


def nothing_smuggled(back_end: Backend, mails: int, taken: int) -> None:
    """Hold what the back end saw against what was accepted: as many mails, none of them hidden (T1.3)."""
    assert mails == len(back_end.taken) - taken
    for mail in back_end.taken[taken:]:
        assert "me@client.example" in mail.mail
        assert ["RCPT TO:<ann@example.org>"] == mail.rcpts
        rest = mail.wire.replace(b"\r\n", b"")
        assert not {b"\r", b"\n", b"\0"} & {bytes([byte]) for byte in rest}
        assert b"Subject: smuggled" in mail.text
    assert not [line for line in back_end.said if "evil" in line]


@pytest.mark.parametrize("before", PIECES)
def test_nothing_else_ends_the_data(gateway: Gateway, back_end: Backend, before: str) -> None:
    """T1.1: no pair around a dot but CRLF and CRLF ends the data, wherever the bytes are cut."""
    cuts = [
        (name, cut) for one, name in VARIANTS if one == before
        for cut in split_at_each_byte(PIECES[before], PIECES[name])
    ]  # fmt: skip
    taken = len(back_end.taken)

    codes = sent_in_pieces(gateway, [cut for _, cut in cuts])

    for (name, _), got in zip(cuts, codes, strict=True):
        nul = "NUL" in (before, name)
        assert [550 if nul else 250, 250, 221] == got, f"{before} . {name}: {got}"
    nothing_smuggled(back_end, sum(got[0] == 250 for got in codes), taken)


def test_bare_newlines_refused_where_that_is_wanted(back_end: Backend) -> None:
    """T1.2: with `reject`, one 550 behind the true end, and the session is closed; nothing of it is run."""
    with running(smtp={**MANY, "bare_newline": "reject"}) as gateway:
        host(gateway, "example.org", back_end.url)
        in_force()
        taken = len(back_end.taken)
        cuts = [
            (pair, cut) for pair in VARIANTS
            for cut in split_at_each_byte(PIECES[pair[0]], PIECES[pair[1]])
        ]  # fmt: skip
        codes = sent_in_pieces(gateway, [cut for _, cut in cuts])

    accepted = 0
    for (pair, _), got in zip(cuts, codes, strict=True):
        if "NUL" in pair:
            assert [550, 250, 221] == got or [550] == got, (pair, got)
        elif {"CR", "LF", "CRCRLF", "LFCR"} & set(pair):
            assert [550] == got, (pair, got)
        else:  # CRLF on one side and nothing on the other: an innocent line with a dot
            assert [250, 250, 221] == got, (pair, got)
            accepted += 1
    nothing_smuggled(back_end, accepted, taken)


def test_kept_bytes_hold_only_crlf(gateway: Gateway) -> None:
    """T1.2: what is kept of a mail with bare CR and LF holds CRLF and no other line end."""
    with Talk(gateway.port, "127.0.0.66") as talk:
        talk.begin("ann@held.example")
        said = talk.data(b"Subject: odd ends\r\n\r\none\ntwo\rthree\r\r\nfour\n.\nfive\r\n")
    assert 250 == said[0], said
    id_ = said[1].rpartition(" ")[2]
    kept = gateway.cli_bytes("archive", "show", id_)
    assert b"one\r\ntwo\r\nthree\r\n\r\nfour\r\n.\r\nfive\r\n" in kept
    assert not {10, 13} & set(kept.replace(b"\r\n", b""))


def test_the_count_alone_ends_a_chunk(gateway: Gateway, back_end: Backend) -> None:
    """T1.4: in BDAT a line with a dot is text; on by DATA it is stuffed and the mail stays one mail."""
    taken = len(back_end.taken)
    text = HEAD + END + SMUGGLED + b"\r\n.\r\n.\r\n..\r\nend\r\n"
    with Talk(gateway.port) as talk:
        talk.begin("ann@example.org", sender="me@client.example")
        for cut in range(0, len(text), 7):
            piece = text[cut : cut + 7]
            talk.send(b"BDAT %d\r\n%s" % (len(piece), piece))
            assert 250 == talk.reply()[0]
        assert 250 == talk.say("BDAT 0 LAST")[0]
        assert 250 == talk.say("NOOP")[0]
        talk.begin("ann@example.org", sender="me@client.example")
        talk.send(b"BDAT %d LAST\r\n%s" % (len(b"bare\nlf\0"), b"bare\nlf\0"))
        assert 550 == talk.reply()[0]  # a NUL is refused in both
    nothing_smuggled(back_end, 1, taken)
    assert unstuff([back_end.taken[-1].wire]).endswith(text)


def test_a_refused_chunk_is_not_run(gateway: Gateway) -> None:
    """The bytes of a chunk that came at the wrong moment are counted and dropped."""
    with Talk(gateway.port) as talk:
        talk.say("EHLO client.example")
        talk.send(b"BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n")
        assert [503, 250] == [talk.reply()[0], talk.reply()[0]]
        assert 501 == talk.say("BDAT x")[0]  # nobody knows how long it is: the session ends
        assert [] == talk.rest()


# -- STARTTLS and DATA -----------------------------------------------------------------------


def test_bytes_behind_starttls(gateway: Gateway) -> None:
    """T2.1: a command in the segment of STARTTLS is never run: 554, closed, counted."""
    before = metric(gateway, "gatepost_starttls_injections_total")
    for injected in (b"NOOP\r\n", b"EHLO evil.example\r\nMAIL FROM:<evil@client.example>\r\n", b"\r\n", b"x"):
        with Talk(gateway.port) as talk:
            talk.say("EHLO client.example")
            talk.send(b"STARTTLS\r\n" + injected)
            assert [554] == talk.rest()
    wait_until(
        lambda: metric(gateway, "gatepost_starttls_injections_total") == before + 4, "injections counted"
    )


def test_bytes_before_the_handshake_ends(gateway: Gateway) -> None:
    """T2.1: clear text behind the 220 is no handshake; nothing of it is answered, the connection ends."""
    for plain in (b"NOOP\r\n", b"EHLO evil.example\r\nRSET\r\n" * 50):
        with Talk(gateway.port) as talk:
            talk.say("EHLO client.example")
            assert 220 == talk.say("STARTTLS")[0]
            talk.send(plain)
            talk.sock.settimeout(10)
            answer = b""
            try:
                while block := talk.sock.recv(4096):
                    answer += block
            except ConnectionResetError:
                pass  # cut off without an alert is fine too
        assert not answer[:1].isdigit(), answer
    with Talk(gateway.port) as other:
        assert 250 == other.say("NOOP")[0]


def test_nothing_said_before_tls_survives_it(gateway: Gateway) -> None:
    """T2.2: behind the handshake MAIL, RCPT and DATA want a new EHLO and a new transaction."""
    with Talk(gateway.port) as talk:
        talk.begin("ann@example.org")
        assert 503 == talk.say("STARTTLS")[0]  # not within a transaction
        assert 250 == talk.say("RSET")[0]
        assert 220 == talk.say("STARTTLS")[0]
        talk.tls()
        for line in ("MAIL FROM:<me@client.example>", "RCPT TO:<ann@example.org>", "DATA"):
            assert 503 == talk.say(line)[0], line
        said = talk.say("EHLO client.example")
        assert 250 == said[0]
        assert "STARTTLS" not in said[1]
        for line in ("RCPT TO:<ann@example.org>", "DATA"):
            assert 503 == talk.say(line)[0], line
        assert talk.say("STARTTLS")[0] in (502, 503)
        talk.begin("ann@example.org")
        assert 250 == talk.data(b"Subject: secret\r\n\r\nx\r\n")[0]


def test_tls_required_is_not_talked_away(gateway: Gateway) -> None:
    """T2.5: to a route with `tls=required` nothing goes in clear text, whatever its server says."""
    hows: list[dict[str, Any]] = [
        {"features": ("PIPELINING", "STARTTLS"), "starttls": b"454 4.7.0 Not now\r\n"},
        {"features": ("PIPELINING",)},
        {"ehlo": lambda verb: b"250 hello\r\n" if verb == "helo" else b"500 5.5.1 What?\r\n"},
        {"features": ("starttls",), "starttls": b"500 5.5.1 What?\r\n"},
    ]
    for number, how in enumerate(hows):
        with behind(**how) as backend:
            host(gateway, f"tls{number}.example", f"{backend.url}?tls=required")
            in_force()
            with Talk(gateway.port) as talk:
                talk.begin(f"ann@tls{number}.example")
                code, text = talk.data(b"Subject: not in clear text\r\n\r\nx\r\n")
            assert 451 == code, text
            assert not backend.taken
            assert not [line for line in backend.said if line.lower().startswith(("mail", "rcpt", "data"))]


@pytest.mark.parametrize("behind_data", [b"Subject: early\r\n\r\nx\r\n.\r\n", b"QUIT\r\n", b"x"])
def test_bytes_behind_data(gateway: Gateway, back_end: Backend, behind_data: bytes) -> None:
    """T2.4: bytes in the segment of DATA, before our 354, are refused; the mail is not taken."""
    taken = len(back_end.taken)
    with Talk(gateway.port) as talk:
        talk.begin("ann@example.org")
        talk.send(b"DATA\r\n" + behind_data)
        assert [554] == talk.rest()
    assert taken == len(back_end.taken)


# -- odd commands ----------------------------------------------------------------------------

ODD = {
    b"EHLO a\0b": {500, 501},
    b"EHLO \xff\xfe": {500, 501},
    b"HELO \xc3\xbc.example": {500, 501},
    b"\0\0\0\0": {500, 501},
    b"\x80\x81\x82\x83": {500, 501},
    b"NOOP \0": {500, 501},
    b"NOOP \xff": {500, 501},
    b"MAIL FROM:<a\0b@client.example>": {500, 501},
    b"MAIL FROM:<\xff@client.example>": {500, 501, 553},
    b"MAIL FROM:<\xc3\xbc@client.example>": {553},
    b"MAIL FROM:<me@client.example> SIZE=\xd9\xa1": {500, 501, 555},
    b"MAIL FROM:<me@client.example> SIZE=99999999999999999999999999": {501, 552},
    b"RSET\0": {500, 501},
    b"QUIT\0": {500, 501},
    b"NOOP a\nMAIL FROM:<evil@client.example>": {500},
    b"NOOP a\rMAIL FROM:<evil@client.example>": {500, 501},
    b"": {500},
    b" NOOP": {500},
}


@pytest.mark.parametrize("line", ODD, ids=ascii)
def test_nul_and_8_bit_in_commands(gateway: Gateway, line: bytes) -> None:
    """One refusal for one line, the session goes on, and nothing of the line is run."""
    with Talk(gateway.port) as talk:
        if line[:4] not in (b"EHLO", b"HELO"):
            talk.say("EHLO client.example")
        code, text = talk.say(line)
        assert code in ODD[line], text
        assert 250 == talk.say("NOOP")[0]
        assert 250 == talk.begin("ann@example.org")[0][0]


def memory(pid: int) -> int:
    """Return the resident memory of a process in KiB."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0])


@pytest.mark.parametrize("line", [b"NOOP ", b"RCPT TO:<", b"", b"BDAT ", b"STARTTLS "])
def test_over_long_lines(gateway: Gateway, line: bytes) -> None:
    """A line without an end gets 500 and the session is closed, long before it fills the memory."""
    before = max(memory(pid) for pid in workers(gateway))
    with Talk(gateway.port) as talk:
        talk.send(line + b"a" * 4_000_000)
        assert [500] == talk.rest()
    assert max(memory(pid) for pid in workers(gateway)) - before < 4000


def test_the_longest_lines_that_may_be(gateway: Gateway) -> None:
    """512 octets for a command, 2,048 for MAIL and RCPT (RFC 5321, 4.5.3.1); one more is too long."""
    with Talk(gateway.port) as talk:
        assert 250 == talk.say(b"NOOP " + b"a" * 505)[0]
        assert 500 == talk.say(b"NOOP " + b"a" * 506)[0]
        assert [] == talk.rest()
    with Talk(gateway.port) as talk:
        talk.say("EHLO client.example")
        longest = b"MAIL FROM:<me@client.example> " + b"X" * 2016
        assert 555 == talk.say(longest)[0]
        assert 500 == talk.say(longest + b"X")[0]
        assert [] == talk.rest()


def test_a_line_of_a_message_that_is_too_long(gateway: Gateway, back_end: Backend) -> None:
    """`max_message_line`: refused behind the end, the session goes on; one octet less passes unchanged."""
    taken = len(back_end.taken)
    for length, code in ((65_534, 250), (65_535, 550), (300_000, 550)):
        with Talk(gateway.port) as talk:
            talk.begin("ann@example.org")
            said = talk.data(b"Subject: long\r\n\r\n" + b"x" * length + b"\r\nlast\r\n")
            assert code == said[0], (length, said)
            assert 250 == talk.say("NOOP")[0]
    assert [b"x" * 65_534] == [line for line in back_end.taken[-1].text.split(b"\r\n") if line[:1] == b"x"]
    assert taken + 1 == len(back_end.taken)


def test_too_many_errors_end_the_session(gateway: Gateway) -> None:
    """A client that only makes errors is closed with 421, and so is one that speaks HTTP, at once."""
    with Talk(gateway.port) as talk:
        talk.send(b"WHAT\r\n" * 100)
        codes = talk.rest()
    assert 421 == codes[-1]
    assert {500} == set(codes[:-1])
    assert len(codes) < 50
    with Talk(gateway.port) as talk:
        talk.send(b"POST / HTTP/1.1\r\nHost: mx\r\n\r\nMAIL FROM:<evil@client.example>\r\n")
        assert [554] == talk.rest()


# -- odd recipients --------------------------------------------------------------------------

BAD_RECIPIENTS = [
    b"<x@../../etc>", b"<x@example.org/../..>", b"<@>", b"<ann@>", b"<ann@example.org", b"ann@example.org>",
    b"<ann@exa mple.org>", b"<a..b@example.org>", b"<.a@example.org>", b"<ann@[300.1.1.1]>", b"<>",
    b"<ann@-x.example.org>", b'<"unfinished@example.org>', b"<" + b"a" * 65 + b"@example.org>",
    b"<ann@" + b"a." * 130 + b"org>", b'<"a\0b"@example.org>', b"<a\x1b[31m@example.org>",
    b"</../../x@example.org>", b"<../../x@example.org>", b"<..@example.org>", b"<a\xffb@example.org>",
    "<\u00fc@example.org>".encode(), b"<ann@example.org> NOTIFY", b"<ann@example.org> X=\xff",
]  # fmt: skip


@pytest.mark.parametrize(
    "local", ["\u202egro", '"\u2028"', "a\u0085b", "\ufeffann", "ann\u200b", "\udcff"], ids=ascii
)
def test_characters_that_nobody_sees(gateway: Gateway, local: str) -> None:
    """Line separators, direction marks and zero widths are no part of an address, with SMTPUTF8 neither."""
    with Talk(gateway.port) as talk:
        talk.begin(mail=" SMTPUTF8")
        code, text = talk.say(f"RCPT TO:<{local}@example.org>".encode("utf-8", "surrogateescape"))
        assert code in (500, 501, 553), text


@pytest.mark.parametrize("path", BAD_RECIPIENTS, ids=ascii)
def test_what_is_no_recipient(gateway: Gateway, path: bytes) -> None:
    """No address by RFC 5321's grammar: never a relay, and the next recipient is judged afresh."""
    with Talk(gateway.port) as talk:
        talk.begin()
        code, text = talk.say(b"RCPT TO:" + path)
        assert code in (500, 501, 553, 555), text
        assert 250 == talk.say("RCPT TO:<ann@example.org>")[0]


ODD_LOCALS = [
    "/etc/x", "/./x", '"../../x"', '"/../../x"', '"a/b"', '".."', '"."', '"a b"', '"a\\"b"', "a'b",
    '"a;b"', '"%2e"', '"x\' OR 1=1 --"', '""', "%d%u", "$id", "`id`", '"|id"', "~root", '"a@b"', "\u00fc",
    '"\u00fc/../x"', "\u0130", "CON",
]  # fmt: skip


@pytest.mark.parametrize("domain", ["boxes.example", "held.example", "example.org"])
def test_odd_local_parts_fool_nobody(gateway: Gateway, domain: str) -> None:
    """T3.4, T7.1: as file, as row, as line of the log, an odd recipient is a name and nothing else."""
    wanted = []
    with Talk(gateway.port, "127.0.0.66") as talk:
        for local in ODD_LOCALS:
            utf8 = " SMTPUTF8" if not local.isascii() else ""
            ((code, text),) = talk.begin(f"{local}@{domain}", mail=utf8)
            assert 250 == code, (local, text)
            code, text = talk.data(b"Subject: odd\r\n\r\nx\r\n")
            assert 250 == code, (local, text)
            wanted.append(f"{local}@{domain}")

    wait_until(
        lambda: set(wanted) <= {row.recipient for row in journal(gateway, domain=domain)}, "their rows"
    )
    lines = [read_logfmt(line) for line in gateway.said().splitlines()]
    assert set(wanted) <= {line.get("recipient") for line in lines}
    files = [path for top in (gateway.data / "archive", gateway.top / "boxes") for path in top.rglob("*")]
    assert all(path.resolve().is_relative_to(gateway.top) for path in files)
    names = {path.name for path in gateway.top.rglob("*")}
    assert not names & {"x", "a", "b", "x.eml"}
    assert not (gateway.top.parent / "x").exists()
    with closing(policy(gateway)) as store:
        assert {"boxes.example", "example.org", "held.example"} <= set(store.domains())
