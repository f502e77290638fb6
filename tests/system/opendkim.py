"""A real OpenDKIM as signer: its daemon, and the few words of the milter protocol that make it sign.

The daemon is Debian's package `opendkim`; what speaks to it here stands in for a mail server. A
mail goes in as headers and body, and comes back with the signature that OpenDKIM adds.
"""

from __future__ import annotations

import socket
import struct
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

from tests.system.process import Child, free_port, program

CONFIG = """\
Syslog no
Background no
Mode s
Socket inet:{port}@127.0.0.1
PidFile {top}/opendkim.pid
Domain {domain}
Selector {selector}
KeyFile {key}
SignatureAlgorithm {algorithm}
Canonicalization {canonical}
InternalHosts 0.0.0.0/0
RequireSafeKeys no
FixCRLF yes
OversignHeaders {oversign}
"""
ACTIONS = 0x1FF
STEPS = 0x7F | 0x100000
"""Steps that the filter may leave out, and values with their leading blanks."""


class OpenDkim:
    """A running OpenDKIM that signs for one domain with one key."""

    def __init__(
        self,
        top: Path,
        domain: str,
        algorithm: str,
        canonical: str = "relaxed/simple",
        oversign: str = "From",
    ) -> None:
        self.domain = domain
        self.selector = "rsa" if algorithm.startswith("rsa") else "ed"
        self.port = free_port()
        key = top / "key.pem"
        kind = "rsa" if self.selector == "rsa" else "ed25519"
        generate = ["openssl", "genpkey", "-algorithm", kind, "-out", str(key)]
        if self.selector == "rsa":
            generate += ["-pkeyopt", "rsa_keygen_bits:2048"]
        subprocess.run(generate, check=True, capture_output=True)
        self.record = _record(key, self.selector)
        config = top / "opendkim.conf"
        config.write_text(
            CONFIG.format(
                port=self.port,
                top=top,
                domain=domain,
                selector=self.selector,
                key=key,
                algorithm=algorithm,
                canonical=canonical,
                oversign=oversign,
            )
        )
        self.child = Child("opendkim", [program("opendkim", "opendkim"), "-f", "-x", str(config)], top)
        self.child.wait_for(self._listens)

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def sign(self, raw: bytes, sender: str) -> bytes:
        """Return a mail with OpenDKIM's signature on top."""
        head, _, body = raw.partition(b"\r\n\r\n")
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as peer:
            _say(peer, b"O", struct.pack("!III", 6, ACTIONS, STEPS))
            left_out = struct.unpack("!III", _hear(peer)[1][:12])[2]
            steps = [
                (0x01, b"C", b"client.test\x004" + struct.pack("!H", 25) + b"127.0.0.1\0"),
                (0x02, b"H", b"client.test\0"),
                (0x04, b"M", f"<{sender}>\0".encode()),
                (0x08, b"R", b"<bob@example.org>\0"),
                *((0x20, b"L", field) for field in _fields(head)),
                (0x40, b"N", b""),
                *([(0x10, b"B", body)] if body else []),
            ]
            for flag, command, data in steps:
                if left_out & flag:
                    continue
                _say(peer, command, data)
                answer, said = _hear(peer)
                assert answer == b"c", (command, answer, said, self.child.said())
            _say(peer, b"E", b"")
            added = list(_changes(peer))
            _say(peer, b"Q", b"")
        assert added, self.child.said()
        return b"".join(added) + raw

    def stop(self) -> None:
        """End it; it takes its time with TERM."""
        self.child.kill()


def _record(key: Path, kind: str) -> str:
    """Return what stands in DNS for a private key."""
    command = ["openssl", "pkey", "-in", str(key), "-pubout", "-outform", "DER"]
    public = subprocess.run(command, check=True, capture_output=True).stdout
    if kind == "ed":
        return f"v=DKIM1; k=ed25519; p={b64encode(public[-32:]).decode()}"
    return f"v=DKIM1; k=rsa; p={b64encode(public).decode()}"


def _fields(head: bytes) -> Iterator[bytes]:
    """Yield header fields as a mail server hands them over: folded with LF alone."""
    for line in head.replace(b"\r\n\t", b"\n\t").replace(b"\r\n ", b"\n ").split(b"\r\n"):
        name, _, value = line.partition(b":")
        yield name + b"\0" + value + b"\0"


def _changes(peer: socket.socket) -> Iterator[bytes]:
    """Yield the fields that the filter puts on top, until it accepts."""
    while True:
        answer, data = _hear(peer)
        if answer == b"i":
            data = data[4:]
        if answer in (b"h", b"i"):
            name, value = data.rstrip(b"\0").split(b"\0")
            if name.lower() == b"dkim-signature":
                yield name + b":" + value.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + b"\r\n"
        elif answer in (b"a", b"c"):
            return
        else:
            assert answer == b"p", (answer, data)


def _say(peer: socket.socket, command: bytes, data: bytes) -> None:
    peer.sendall(struct.pack("!I", len(data) + 1) + command + data)


def _hear(peer: socket.socket) -> tuple[bytes, bytes]:
    size = struct.unpack("!I", _exactly(peer, 4))[0]
    data = _exactly(peer, size)
    return data[:1], data[1:]


def _exactly(peer: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = peer.recv(size - len(data))
        assert piece, "OpenDKIM closed the connection"
        data += piece
    return data
