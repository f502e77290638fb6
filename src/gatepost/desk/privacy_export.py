"""One person's data in one domain as a zip: a file of JSON lines for each kind, and kept mail as received.

That it was made stands in the list of changes, and with each kept mail that it was opened.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import IO, Any

from gatepost.desk import privacy
from gatepost.desk.deeds import write_down
from gatepost.desk.desk import Desk
from gatepost.desk.person import Person
from gatepost.desk.scopes import hosted
from gatepost.store.journal_lines import read_outcome

MOST_KEPT = 2_000
"""Kept mails of one export; their index lines are whole."""
README = """\
Everything that {host} has of {address} in {domain}, as of {when}.

journal.jsonl     what became of each mail from or to this address
kept.jsonl        mail that is kept (refused, or held), and kept/ the mail itself, as received
queue.jsonl       mail that waits to be delivered
records.jsonl     what checks and people left behind: counted addresses, who opened kept mail, digests
reviews.jsonl     requests for a review of a refusal
trainings.jsonl   what this address taught the classifier, without the mail
changes.jsonl     the list of changes where it names this address
lists.jsonl       entries of allow and deny lists
accounts.jsonl    accounts of the console
"""


def export(desk: Desk, domain: str, who: Person, out: IO[bytes]) -> dict[str, int]:
    """Write the zip; returns how many there are of each kind."""
    name = hosted(desk, domain)
    found = privacy.look(desk, name, who)
    when = datetime.fromtimestamp(desk.clock(), UTC)
    said = README.format(host=desk.hostname, address=who.address.text, domain=name, when=when.isoformat())
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("README.txt", said)
        _lines(file, "journal", (asdict(read_outcome(*row)) for row in found.journal))
        _lines(file, "kept", (asdict(one) for one in found.kept))
        _lines(file, "queue", (asdict(one) for one in found.queue))
        _lines(file, "records", (asdict(one) for one in found.records))
        _lines(file, "trainings", (asdict(one) for one in found.trainings))
        _lines(file, "reviews", (asdict(one) for one in found.reviews))
        _lines(file, "changes", (asdict(one) for one in found.changes))
        _lines(file, "lists", ({"scope": one.scope, **asdict(one.entry)} for one in found.lists))
        _lines(file, "accounts", (_account(one) for one in found.accounts))
        for kept in [one for one in found.kept if desk.archive.exists(one.ref)][:MOST_KEPT]:
            write_down(desk, "opened", kept.domain, kept.ref, kept.id, kept.recipient)
            _mail(file, kept.ref, lambda ref=kept.ref: desk.archive.blocks(ref))  # type: ignore[misc]
    counts = found.counts
    desk.policy.note("exported", None, {kind: n for kind, n in counts.items() if n}, desk.by, name)
    return counts


def _lines(file: zipfile.ZipFile, name: str, rows: Iterable[dict[str, Any]]) -> None:
    with file.open(f"{name}.jsonl", "w", force_zip64=True) as stream:
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False, default=str).encode("utf-8", "replace") + b"\n")


def _mail(file: zipfile.ZipFile, ref: str, blocks: Callable[[], Iterable[bytes]]) -> None:
    place = "kept/" + ref.replace("/", "-").removesuffix(".zst")
    with file.open(place, "w", force_zip64=True) as stream:
        try:
            for block in blocks():
                stream.write(block)
        except OSError as error:  # it went meanwhile, or is damaged: the others are there
            stream.write(f"\r\n[cannot be read: {error.strerror or error}]\r\n".encode())


def _account(user: Any) -> dict[str, Any]:
    return {"name": user.name, "role": str(user.role), "domains": list(user.domains),
            "language": user.language, "zone": user.zone}  # fmt: skip
