"""Commands are read by the grammar; the quick way and the long way give the same answer."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.address import AddressError, parse_path
from gatepost.smtp.commands import Extensions, Limits, parse_bdat, parse_hello, parse_mail, parse_rcpt
from gatepost.smtp.errors import CommandError
from gatepost.smtp.events import Mail, Rcpt
from tests.cost import assert_cheap

LIMITS = Limits(message=1000)
ALL = Extensions(size=1000, starttls=True, dsn=True)
NONE = Extensions(prdr=False, chunking=False, smtputf8=False)


def mail(line: str, offered: Extensions = ALL) -> Mail:
    """Parse a MAIL line."""
    return parse_mail(line.encode(), LIMITS, offered)


def rcpt(line: str, offered: Extensions = ALL, *, utf8: bool = False) -> Rcpt:
    """Parse a RCPT line."""
    return parse_rcpt(line.encode(), offered, utf8=utf8)


def refusal(line: str, offered: Extensions = ALL) -> tuple[int, str]:
    """Return code and enhanced code of the refusal of a line."""
    with pytest.raises(CommandError) as caught:
        mail(line, offered) if line.upper().startswith("MAIL") else rcpt(line, offered)
    return caught.value.reply.code, caught.value.reply.enhanced


def test_mail_parameters() -> None:
    """Everything that MAIL may carry."""
    event = mail("MAIL FROM:<a@b.example> SIZE=1000 BODY=8BITMIME SMTPUTF8 PRDR RET=hdrs ENVID=a+2Bb")
    assert event.sender is not None
    assert event.sender.text == "a@b.example"
    assert (event.size, event.body, event.smtputf8, event.prdr) == (1000, "8BITMIME", True, True)
    assert (event.ret, event.envid) == ("HDRS", "a+2Bb")
    plain = mail("MAIL FROM:<>")
    assert plain == Mail(None, 0, "7BIT", False, False, "", "")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("MAIL FROM:<a@b> SIZE", (501, "5.5.4")),
        ("MAIL FROM:<a@b> SIZE=", (501, "5.5.4")),
        ("MAIL FROM:<a@b> SIZE=x", (501, "5.5.4")),
        ("MAIL FROM:<a@b> SIZE=-1", (501, "5.5.4")),
        ("MAIL FROM:<a@b> SIZE=" + "9" * 21, (501, "5.5.4")),
        ("MAIL FROM:<a@b> SIZE=1001", (552, "5.3.4")),
        ("MAIL FROM:<a@b> SIZE=1001 BODY=7BIT", (552, "5.3.4")),
        ("MAIL FROM:<a@b> BODY=X", (501, "5.5.4")),
        ("MAIL FROM:<a@b> SMTPUTF8=1", (501, "5.5.4")),
        ("MAIL FROM:<a@b> PRDR=1", (501, "5.5.4")),
        ("MAIL FROM:<a@b> RET=X", (501, "5.5.4")),
        ("MAIL FROM:<a@b> ENVID=" + "a" * 101, (501, "5.5.4")),
        ("MAIL FROM:<a@b> ENVID=+zz", (501, "5.5.4")),
        ("MAIL FROM:<a@b> AUTH=<>", (555, "5.5.4")),
        ("MAIL FROM:<a@b>SIZE=1", (501, "5.5.4")),
        ("MAIL FROM:<a@b> PRDR prdr", (501, "5.5.4")),
        ("MAIL FROM:<a@b> =", (501, "5.5.4")),
        ("MAIL FROM:<a@b> " + " ".join(f"X{n}" for n in range(30)), (501, "5.5.4")),
        ("MAIL FROM:<é@b>", (553, "5.6.7")),
        ("MAIL FROM:<a@b> X=é", (500, "5.5.2")),
        ("MAIL FROM <a@b>", (501, "5.5.4")),
        ("MAIL TO:<a@b>", (501, "5.5.4")),
        ("MAIL", (501, "5.5.4")),
        ("MAIL FROM:<a\x01@b>", (500, "5.5.2")),
        ("MAIL FROM:<a@b>\r", (500, "5.5.2")),
        ("MAIL FROM:<postmaster>", (501, "5.1.7")),
        ("RCPT TO:<>", (501, "5.1.3")),
        ("RCPT TO:<é@b>", (553, "5.6.7")),
        ("RCPT TO:<a@b> NOTIFY=", (501, "5.5.4")),
        ("RCPT TO:<a@b> NOTIFY=NEVER,DELAY", (501, "5.5.4")),
        ("RCPT TO:<a@b> NOTIFY=DELAY,DELAY", (501, "5.5.4")),
        ("RCPT TO:<a@b> ORCPT=rfc822", (501, "5.5.4")),
        ("RCPT TO:<a@b> ORCPT=rfc822;" + "a" * 501, (501, "5.5.4")),
        ("RCPT TO:<a@b> SIZE=1", (555, "5.5.4")),
        ("RCPT FROM:<a@b>", (501, "5.5.4")),
    ],
)
def test_refusals(line: str, code: tuple[int, str]) -> None:
    """Each with the code that says what is wrong."""
    assert code == refusal(line)


@pytest.mark.parametrize(
    "line",
    [
        "MAIL FROM:<a@b> PRDR",
        "MAIL FROM:<a@b> RET=FULL",
        "MAIL FROM:<a@b> SMTPUTF8",
        "RCPT TO:<a@b> NOTIFY=NEVER",
    ],
)
def test_what_is_not_offered_is_not_known(line: str) -> None:
    """555 for parameters of extensions that EHLO did not show."""
    assert refusal(line, NONE) == (555, "5.5.4")


def test_rcpt_parameters() -> None:
    """DSN parameters (RFC 3461), and bare postmaster."""
    event = rcpt("RCPT TO:<Ann@Example.org> NOTIFY=success,FAILURE ORCPT=rfc822;a+40b")
    assert (event.address.domain, event.notify, event.orcpt) == (
        "example.org",
        "SUCCESS,FAILURE",
        "rfc822;a+40b",
    )
    assert rcpt("rcpt to:<postmaster>").address.domain == ""
    assert rcpt("RCPT TO:<ä@b>", utf8=True).address.local == "ä"


LOCAL = st.text('aZ09.+-_="\\ @', min_size=1, max_size=70)
DOMAIN = st.text("aZ09.-_[]@ ", min_size=1, max_size=70)


@given(LOCAL, DOMAIN, st.sampled_from(["", " SIZE=10", " SIZE=0000000000000000001", " "]))
def test_quick_and_long_way_agree(local: str, domain: str, rest: str) -> None:
    """A line that the one regex takes means what the grammar says it means."""
    path = f"<{local}@{domain}>"
    try:
        address, behind = parse_path(path.encode(), utf8=False)
        valid = behind == b"" and address is not None
    except AddressError:
        valid, address = False, None
    for verb in ("MAIL FROM:", "mail from:"):
        try:
            event = mail(verb + path + rest)
        except CommandError as error:
            assert not valid or error.reply.code != 501, (path, error.reply)
        else:
            assert valid, path
            assert event.sender is not None
            assert address is not None
            assert (event.sender.local, event.sender.domain, event.sender.text) == (
                address.local,
                address.domain,
                address.text,
            )
    try:
        assert valid == bool(rcpt("RCPT TO:" + path))
    except CommandError:
        assert not valid


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b"EHLO a", "a"),
        (b"HELO  mail.example.org ", "mail.example.org"),
        (b"EHLO [192.0.2.1]", "[192.0.2.1]"),
    ],
)
def test_hello(line: bytes, name: str) -> None:
    """The name as it was said."""
    assert parse_hello(line, True).name == name


@pytest.mark.parametrize(
    "line", [b"EHLO", b"EHLO ", b"EHLO a b", b"EHLO a\tb", b"EHLO a\0", b"EHLO \xff", b"EHLO " + b"a" * 256]
)
def test_no_hello(line: bytes) -> None:
    """No name, two names, control characters, 8-bit, too long."""
    with pytest.raises(CommandError):
        parse_hello(line, True)


@pytest.mark.parametrize(
    ("line", "expected"),
    [(b"BDAT 5", (5, False)), (b"bdat 5 last", (5, True)), (b"BDAT 0  LAST ", (0, True))],
)
def test_bdat(line: bytes, expected: tuple[int, bool]) -> None:
    """Size and LAST."""
    assert expected == parse_bdat(line)


@pytest.mark.parametrize(
    "line",
    [b"BDAT", b"BDAT x", b"BDAT -1", b"BDAT 1 FIRST", b"BDAT 1 LAST 2", b"BDAT " + b"9" * 13, b"BDAT 1\0"],
)
def test_no_bdat(line: bytes) -> None:
    """Without a count nothing can be trusted any more: the refusal closes."""
    with pytest.raises(CommandError) as caught:
        parse_bdat(line)
    assert caught.value.reply.close


def test_ehlo_lines() -> None:
    """What is offered is listed, the last line without a dash."""
    assert NONE.lines == b"250-PIPELINING\r\n250-SIZE\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n"
    assert b"250-SIZE 1000\r\n250-STARTTLS\r\n" in ALL.lines
    assert b"250-DSN\r\n" in ALL.lines
    assert b"250-XCLIENT NAME ADDR" in Extensions(xclient=True).lines


@given(st.binary(max_size=80))
def test_only_our_own_error_comes_out(raw: bytes) -> None:
    """Any line gives an event or a CommandError."""
    for prefix in (b"", b"MAIL FROM:", b"MAIL FROM:<a@b> ", b"MAIL FROM:<a@b> SIZE="):
        try:
            parse_mail(prefix + raw, LIMITS, ALL)
        except CommandError:
            pass
    for prefix in (b"RCPT TO:<", b"RCPT TO:<a@b> ORCPT=rfc822;"):
        try:
            parse_rcpt(prefix + raw, ALL, utf8=True)
        except CommandError:
            pass


@pytest.mark.parametrize("unit", ["a", ".", "a@", "<", ">", " X=1", "-", "é"])
def test_the_longest_line_is_cheap(unit: str) -> None:
    """A line of 2048 octets, whatever it holds, takes a millisecond at most."""
    line = ("MAIL FROM:<" + unit * 2048).encode()[:2046]
    numbers = itertools.count()  # no line comes twice: some are remembered

    def read() -> None:
        for _ in range(100):
            with pytest.raises(CommandError):
                parse_mail(line[:-4] + b"%04d" % next(numbers), LIMITS, ALL)

    assert_cheap(0.1, read)
