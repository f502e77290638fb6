"""Gatepost with 100,000 domains and a million recipients.

The command line adds one domain at a time, as people do; a hundred thousand calls of it would take a day.
So this fills the store through the class that the command line uses, and keeps the filled folder in memory
for the other workload that wants it.
"""

import shutil
import time
from importlib import import_module
from pathlib import Path

from bench.gatepost import GatepostOne
from bench.places import VOLATILE, progress

DOMAINS = 100_000
USERS = 10


class GatepostLarge(GatepostOne):
    """d0.example ... d99999.example with user0 ... user9 each; all share one route."""

    name = "gatepost-large"
    title = "Gatepost, 1 worker, 100,000 domains"
    domain = "d0.example"

    def fill(self) -> None:
        # The routes name the sink's port, so a store is of use only behind the same one (it rarely changes).
        kept = VOLATILE / f"store-of-{DOMAINS}-port-{self.sink_port}"
        if not kept.exists():
            making = kept.with_suffix(".new")
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir(parents=True)
            self._fill(making)
            making.rename(kept)
        shutil.copytree(kept, self.data, dirs_exist_ok=True)

    def _fill(self, folder: Path) -> None:
        began = time.monotonic()
        progress(f"  filling a store with {DOMAINS} domains of {USERS} recipients")
        store = import_module("gatepost.store.policy_db").PolicyStore(folder / "policy.db")
        route = f"smtp://127.0.0.1:{self.sink_port}"
        names = [f"user{number}" for number in range(USERS)]
        store.load(((f"d{number}.example", route, {}, names) for number in range(DOMAINS)), by="bench")
        store.close()
        progress(f"  filled in {time.monotonic() - began:.0f} s")
