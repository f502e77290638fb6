"""Passkeys in the file of the accounts: found by id, removed by whose they are, gone with their person."""

from pathlib import Path

from gatepost.store.accounts_db import AccountsStore, PersonRow
from gatepost.store.passkeys_db import PasskeyRow, PasskeysStore


def test_passkeys(tmp_path: Path) -> None:
    """The whole life of one."""
    accounts, store = AccountsStore(tmp_path / "accounts.db"), PasskeysStore(tmp_path / "accounts.db")
    accounts.add(PersonRow("ann", "owner", "hash"))
    row = PasskeyRow("id-1", "ann", "phone", b"\1\2", 0, 5.0)
    assert (True, False) == (store.add(row), store.add(row))
    store.used("id-1", 3, 9.0)
    found = store.get("id-1")
    assert found is not None
    assert (3, 9.0, b"\1\2") == (found.sign_count, found.used, found.public_key)
    assert ([found], []) == (store.listing("ann"), store.listing("eve"))
    assert (False, True) == (store.remove("eve", "id-1"), store.remove("ann", "id-1"))
    store.add(row)
    accounts.remove("ann")
    assert store.get("id-1") is None
    store.close()
    accounts.close()
