"""Writes what was proved into the message: Authentication-Results (RFC 8601), Received-SPF (RFC 7208, 9.1).

The domain's own server and its people read it there. Everything that a stranger said is cleaned
first: no value can end the line, open a comment, or look like another result (T3.4).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gatepost.auth.facts import Arc, Dkim, Dmarc, Forwarded, Signature, Spf

MAX_VALUE = 250
MAX_COMMENT = 120
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+\-./@\[\]:^_`{|}~]+")
"""What may stand without quotes behind `=` (RFC 8601, 2.2; RFC 2045, 5.1)."""
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~.]{1,64}")
_ODD = re.compile(r"[^ !#-\[\]-~]")
_ODD_COMMENT = re.compile(r"[^ !-'*-\[\]-~]")
_ARC_WORDS = {"pass": "pass", "none": "none"}
"""RFC 8601 knows no more than `pass`, `fail` and `none` for ARC."""


def authentication_results(
    authserv_id: str,
    spf: Spf | None = None,
    dkim: Dkim | None = None,
    arc: Arc | None = None,
    dmarc: Dmarc | None = None,
    forwarded: Forwarded | None = None,
) -> str:
    """Return the value of the field: who says so, and a result for each method that was asked."""
    infos: list[str] = []
    if spf is not None:
        infos += _spf(spf)
    if dkim is not None:
        infos += [_dkim(s) for s in dkim.signatures] or [f"dkim={dkim.result}"]
    if arc is not None:
        infos.append(_arc(arc))
    if dmarc is not None:
        infos.append(_dmarc(dmarc, forwarded))
    return "; ".join((authserv_id, *(infos or ["none"])))


def folded(name: str, value: str) -> bytes:
    """Return a field, a line for each result."""
    return f"{name}: {value}\r\n".replace("; ", ";\r\n\t").encode("ascii", "replace")


def received_spf(hostname: str, spf: Spf) -> bytes:
    """Return a Received-SPF field, folded."""
    sender = spf.sender if spf.identity == "mailfrom" else f"postmaster@{spf.domain}"
    pairs = (
        ("client-ip", spf.client),
        ("envelope-from", sender),
        ("helo", spf.helo_name),
        ("receiver", hostname),
        ("identity", spf.identity),
    )
    known = "; ".join(f"{key}={_quoted(value)}" for key, value in pairs if value)
    return f"Received-SPF: {spf.result} ({hostname}: {comment(spf.why)})\r\n\t{known}\r\n".encode(
        "ascii", "replace"
    )


def _spf(spf: Spf) -> list[str]:
    infos = []
    if spf.identity == "mailfrom":
        infos.append(f"spf={spf.result} smtp.mailfrom={_sender(spf)}")
    helo = spf.helo if spf.identity == "mailfrom" else spf
    if helo is not None:
        infos.append(f"spf={helo.result} smtp.helo={value(helo.helo_name or helo.domain)}")
    return infos


def _sender(spf: Spf) -> str:
    """The whole address where it is plain, else its domain: quoting it would tempt readers."""
    local, _, domain = spf.sender.rpartition("@")
    if _PLAIN_LOCAL.fullmatch(local) and domain:
        return value(f"{local}@{domain}")
    return value(spf.domain)


def _dkim(signature: Signature) -> str:
    said = f" ({comment(signature.why)})" if signature.result != "pass" and signature.why else ""
    info = f"dkim={signature.result}{said}"
    for name, text in (
        ("d", signature.domain),
        ("s", signature.selector),
        ("a", signature.algorithm),
        ("b", signature.mark),
    ):
        if text:
            info += f" header.{name}={value(text)}"
    return info


def _arc(arc: Arc) -> str:
    said = f" ({comment(arc.why)})" if arc.why else ""
    sealer = f" header.d={value(arc.sealers[0])}" if arc.sealers else ""
    return f"arc={_ARC_WORDS.get(arc.result, 'fail')}{said}{sealer}"


def _dmarc(dmarc: Dmarc, forwarded: Forwarded | None) -> str:
    words = [word for word in (dmarc.published,) if word]
    if dmarc.ambiguous:
        words.append("author is ambiguous")
    if dmarc.result == "fail" and forwarded:
        words.append(f"not followed, forwarded by {forwarded.by}")
    said = f" ({comment(' '.join(words))})" if words else ""
    author = f" header.from={value(dmarc.author)}" if dmarc.author else ""
    return f"dmarc={dmarc.result}{said}{author}"


def value(text: str) -> str:
    """Return a value that cannot end: a token, or a quoted string of printable ASCII."""
    text = text[:MAX_VALUE]
    return text if _TOKEN.fullmatch(text) else _quoted(text)


def _quoted(text: str) -> str:
    text = text[:MAX_VALUE]
    return text if _TOKEN.fullmatch(text) else f'"{_ODD.sub("?", text).replace("; ", ";")}"'


def comment(text: str) -> str:
    """Return text that can stand in a comment and not end it; no `; ` in it, for the folding."""
    return _ODD_COMMENT.sub("?", text[:MAX_COMMENT]).replace(";", ",")


def fields(names_and_values: Sequence[tuple[str, str]]) -> bytes:
    """Return ready fields one below the other."""
    return b"".join(folded(name, text) for name, text in names_and_values)
