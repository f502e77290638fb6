"""A client that sends exactly the bytes it is told to, when it is told to, and reads whole replies."""

from __future__ import annotations

import socket
import ssl
from types import TracebackType
from typing import Self

Said = tuple[int, str]


class Talk:
    """One connection to an SMTP server."""

    def __init__(
        self, port: int, source: str = "127.0.0.1", *, greeted: bool = True, seconds: float = 20
    ) -> None:
        self.sock: socket.socket = socket.create_connection(
            ("127.0.0.1", port), timeout=seconds, source_address=(source, 0)
        )
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = b""
        self.greeting = self.reply() if greeted else (0, "")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Go away without a word."""
        self.sock.close()

    def send(self, data: bytes | str) -> None:
        """Send bytes as they are; a reset by the server is seen when reading."""
        try:
            self.sock.sendall(data.encode() if isinstance(data, str) else data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # what it said before is still to be read

    def reply(self) -> Said:
        """Read one reply, of however many lines; (0, "") when the server closed."""
        lines: list[str] = []
        while True:
            end = self._read.find(b"\n")
            if end < 0:
                try:
                    more = self.sock.recv(65_536)
                except ConnectionResetError:
                    more = b""
                if not more:
                    assert not lines, f"closed inside a reply: {lines}"
                    return 0, ""
                self._read += more
                continue
            line, self._read = self._read[: end + 1], self._read[end + 1 :]
            assert line.endswith(b"\r\n"), line
            text = line[:-2].decode("ascii")
            assert text[:3].isdecimal(), f"no reply: {text!r}"
            assert text.isprintable(), repr(text)
            lines.append(text[4:])
            if text[3:4] != "-":
                return int(text[:3]), "\n".join(lines)

    def say(self, line: bytes | str) -> Said:
        """Send one command line and read the reply."""
        self.send(line.encode() + b"\r\n" if isinstance(line, str) else line + b"\r\n")
        return self.reply()

    def rest(self) -> list[int]:
        """Read until the server closes; the codes of what it still said."""
        codes = []
        while (said := self.reply())[0]:
            codes.append(said[0])
        return codes

    def begin(self, *recipients: str, sender: str = "sender@client.example", mail: str = "") -> list[Said]:
        """Say EHLO, MAIL and each RCPT; the replies to the recipients."""
        assert 250 == self.say("EHLO client.example")[0]
        said = self.say(f"MAIL FROM:<{sender}>{mail}")
        assert 250 == said[0], said
        return [self.say(f"RCPT TO:<{one}>") for one in recipients]

    def data(self, body: bytes) -> Said:
        """Send DATA, the body as it is, and the end; the reply, or that to DATA where it is not 354."""
        said = self.say("DATA")
        if said[0] != 354:
            return said
        self.send(body + b".\r\n")
        return self.reply()

    def tls(self) -> None:
        """Begin TLS on the connection (behind the 220)."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.sock = context.wrap_socket(self.sock)
