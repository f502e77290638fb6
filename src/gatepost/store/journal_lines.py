"""The lines that a worker writes for the journal: a JSON array each, built by hand, and read back.

These are on the way of every mail, so there is no json.dumps on the usual path: texts that are
printable and without quote and backslash go in as they are (a few C calls over all of them
together know it), others are escaped. A line never holds a line break, whatever a sender wrote
(T7.1). A line does not carry the time: the writer puts one stamp before each batch. What the
collector sorts by stands first and never holds a quote, so it need not parse; a trace stands
behind a tab.
"""

from __future__ import annotations

import json
from json.encoder import encode_basestring_ascii
from typing import Any

from gatepost.store.base import OutcomeRow, SessionRow

MAX_TEXT = 1_000
"""Characters of one text of a sender's that are kept."""


NOT_HOSTED = "relaying"
"""The `plugin` of a refusal because the domain is not hosted here: such names are not counted one by one."""

NOT_FROM_HERE = ("recipients", "is not on the list of clients of this recipient")
"""`plugin` and end of the reason where a recipient exists, and takes no mail from this client."""


def quoted(text: str) -> str:
    """Return a JSON string in ASCII, cut to what is kept."""
    return encode_basestring_ascii(text[:MAX_TEXT])


def _bare(text: str) -> str:
    """Return what can stand between quotes, whatever it was (names, addresses: it never has to change)."""
    return "".join(c for c in text[:MAX_TEXT] if " " <= c <= "~" and c not in '"\\')


def stamp_line(time: float) -> str:
    """Return the line that goes before a batch: when it was written, in seconds since 1970."""
    return f'["t",{time:.3f}]\n'


def session_line(
    id: str,  # noqa: A002 - the field's name everywhere
    client: str,
    host: str,
    helo: str,
    tls: str,
    outcome: str,
    transactions: int = 0,
    errors: int = 0,
    seconds: float = 0.0,
    steps: str = "",
) -> str:
    """Return the line of a session that has ended now. `steps` is JSON already (`Trace.as_json`)."""
    # Plainness of all texts at once; written out because a call costs as much as the answer.
    texts = f"{id}{client}{host}{helo}{tls}{outcome}"
    if texts.isprintable() and '"' not in texts and "\\" not in texts and len(texts) < MAX_TEXT:
        return (
            f'["s","{id}","{client}","{host}","{helo}","{tls}","{outcome}",'
            f"{transactions},{errors},{int(seconds * 1e6)},{steps or 0}]\n"
        )
    return (
        f'["s","{_bare(id)}",{quoted(client)},{quoted(host)},{quoted(helo)},{quoted(tls)},'
        f"{quoted(outcome)},{transactions},{errors},{int(seconds * 1e6)},{steps or 0}]\n"
    )


def outcome_line(
    id: str,  # noqa: A002 - the field's name everywhere
    domain: str,
    recipient: str,
    sender: str,
    client: str,
    fate: str,
    plugin: str = "",
    reason: str = "",
    code: int = 250,
    score: float = 0.0,
    size: int = 0,
    subject: str = "",
    archive_ref: str = "",
    trace: str = "",
    seconds: float = 0.0,
) -> str:
    """Return the line of one recipient's outcome. `trace` is JSON already (`Trace.as_json`)."""
    texts = f"{id}{plugin}{domain}{recipient}{sender}{client}{reason}{subject}{archive_ref}"
    if texts.isprintable() and '"' not in texts and "\\" not in texts and len(texts) < MAX_TEXT:
        return (
            f'["o","{id}","{fate}","{plugin}",{code},{score or 0},{size},{int(seconds * 1e6)},"{domain}",'
            f'"{client}","{reason}","{recipient}","{sender}","{subject}","{archive_ref}"]\t{trace}\n'
        )
    return (
        f'["o","{_bare(id)}","{_bare(fate)}","{_bare(plugin)}",{code},{score or 0},{size},'
        f'{int(seconds * 1e6)},"{_bare(domain)}","{_bare(client)}",{quoted(reason)},{quoted(recipient)},'
        f"{quoted(sender)},{quoted(subject)},{quoted(archive_ref)}]\t{trace}\n"
    )


FATE_PATH, PLUGIN_PATH, CLIENT_PATH, RECIPIENT_PATH, SENDER_PATH = "$[2]", "$[3]", "$[9]", "$[11]", "$[12]"
"""Where SQL finds what is searched for."""


def read_session(time: float, line: str) -> SessionRow:
    """Return the row of a session's line; ValueError if it is none."""
    _, number, client, host, helo, tls, outcome, transactions, errors, micros, steps = json.loads(line)
    seconds = micros / 1e6
    return SessionRow(
        number, time, client, host, helo, tls, outcome, transactions, errors, seconds, steps or None
    )


def read_outcome(seq: int, time: float, line: str, trace: str) -> OutcomeRow:
    """Return the row of an outcome's line; ValueError if it is none."""
    (_, number, fate, plugin, code, score, size, micros, domain, client, reason, recipient, sender, subject,
     archive_ref) = json.loads(line)  # fmt: skip
    folded = trace[1:] if trace.startswith("=") else ""
    return OutcomeRow(
        seq=seq,
        id=number,
        time=time,
        domain=domain,
        recipient=recipient,
        sender=sender,
        client=client,
        fate=fate,
        plugin=plugin,
        reason=reason,
        code=code,
        score=score,
        size=size,
        subject=subject,
        archive_ref=archive_ref,
        trace=_loads(trace) if trace and not folded else None,
        seconds=micros / 1e6,
        folded_into=folded,
    )


def _loads(trace: str) -> Any:
    try:
        return json.loads(trace)
    except ValueError:
        return trace
