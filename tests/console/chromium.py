"""Debian's Chromium, driven by Playwright: two sizes, light and dark, with and without JavaScript."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {
    "desktop": {"width": 1280, "height": 900},
    "phone": {"width": 360, "height": 740},
    "handset": {"width": 390, "height": 844},
}
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
"""WCAG 2.2 AA, as axe-core names it."""


@contextmanager
def running() -> Iterator[Browser]:
    """Start the browser; a missing one is an error that names the package."""
    program = shutil.which("chromium")
    assert program, "chromium is missing: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


class Window:
    """One browser window on one console; it keeps what a page must not do: faults, foreign requests."""

    def __init__(
        self,
        browser: Browser,
        url: str,
        size: str = "desktop",
        *,
        dark: bool = False,
        scripts: bool = True,
        locale: str = "en-GB",
    ) -> None:
        self.url = url
        self.context: BrowserContext = browser.new_context(
            base_url=url,
            viewport=SIZES[size],  # type: ignore[arg-type]
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
            locale=locale,
            timezone_id="Europe/Berlin",
            reduced_motion="reduce",
        )
        self.faults: list[str] = []
        self.foreign: list[str] = []
        self.page: Page = self.context.new_page()
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda request: self._asked(request.url))

    def sign_in(self, name: str, password: str = "secret") -> None:
        """Sign in by the form."""
        self.page.goto("/login")
        self.page.fill("[name=name]", name)
        self.page.fill("[name=password]", password)
        self.page.click("main form button:not([type=button])")
        self.page.wait_for_url(lambda url: "/login" not in url)

    def be(self, token: str) -> None:
        """Hold the cookie of a session."""
        self.context.add_cookies([{"name": "gatepost", "value": token, "url": self.url}])

    def axe(self) -> list[str]:
        """Return what axe-core finds wrong with the page, one line for each rule."""
        # Not a script tag: the page's own policy would (rightly) refuse it.
        self.page.evaluate(AXE.read_text())
        found: dict[str, Any] = self.page.evaluate(
            "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})",
            RULES,
        )
        return [
            f"{one['id']}: {one['help']}: {'; '.join(node['html'][:160] for node in one['nodes'][:4])}"
            for one in found["violations"]
        ]

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than the window."""
        return int(
            self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        )

    def close(self) -> None:
        """Close it."""
        self.context.close()

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _said(self, message: Any) -> None:
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.faults.append(message.text)

    def _asked(self, url: str) -> None:
        if not url.startswith((self.url, "data:", "about:", "blob:")):
            self.foreign.append(url)
