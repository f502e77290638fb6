"""Sentences of the reference for words that the code uses without one: fates, reply codes."""

from __future__ import annotations

LEVELS = {"all": "all domains", "domain": "a domain", "mailbox": "a mailbox"}

FATES = {
    "accepted": "the domain's own server took it",
    "rejected": "5xx: refused by a check, by us for its form, or by the domain's own server",
    "deferred": "4xx: the sender comes again",
    "quarantined": "the sender was told 250; the copy is held in the archive and the owner decides",
    "queued": "the sender was told 250; the copy lies in the spool and the courier tries again",
    "taken": "the sender was told 250; a check swallowed the copy: it is neither delivered nor kept",
    "abandoned": "no message came: the client reset, left or was too slow",
}
ARCHIVE_OUTCOMES = {
    "rejected": "the sender was told 5xx; the copy is there in case of error",
    "quarantined": "held: the sender was told 250",
    "refused_by_backend": "the domain's server refused it for good after another one had taken its copy",
}
STATUS = {
    214: "help",
    220: "ready",
    221: "closing",
    250: "done",
    252: "cannot verify, but will take it",
    353: "PRDR: replies for each recipient follow (draft-hall-prdr)",
    354: "send the message",
    421: "not available, closing",
    450: "mailbox not available now",
    451: "trouble here, try again",
    452: "not enough room, or too many recipients",
    454: "TLS not available now (RFC 3207, 4)",
    500: "not recognized, or line too long",
    501: "bad syntax in parameters",
    502: "not implemented",
    503: "wrong order of commands",
    550: "refused",
    552: "too big",
    553: "mailbox name not allowed",
    554: "failed",
    555: "parameter not recognized",
}
_3463 = "RFC 3463"
_MEANINGS = {
    "0.0": (_3463, "nothing more is known"),
    "1.0": (_3463, "address"),
    "1.1": (_3463, "no such mailbox"),
    "1.3": (_3463, "bad syntax of the recipient"),
    "1.5": (_3463, "recipient valid"),
    "1.7": (_3463, "bad syntax of the sender"),
    "2.1": (_3463, "the mailbox is switched off: not now (4), or for good (5)"),
    "1.10": ("RFC 7505", "the domain takes no mail (null MX)"),
    "3.0": (_3463, "trouble of this system"),
    "3.1": (_3463, "storage full"),
    "3.2": (_3463, "system takes no mail now"),
    "3.4": (_3463, "message too big"),
    "3.5": (_3463, "system set up wrong"),
    "4.0": (_3463, "network"),
    "4.1": (_3463, "no answer from the next hop"),
    "4.2": (_3463, "bad connection"),
    "4.3": (_3463, "directory or DNS did not answer"),
    "4.4": (_3463, "no route"),
    "4.6": (_3463, "mail loop"),
    "4.7": (_3463, "delivery time expired"),
    "5.0": (_3463, "protocol"),
    "5.1": (_3463, "command not valid here"),
    "5.2": (_3463, "syntax error"),
    "5.3": (_3463, "too many recipients"),
    "5.4": (_3463, "bad arguments"),
    "6.0": (_3463, "content"),
    "6.7": ("RFC 6531, 3.7.4.2", "not ASCII, and SMTPUTF8 not there"),
    "6.11": ("not registered; used by Exchange", "bare CR or LF"),
    "7.0": (_3463, "policy"),
    "7.1": (_3463, "refused by policy"),
    "7.7": (_3463, "integrity"),
    "7.20": ("RFC 7372", "no DKIM signature that passes"),
    "7.21": ("RFC 7372", "no acceptable DKIM signature"),
    "7.22": ("RFC 7372", "no DKIM signature of the author's domain"),
    "7.23": ("RFC 7372", "SPF failed"),
    "7.24": ("RFC 7372", "SPF record in error"),
    "7.25": ("RFC 7372", "reverse DNS failed"),
    "7.26": ("RFC 7372", "several authentication checks failed"),
    "7.27": ("RFC 7505", "the sender's domain takes no mail (null MX)"),
    "7.29": ("RFC 8617", "ARC validation failed"),
}
_GOOD = {"1.0": "sender ok", "0.0": "done", "6.0": "message taken", "1.5": "recipient ok"}


def meaning(code: int, enhanced: str) -> str:
    """Return what an enhanced status code says and which RFC says so; of none, what the code says."""
    if not enhanced:
        return STATUS[code]
    kind, _, rest = enhanced.partition(".")
    if kind == "2":
        return f"{_GOOD.get(rest, 'done')} ({_3463})"
    rfc, sentence = _MEANINGS[rest]
    return f"{sentence} ({rfc})"
