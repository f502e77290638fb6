"""A mail of the journal can be asked about again, under a policy with something changed."""

from dataclasses import replace

from gatepost.desk import domains
from gatepost.desk.desk import Desk
from gatepost.desk.replay import Overlay, existed, kept, mail_of
from gatepost.spool.index import Kept
from tests.desk.test_remedy import ROW


def test_mail_of(desk: Desk) -> None:
    """Envelope, client and bytes as they came; a HELO name that nobody wrote down is said to be missing."""
    copy = Kept(ROW.id, 0.0, ROW.sender, ROW.recipient, ROW.domain, ROW.client)
    ref = desk.archive.keep(copy, [b"Subject: x\r\n\r\n"])
    mail, named = mail_of(desk, [replace(ROW, archive_ref=ref)])
    assert ("bob@x.example", ("ann@example.org",), "192.0.2.7") == (mail.sender, mail.recipients, mail.client)
    assert (b"Subject: x\r\n\r\n", False) == (mail.raw, named)
    assert kept(desk, [ROW, replace(ROW, archive_ref="2026-01-01/x/y")]) is None


def test_existed() -> None:
    """Who was known then is known now."""
    assert "yes" == existed(ROW)
    assert "no" == existed(replace(ROW, plugin="recipients"))
    assert "unknown" == existed(replace(ROW, plugin="recipients", fate="deferred"))


def test_overlay(desk: Desk) -> None:
    """One domain's rows are changed, all else is what it was."""
    domains.add(desk, "other.example", ["smtp://192.0.2.1"])
    changed = Overlay(desk.policy, "example.org", lambda rows: replace(rows, values={"a": 1}))
    rows = changed.domain("example.org")
    assert rows is not None
    assert {"a": 1} == rows.values
    assert desk.policy.domain("other.example") == changed.domain("other.example")
    assert changed.domain("not.example") is None
    assert desk.policy.everywhere() == changed.everywhere()
    assert desk.policy.first_domain() == changed.first_domain()
    assert desk.policy.recipient("example.org", "x") == changed.recipient("example.org", "x")
    assert desk.policy.recipients_up_to("example.org", 9) == changed.recipients_up_to("example.org", 9)
