"""`python -m tests.console.pictures`: the pictures of docs/howto, made anew from the program."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.console.addresses import addresses
from tests.console.chromium import Window, running
from tests.console.house import House
from tests.console.seed import now, sow
from tests.console.served import Served

FOLDER = Path(__file__).parents[2] / "docs/howto/pictures"
PICTURES = {
    "first.png": ("/", "phone", "ann"),
    "checks_phone.png": ("/domains/ann.example/checks", "phone", "ann"),
    "digest_link.png": ("/digest/", "phone", ""),
    "domains_new.png": ("/domains/new", "desktop", "root"),
    "training.png": ("/domains/ann.example/training", "desktop", "ann"),
}
"""File -> how the page's address begins, the size of the window, and who looks ("": nobody is signed in)."""


def make(folder: Path = FOLDER) -> list[Path]:
    """Write them; each shows what a window shows."""
    made = []
    with tempfile.TemporaryDirectory() as data:
        house = House(Path(data) / "data", clock=now)
        sow(house)
        with Served(house.app) as served, running() as browser:
            for file, (begins, size, who) in PICTURES.items():
                path = begins if who else next(one for one in addresses(house) if one.startswith(begins))
                with Window(browser, served.url, size) as window:
                    if who:
                        window.be(f"token-{who}")
                    window.page.goto(path, wait_until="load")
                    window.page.wait_for_timeout(300)  # a chart is drawn behind the load
                    window.page.screenshot(path=folder / file)
                    made.append(folder / file)
    return made


if __name__ == "__main__":
    for written in make():
        sys.stdout.write(f"{written}\n")
