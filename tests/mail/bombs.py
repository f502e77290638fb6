"""Messages made to kill who reads them (reference/peers.md, 4.6), and all that we do with a message at once.

Made when they are asked for and never stored. `python -m tests.mail.bombs NAME` reads one in a process of
its own and prints what it cost: the CPU time, and how much more memory the process took than before.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gatepost.auth.author import authors
from gatepost.learn.features import features
from gatepost.mail.form import Bounds, count_addresses, is_empty, oddities, troubles
from gatepost.mail.links import links_of
from gatepost.mail.message import MAX_LINES, Message, decode_words, find_border
from gatepost.mail.structure import read_structure
from gatepost.mail.text import links, strip_html, texts

TOP = Path(__file__).resolve().parents[2]
NOW = 1_700_000_000.0
BOUNDS = Bounds(MAX_LINES, 2_000, 86_400.0, 30 * 86_400.0)
MOST_PARAMETERS = 2_000
MIXED = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
HTML = b"Content-Type: text/html; charset=utf-8\r\n\r\n"


def head(fields: bytes, body: bytes = b"text\r\n") -> bytes:
    """Return a message with these fields besides the usual ones."""
    usual = b"From: Eve <eve@example.net>\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
    return usual + b"Message-ID: <1@example.net>\r\n" + fields + b"\r\n\r\n" + body


def nested(kind: bytes, count: int) -> bytes:
    """Return `count` messages or multiparts in each other."""
    if kind == b"message":
        return b"Content-Type: message/rfc822\r\n\r\n" * count
    return b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(count)
    )


def encoded_words(count: int) -> bytes:
    return head(b"Subject: " + b" ".join([b"=?utf-8?q?bomb?="] * count))


def folded_words(count: int) -> bytes:
    return head(b"Subject: " + b"\r\n ".join([b"=?utf-8?b?Ym9tYg==?="] * count))


def sections(count: int) -> bytes:
    names = b"".join(b"; filename*%d=a" % n for n in range(count))
    return head(b"Content-Disposition: attachment" + names)


def same_section(count: int) -> bytes:
    return head(b"Content-Type: text/plain" + b"; name*0*=utf-8''a" * count)


def sections_of_parts(parts: int, count: int) -> bytes:
    names = b"".join(b"; filename*%d=a" % n for n in range(count))
    return MIXED + (b"--b\r\nContent-Disposition: attachment" + names + b"\r\n\r\nx\r\n") * parts


def to_lines(count: int) -> bytes:
    return head(b"\r\n".join(b"To: a%d@example.org" % n for n in range(count)))


def addresses(count: int, name: bytes = b"To") -> bytes:
    return head(name + b": " + b", ".join(b"Ann %d <ann%d@example.org>" % (n, n) for n in range(count)))


def parts(count: int) -> bytes:
    return MIXED + b"--b\r\n\r\n" * count + b"--b--\r\n"


def zeros(count: int) -> bytes:
    """Return a base64 part of so many bytes."""
    text = b"Content-Transfer-Encoding: base64\r\nContent-Type: text/plain\r\n\r\n"
    return text + (b"A" * 76 + b"\r\n") * (count // 57)


def many_links(count: int) -> bytes:
    return HTML + b"".join(
        b'<a href="http://u@h%d.example/?http://x%d.example">x</a> ' % (n, n) for n in range(count)
    )


def attributes(count: int) -> bytes:
    return HTML + b"<p" + b"".join(b" a%d=b" % n for n in range(count)) + b">x"


BOMBS: dict[str, Callable[[], bytes]] = {
    # The rows of the table.
    "100,000 encoded words in Subject": lambda: encoded_words(100_000),
    "10,000 encoded words in Subject": lambda: encoded_words(10_000),
    "100,000 RFC 2231 parameters": lambda: sections(100_000),
    "10,000 RFC 2231 parameters": lambda: sections(10_000),
    "100,000 To: lines": lambda: to_lines(100_000),
    "10,000 addresses in one To:": lambda: addresses(10_000),
    "100,000 empty parts": lambda: parts(100_000),
    "1 million empty parts": lambda: parts(1_000_000),
    "multipart nested 900": lambda: nested(b"multipart", 900),
    "multipart nested 5,000": lambda: nested(b"multipart", 5_000),
    "message/rfc822 nested 5,000": lambda: nested(b"message", 5_000),
    "5,000 ( in To": lambda: head(b"To: " + b"(" * 5_000 + b"ann@example.org"),
    # What the list beside it tells of others.
    "500,000 addresses in headers": lambda: to_lines(500_000),
    "addresses in one From:": lambda: addresses(3_000, b"From"),
    "5,000 ( in From": lambda: b"From: " + b"(" * 5_000 + b"ann@example.org\r\n\r\nx",
    "encoded words on lines": lambda: folded_words(100_000),
    "the same section again": lambda: same_section(100_000),
    "parameters in each part": lambda: sections_of_parts(2_000, 700),
    "one header of 25 MB": lambda: head(b"X-A: " + b"a" * (25 << 20)),
    "header lines of nothing": lambda: head(b"X-A: a\r\n" + b" \r\n" * 3_000_000),
    "base64 of 30 MB": lambda: zeros(30 << 20),
    "soft line ends": lambda: b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=\r\n" * 8_000_000,
    "uuencode of 25 MB": lambda: (
        b"Content-Transfer-Encoding: x-uuencode\r\n\r\n" + (b"M" + b"a" * 60 + b"\r\n") * 400_000
    ),
    "base64 messages in each other": lambda: base64_nested(12),
    "HTML nested 1,000,000": lambda: HTML + b"<div>" * 1_000_000,
    "HTML attributes": lambda: attributes(1_000_000),
    "entities": lambda: HTML + b"&amp;" * 4_000_000,
    "300,000 links": lambda: many_links(300_000),
    "links that never end": lambda: HTML + b'<a href="http://' * 1_500_000,
    "words of one letter": lambda: b"Subject: x\r\n\r\n" + b"a b c d e " * 2_000_000,
    "one word": lambda: b"Subject: x\r\n\r\n" + b"a" * (25 << 20),
    "names of 16 KB": lambda: (
        MIXED
        + (b'--b\r\nContent-Disposition: attachment; filename="' + b"a\\" * 8_000 + b'"\r\n\r\nx\r\n') * 1_200
    ),
}  # fmt: skip
"""What it is called -> makes it."""


def base64_nested(depth: int) -> bytes:
    """Return messages in each other, each encoded."""
    from base64 import encodebytes

    raw = b"Subject: x\r\n\r\n" + b"x" * 100_000
    for _ in range(depth):
        coded = encodebytes(raw).replace(b"\n", b"\r\n")
        raw = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n" + coded
    return raw


def read_whole(raw: bytes) -> dict[str, Any]:
    """Do with a message all that we ever do; return what a test may want to know."""
    border = find_border(raw[:131_072])  # as `server.intake` looks for it
    message = Message(raw[:border] if border >= 0 else raw[:131_072], raw)
    odd = [one.kind for one in oddities(message, NOW, BOUNDS)]
    structure = read_structure(message)
    odd += [one.kind for one in troubles(message, structure.troubles, structure.parameters, MOST_PARAMETERS)]
    is_empty(message)
    written = [decode_words(header.value) for header in message.headers]
    names = [name for part in structure.parts for name in part.filenames]
    shown = [strip_html(text) if kind == "text/html" else text for kind, text in texts(structure)]
    hosts = list(links_of(links(structure)))
    return {
        "odd": sorted(set(odd)),
        "subject": len(message.subject),
        "headers": len(written),
        "addresses": count_addresses(message),
        "authors": len(authors(message).domains),
        "parts": len(structure.parts),
        "names": len(names),
        "text": sum(map(len, shown)),
        "hosts": len(hosts),
        "features": sum(map(len, features(message, 1, structure=structure).views)),
    }


def measured(name: str) -> dict[str, Any]:
    """Read a bomb in a fresh process; return `seconds` of CPU, `memory` in bytes and what was `found`."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.mail.bombs", name],
        cwd=TOP,
        capture_output=True,
        check=True,
        timeout=120,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main(name: str) -> None:
    """Read one bomb and print what it cost."""
    for ordinary in (parts(3), many_links(3), zeros(1_000), head(b"Subject: =?utf-8?q?h=C3=BC?=")):
        read_whole(ordinary)  # what is imported and compiled once is not the bomb's
    raw = BOMBS[name]()
    Path("/proc/self/clear_refs").write_text("5")  # the highest mark begins anew, behind the making
    before = high_water()
    began = time.process_time()
    found = read_whole(raw)
    seconds = time.process_time() - began
    print(json.dumps({"seconds": seconds, "memory": high_water() - before, "found": found, "size": len(raw)}))


def high_water() -> int:
    """Return the most memory that this process had at once since the mark was set back."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


if __name__ == "__main__":
    main(sys.argv[1])
