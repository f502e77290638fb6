"""`./test --screenshots DIR`: every page of the console, light and dark, on a phone and on a desktop."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.console.addresses import addresses
from tests.console.chromium import Window, running
from tests.console.house import House
from tests.console.seed import now, sow
from tests.console.served import Served


def take(folder: Path, only: str = "", *, whole: bool = True) -> list[Path]:
    """Write the pictures; returns their paths.

    `only`: pages whose path holds this. `whole`: the page to its end, not what the window shows alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    taken = []
    with tempfile.TemporaryDirectory() as data:
        house = House(Path(data) / "data", clock=now)
        sow(house)
        with Served(house.app) as served, running() as browser:
            for size in ("desktop", "phone"):
                for dark in (False, True):
                    with Window(browser, served.url, size, dark=dark) as window:
                        for path in addresses(house):
                            if only not in path or "{" in path:
                                continue
                            if not path.startswith("/login"):
                                window.be("token-root")
                            window.page.goto(path, wait_until="load")
                            window.page.wait_for_timeout(150)  # a chart is drawn behind the load
                            name = path.strip("/").replace("/", "_") or "first"
                            name = "digest_link" if path.startswith("/digest/") else name
                            name = "why" if path.startswith("/why/") else name
                            target = folder / f"{name}.{size}.{'dark' if dark else 'light'}.png"
                            window.page.screenshot(path=target, full_page=whole)
                            taken.append(target)
    return taken


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--window"]
    for written in take(Path(words[0]), *words[1:2], whole="--window" not in sys.argv):
        sys.stdout.write(f"{written}\n")
