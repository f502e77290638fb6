"""MAIL and RCPT say what the next hop understands and nothing else."""

from __future__ import annotations

import pytest

from gatepost.mail.address import Address, parse_address
from gatepost.relay.lines import mail_line, rcpt_line, unable
from gatepost.relay.results import MailParams, To
from gatepost.smtp.client import Capabilities
from gatepost.smtp.errors import OutboundError

ANN = parse_address("ann@example.org")
ALL = Capabilities(True, 0, True, True, dsn=True, prdr=True)
NONE = Capabilities()
PARAMS = MailParams(10, "8BITMIME", True, "FULL", "QQ")


def test_mail() -> None:
    """Parameters only where they are offered; the null sender is `<>`."""
    expected = b"MAIL FROM:<ann@example.org> SIZE=10 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=QQ PRDR\r\n"
    assert expected == mail_line(ANN, PARAMS, ALL, True)
    assert b"MAIL FROM:<>\r\n" == mail_line(
        None, MailParams(10, "8BITMIME", False, "FULL", "QQ"), NONE, False
    )


def test_rcpt() -> None:
    """NOTIFY and ORCPT only to servers with DSN; quoted local parts as they were given."""
    assert b"RCPT TO:<ann@example.org> NOTIFY=NEVER ORCPT=rfc822;x\r\n" == rcpt_line(
        To(ANN, "NEVER", "rfc822;x"), ALL
    )
    assert b"RCPT TO:<ann@example.org>\r\n" == rcpt_line(To(ANN, "NEVER", "rfc822;x"), NONE)
    assert b'RCPT TO:<"a b"@example.org>\r\n' == rcpt_line(To(parse_address('"a b"@example.org')), NONE)


def test_joiners() -> None:
    """What the grammar lets in goes out: Persian and Indic names need zero-width (non-)joiners."""
    for name in ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0915\u094d\u200d\u0937"):
        address = parse_address(f"{name}@example.org")
        assert f"RCPT TO:<{name}@example.org>\r\n".encode() == rcpt_line(To(address), ALL)
        assert f"MAIL FROM:<{name}@example.org>\r\n".encode() == mail_line(address, MailParams(), ALL, False)


@pytest.mark.parametrize("evil", ["\r\nQUIT", "\0", "\x7f", "\u2028"])
def test_no_second_command(evil: str) -> None:
    """A control character in an address or a parameter is our own error, never bytes on the wire."""
    address = Address("x", "example.org", f"x{evil}@example.org")
    with pytest.raises(OutboundError):
        mail_line(address, MailParams(), ALL, False)
    with pytest.raises(OutboundError):
        rcpt_line(To(address), ALL)
    with pytest.raises(OutboundError):
        mail_line(ANN, MailParams(envid=f"x{evil}"), ALL, False)
    with pytest.raises(OutboundError):
        rcpt_line(To(ANN, orcpt="rfc822;a b"), ALL)


def test_unable() -> None:
    """Too large, or international: said before anything is sent."""
    small = Capabilities(size=100)
    refused = unable(small, MailParams(101), ANN, [To(ANN)], "")
    assert refused is not None
    assert (552, "5.3.4") == (refused.code, refused.enhanced)
    assert unable(small, MailParams(100), ANN, [To(ANN)], "") is None
    assert unable(Capabilities(size=0), MailParams(10**9), None, [To(ANN)], "") is None
    for sender, to, utf8 in (
        (parse_address("j\u00f6rg@example.org"), ANN, False),
        (None, parse_address("j\u00f6rg@example.org"), False),
        (None, ANN, True),
    ):
        refused = unable(NONE, MailParams(smtputf8=utf8), sender, [To(to)], "")
        assert refused is not None
        assert (550, "5.6.7") == (refused.code, refused.enhanced)
        assert unable(ALL, MailParams(smtputf8=utf8), sender, [To(to)], "") is None
