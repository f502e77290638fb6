"""Errors of the peer carry what answers them."""

from __future__ import annotations

from gatepost.mail.reply import Reply
from gatepost.smtp.errors import BareNewline, CommandError, LocalProtocolError, RemoteProtocolError


def test_errors_say_what_they_are() -> None:
    """A command's error has its reply, a bare newline the line before it; ours is of another family."""
    reply = Reply(501, "5.5.4", "Syntax")
    assert CommandError(reply).reply is reply
    assert str(CommandError(reply)) == "Syntax"
    assert BareNewline(b"NOOP").line == b"NOOP"
    assert isinstance(BareNewline(b""), RemoteProtocolError)
    assert not issubclass(LocalProtocolError, RemoteProtocolError)
