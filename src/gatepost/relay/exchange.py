"""One message over one connection: what is said, in which order, and what each recipient was told.

No socket and no clock: commands and replies. With PIPELINING (RFC 2920) the whole envelope goes
out in one write. LMTP (RFC 2033) and PRDR answer for each recipient behind the data.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from gatepost.relay.results import DELIVERED, Content, Result, deferred, from_reply
from gatepost.smtp.client import ClientReply

DATA = b"DATA\r\n"
_YES = re.compile(rb"250 (2\.[0-9]{1,3}\.[0-9]{1,3}) ([ -~]{0,480})\r\n")
NOTHING, BODY, DONE, BROKEN = 0, 1, 2, 3
"""What the driver does next: read on; send the content; finished, the connection is good; or not any more."""


class Command(NamedTuple):
    """What was said behind MAIL and each RCPT; made by the hand-off, which knows the next hop."""

    ahead: bytes
    """XFORWARD lines before MAIL, "" if none."""
    ahead_replies: int
    mail: bytes
    rcpts: Sequence[bytes]


class Exchange:
    """The state of one message's dialogue."""

    __slots__ = (
        "_accepted",
        "_command",
        "_dsn",
        "_each",
        "_finals",
        "_heard",
        "_lmtp",
        "_mail",
        "_pipelined",
        "_prdr",
        "_rcpts",
        "_where",
        "content",
        "dirty",
        "failure",
        "next",
        "results",
        "sent_body",
    )

    def __init__(
        self,
        command: Command,
        content: Content,
        *,
        pipelined: bool,
        lmtp: bool,
        prdr: bool,
        where: str,
        dsn: bool = False,
    ) -> None:
        self._command = command
        self.content = content
        self._pipelined = pipelined
        self._lmtp = lmtp
        self._prdr = prdr
        self._where = where
        self._dsn = dsn
        self._heard = -command.ahead_replies
        self._mail: ClientReply | None = None
        self._rcpts: list[ClientReply] = []
        self._accepted = 0
        self._finals: list[ClientReply] = []
        self._each = lmtp
        self.next = b""
        """What to write now, if not empty."""
        self.sent_body = False
        """The whole message may have gone out: from here on a silence may mean that it was taken."""
        self.dirty = False
        """The next hop still holds parts of an envelope: RSET before the connection is used again."""
        self.failure: Result | None = None
        self.results: list[Result] = []
        """One for each recipient, once the exchange is over."""

    def begin(self) -> bytes:
        """Return what is written first."""
        command = self._command
        if not self._pipelined:
            return command.ahead or command.mail
        rcpts = command.rcpts
        if len(rcpts) == 1 and not command.ahead:
            return b"%b%bDATA\r\n" % (command.mail, rcpts[0])
        return b"".join((command.ahead, command.mail, *rcpts, DATA))

    @property
    def retry(self) -> bool:
        """True when an idle connection turned out to be dead (closed, or 421) before anything was taken."""
        if self.sent_body:
            return False
        return self.failure is not None or (self._mail is not None and self._mail.code == 421)

    def hear_envelope(self, replies: Sequence[ClientReply]) -> bool:
        """Take the answers to a whole pipelined envelope at once, if all are yes and none is missing.

        The caller has seen that the last one is a 354 and the others are 2xx. False: take them singly.
        """
        if self._heard or not self._pipelined or len(replies) != len(self._command.rcpts) + 2:
            return False
        self._mail = replies[0]
        self._rcpts = list(replies[1:-1])
        self._accepted = len(self._rcpts)
        self._heard = len(replies)
        self.sent_body = True
        return True

    def hear_yes(self, data: bytes) -> bool:
        """Take the answer behind the data if it is one plain line that says yes to everybody.

        That is what nearly each message gets; whatever else it is (False) takes the long way.
        """
        count = self._accepted
        if self._each or self._prdr or count != len(self._command.rcpts):
            return False
        found = _YES.fullmatch(data)
        if found is None:
            return False
        enhanced, text = found[1].decode("ascii"), found[2].decode("ascii").strip()
        self.results = [Result(DELIVERED, 250, enhanced, text, self._where, self._dsn)] * count
        return True

    def hear(self, reply: ClientReply) -> int:
        """Take the next reply; returns what the driver does now, and sets `next`."""
        self.next = b""
        heard = self._heard
        self._heard = heard + 1
        if heard < 0:  # XFORWARD: whatever it says, the mail goes on
            if not self._pipelined:
                self.next = self._command.mail
            return NOTHING
        if heard == 0:
            return self._on_mail(reply)
        count = len(self._command.rcpts)
        if heard <= count:
            return self._on_rcpt(heard, count, reply)
        if heard == count + 1:
            return self._on_data(reply)
        return self._on_final(reply)

    def _on_mail(self, reply: ClientReply) -> int:
        self._mail = reply
        if reply.code // 100 == 2:
            if not self._pipelined:
                self.next = self._command.rcpts[0]
            return NOTHING
        if reply.code // 100 not in (4, 5):
            return self._garbage(reply)
        if reply.code == 421:
            return self._finish(BROKEN)
        return NOTHING if self._pipelined else self._finish(DONE)

    def _on_rcpt(self, number: int, count: int, reply: ClientReply) -> int:
        kind = reply.code // 100
        self._rcpts.append(reply)
        if kind == 2:
            self._accepted += 1
        elif kind not in (4, 5):
            return self._garbage(reply)
        elif reply.code == 421:
            return self._break(reply)
        if self._pipelined:
            return NOTHING
        if number < count:
            self.next = self._command.rcpts[number]
        elif self._accepted:
            self.next = DATA
        else:
            self.dirty = True
            return self._finish(DONE)
        return NOTHING

    def _on_data(self, reply: ClientReply) -> int:
        mail = self._mail
        assert mail is not None
        if reply.code == 354:
            if self._accepted and mail.code // 100 == 2:
                self.sent_body = True
                return BODY
            # RFC 2920, 3.1: a server may say 354 with no recipient. Nothing goes into that hole.
            return self._finish(BROKEN)
        if reply.code // 100 not in (4, 5):
            return self._garbage(reply)
        self.dirty = True
        if self._accepted and mail.code // 100 == 2:
            self._finals = [reply]
            self._each = False
        return self._finish(BROKEN if reply.code == 421 else DONE)

    def _on_final(self, reply: ClientReply) -> int:
        finals = self._finals
        if self._prdr and not finals and not self._each and reply.code == 353:
            self._each = True
            return NOTHING
        if reply.code // 100 not in (2, 4, 5):
            return self._garbage(reply)
        finals.append(reply)
        if not self._each:
            return self._finish(BROKEN if reply.code == 421 else DONE)
        wanted = self._accepted + (not self._lmtp)  # PRDR: the last one speaks for the whole
        if len(finals) < wanted:
            return NOTHING
        return self._finish(BROKEN if reply.code == 421 else DONE)

    def lost(self, why: str, enhanced: str = "4.4.2") -> None:
        """The connection broke, or the time is over: whoever has no answer yet is deferred."""
        self.failure = deferred(enhanced, why, self._where)
        self._finish(BROKEN)

    def _break(self, reply: ClientReply) -> int:
        self.failure = from_reply(reply.code, reply.enhanced, _text(reply), self._where)
        return self._finish(BROKEN)

    def _garbage(self, reply: ClientReply) -> int:
        text = f"The next hop answered {reply.code} where that has no meaning"
        self.failure = deferred("4.5.0", text, self._where)
        return self._finish(BROKEN)

    def _finish(self, action: int) -> int:
        """Say for each recipient what became of it."""
        mail, failure, where = self._mail, self.failure, self._where
        count = len(self._command.rcpts)
        if mail is not None and mail.code // 100 in (4, 5):
            one = from_reply(mail.code, mail.enhanced, _text(mail), where)
            self.results = [one] * count
            self.dirty = False
            return action
        results: list[Result] = []
        place = 0  # among the accepted: the order in which LMTP and PRDR answer
        for reply in self._rcpts:
            if reply.code // 100 == 2:
                results.append(self._final(place))
                place += 1
            else:
                results.append(from_reply(reply.code, reply.enhanced, _text(reply), where))
        if len(results) < count:
            missing = failure or deferred("4.4.2", "The next hop gave no answer", where)
            results += [missing] * (count - len(results))
        self.results = results
        return action

    def _final(self, place: int) -> Result:
        """Return the result of an accepted recipient: its own reply behind the data, or the only one."""
        finals = self._finals
        if place >= len(finals) if self._each else not finals:
            return self._nothing()
        reply = finals[place] if self._each else finals[0]
        if self._each and not self._lmtp and reply.code // 100 == 2:
            # PRDR: a copy is taken only when the last reply, for the whole, says so as well.
            if len(finals) <= self._accepted:
                return self._nothing()
            if finals[-1].code // 100 != 2:
                reply = finals[-1]
        return from_reply(reply.code, reply.enhanced, _text(reply), self._where, self._dsn)

    def _nothing(self) -> Result:
        return self.failure or deferred("4.4.2", "The next hop gave no answer", self._where)


def _text(reply: ClientReply) -> str:
    """Return the reply's words on one line."""
    lines = reply.lines
    return lines[0] if len(lines) == 1 else " ".join(line for line in lines if line)
