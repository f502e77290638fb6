"""A deed that takes a while for a domain, which somebody may remove meanwhile, and give its name away.

Who deletes what the domain left waits for it (`store.under_way`), so that nothing it writes comes later.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gatepost.desk.desk import Desk
from gatepost.desk.scopes import hosted
from gatepost.store.under_way import deed


@contextmanager
def doing(desk: Desk, name: str) -> Iterator[None]:
    """Do something for a domain; NotFound where it is not hosted (any more)."""
    with deed(desk.data_dir, [name]):
        hosted(desk, name)  # behind the word: who removes it now finds that
        yield
