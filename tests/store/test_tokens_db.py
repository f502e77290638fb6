"""Tokens in the file of the accounts: found by digest, gone with their person."""

from pathlib import Path

from gatepost.store.accounts_db import AccountsStore, PersonRow
from gatepost.store.tokens_db import TokenRow, TokensStore


def test_tokens(tmp_path: Path) -> None:
    """What was kept is found by digest and number, until it is removed or its person is."""
    accounts, tokens = AccountsStore(tmp_path / "accounts.db"), TokensStore(tmp_path / "accounts.db")
    accounts.add(PersonRow("ann", "owner", "hash"))
    rows = [
        TokenRow(0, f"d{n}", "ann", f"no {n}", "look", ("a.example", "b.example"), 1.0, None, None)
        for n in (1, 2)
    ]
    first, second = (tokens.add(row) for row in rows)
    assert first == tokens.find("d1")
    assert (("a.example", "b.example"), "no 2") == (second.domains, second.label)
    assert [first, second] == tokens.listing("ann") == tokens.listing()
    assert [] == tokens.listing("bob")
    tokens.used(first.id, 5.0)
    found = tokens.get(first.id)
    assert found is not None
    assert 5.0 == found.used
    assert (True, False) == (tokens.remove(first.id), tokens.remove(first.id))
    accounts.remove("ann")
    assert tokens.find("d2") is None
    tokens.close()
    accounts.close()
