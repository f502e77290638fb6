"""A real unbound with a zone of its own, and the mails that its zone proves.

The sender's domain publishes SPF, a DKIM key and a DMARC policy. SPF says "neutral" of the load's clients,
and DMARC asks to reject: so a mail is taken only where its signature was found to hold, and a server under
test that did not verify would show as errors. Answers live for a day: both sides' caches are warm.
"""

import contextlib
import os
import shutil
import socket
import struct
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bench.places import VOLATILE, BenchError
from bench.server import Server

SENDER = "example.com"
SELECTOR = "bench"
LIST = "bl.bench.example"
"""A DNS list in its right mind that knows nobody."""
KEYS = VOLATILE / "signed" / "keys"
"""The key's record in the form of OpenDKIM's TestPublicKeys."""
ADDRESS = "127.0.53.1"
"""On port 53: glibc's resolver, which OpenDMARC uses, knows no other."""

UNBOUND = """\
server:
    interface: {address}
    do-daemonize: no
    username: ""
    chroot: ""
    directory: "{folder}"
    pidfile: ""
    use-syslog: no
    logfile: ""
    do-ip6: no
    module-config: "iterator"
    local-zone: "." static
    local-data: '{sender}. 86400 IN TXT "v=spf1 ip4:192.0.2.0/24 include:_spf.{sender} ?all"'
    local-data: '_spf.{sender}. 86400 IN TXT "v=spf1 ip4:198.51.100.0/24 ip4:203.0.113.0/24 -all"'
    local-data: 'client.{sender}. 86400 IN TXT "v=spf1 ?all"'
    local-data: '_dmarc.{sender}. 86400 IN TXT "v=DMARC1; p=reject; adkim=s"'
    local-data: '{sender}. 86400 IN MX 10 mail.{sender}.'
    local-data: 'mail.{sender}. 86400 IN A 198.51.100.1'
    local-data: '2.0.0.127.{listed}. 86400 IN A 127.0.0.2'
    local-zone: "127.in-addr.arpa." redirect
    local-data: '127.in-addr.arpa. 86400 IN PTR client.{sender}.'
    local-data: 'client.{sender}. 86400 IN A 127.0.0.1'
    local-data: '{selector}._domainkey.{sender}. 86400 IN TXT {key}'
remote-control:
    control-enable: no
"""
SIGNED_FIELDS = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type")
HEAD = (
    "From: Sender <sender@example.com>\r\nTo: <user@example.org>\r\nSubject: Your parcel\r\n"
    "Date: Mon, 2 Nov 2026 10:00:00 +0000\r\nMessage-ID: <20261102.1000@example.com>\r\n"
    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
)
RECEIVED = (
    "Received: from app.example.com (app.example.com [192.0.2.7])\r\n\tby out.example.com with ESMTPS id 4Xy7"
    "\r\n\tfor <user@example.org>; Mon, 2 Nov 2026 10:00:00 +0000\r\n"
)
LINES = (
    "When the wind comes off the water the whole street smells of salt and tar.\r\n"
    "\r\nWe agreed on Thursday, unless the ferry is late again.\r\n> yes\r\n"
    "https://www.example.com/orders/2231?from=mail&token=0123456789abcdef01234567\r\n"
    "The parcel has left our house; it should be with you in two or three days.\r\n"
)


def signed_mail(size: int) -> Path:
    """Where the mail of that size lies once a Resolver has started."""
    return VOLATILE / "signed" / f"{size}.eml"


class Resolver(Server):
    """Every server's name server, outside what is measured."""

    name = "unbound"

    def __init__(self, *sizes: int) -> None:
        super().__init__()
        self.sizes = sizes

    def prepare(self) -> None:
        if shutil.which("unbound") is None:
            raise BenchError("unbound is not installed")
        key = rsa.generate_private_key(65537, 2048)
        shutil.rmtree(signed_mail(0).parent, ignore_errors=True)
        signed_mail(0).parent.mkdir(parents=True)
        for size in self.sizes:
            signed_mail(size).write_bytes(signed(size, key))
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        record = f"v=DKIM1; k=rsa; p={b64encode(public).decode()}"
        KEYS.write_text(f"{SELECTOR}._domainkey.{SENDER} {record}\n")
        strings = " ".join(f'"{record[at : at + 250]}"' for at in range(0, len(record), 250))
        (self.folder / "unbound.conf").write_text(
            UNBOUND.format(
                address=ADDRESS,
                folder=self.folder,
                sender=SENDER,
                selector=SELECTOR,
                listed=LIST,
                key=strings,
            )
        )

    def command(self) -> list[str]:
        return ["unbound", "-d", "-c", str(self.folder / "unbound.conf")]

    def greets(self) -> bool:
        """Whether it answers for the sender's domain."""
        question = b"".join(bytes([len(part)]) + part.encode() for part in f"{SENDER}.".split("."))
        asked = os.urandom(2) + struct.pack("!5H", 0x100, 1, 0, 0, 0) + question + struct.pack("!2H", 16, 1)
        with contextlib.suppress(OSError), socket.socket(type=socket.SOCK_DGRAM) as udp:
            udp.settimeout(0.5)
            udp.connect((ADDRESS, 53))
            udp.send(asked)
            return b"v=spf1" in udp.recv(1500)
        return False


def signed(size: int, key: rsa.RSAPrivateKey) -> bytes:
    """A mail with one RSA signature, relaxed/simple (RFC 6376).

    The header is written so that "relaxed" only has to put names in lower case; no line begins with a dot.
    """
    body = (LINES * (size // len(LINES) + 1))[: max(0, size - len(HEAD + RECEIVED) - 640)].rstrip() + "\r\n"
    value = (
        f"v=1; a=rsa-sha256; c=relaxed/simple; d={SENDER}; s={SELECTOR}; h={':'.join(SIGNED_FIELDS)}; "
        f"bh={b64encode(sha256(body.encode()).digest()).decode()}; b="
    )
    fields = {line.partition(":")[0]: line.partition(": ")[2] for line in HEAD.splitlines()}
    relaxed = "".join(f"{name.lower()}:{fields[name]}\r\n" for name in SIGNED_FIELDS)
    proof = key.sign(f"{relaxed}dkim-signature:{value}".encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"DKIM-Signature: {value}{b64encode(proof).decode()}\r\n{RECEIVED}{HEAD}\r\n{body}".encode()
