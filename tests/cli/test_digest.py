"""`gatepost digest`: shown, or sent at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gatepost.desk import domains
from gatepost.desk.desk import Desk
from tests.desk.test_archive import keep

Run = Callable[..., Any]


def test_words(hosted: Run, desk: Desk) -> None:
    """Shown as text, for a mailbox or the domain; sent to whom it is for."""
    hosted("recipient", "add", "example.org", "postmaster")
    assert "0 mails were kept for example.org.\n" in hosted("digest", "example.org").stdout
    keep(desk)
    shown = hosted("digest", "example.org", "--to", "ann").stdout
    assert shown.startswith("1 mail was kept for ann@example.org.\n")
    assert "casino\n  From bob@example.net, " in shown
    assert 0 == len(desk.queue)
    assert (
        "nobody gets the digest of example.org" in hosted("digest", "example.org", "--send", status=1).stderr
    )
    sent = hosted("digest", "example.org", "--to", "ann", "--send").stdout
    assert "ann@example.org: 1 kept, on its way\n" == sent
    domains.set_values(desk, "example.org", {"digest.to": ["postmaster"], "digest.language": "de"})
    assert hosted("digest", "example.org").stdout.startswith("1 Mail für example.org wurde aufbewahrt.\n")
    assert "postmaster@example.org: 0 kept" in hosted(
        "digest", "example.org", "--send", "--since", "2037-01-01"
    ).stdout  # fmt: skip
    assert 2 == len(desk.queue)
    assert "does not exist here" in hosted("digest", "example.org", "--to", "eve", status=1).stderr
