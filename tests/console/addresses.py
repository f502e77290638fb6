"""Every page of the console with something to show: the paths as mounted, and what stands for their parts.

A page that is added with a part that is not known here makes `test_console_pages.py` say so.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping

from gatepost.console.app import page_paths
from gatepost.desk.digest_links import RELEASE, Link, make
from gatepost.desk.secret import installation_secret
from gatepost.mail import why
from tests.console.house import House
from tests.console.seed import KEPT, REFUSED

PARTS: dict[str, str] = {
    "domain": "ann.example",
    "check": "dnsbl",
    "name": "ann",
    "number": "1",
    "entry": "2",
    "local": "you",
    "id": "3333333333334",
    "file": f"{KEPT}.1.eml.zst",
}
"""Part of a path -> what stands there in a seeded house."""
NO_PAGES = ("/static/", "/journal/live", "/archive/{day}/{domain}/{file}/raw")
"""Paths that begin so are no pages for people."""


def token(house: House, day: str) -> str:
    """Return the link of a digest to the mail that a seeded house keeps."""
    with house.desk() as desk:
        ref = f"{day}/{PARTS['domain']}/{PARTS['file']}"
        return make(desk, Link(RELEASE, ref, f"you@{PARTS['domain']}", house.clock() + 86_400))


def refusal(house: House) -> str:
    """Return what the sender was told whose mail a seeded house refused."""
    secret = installation_secret(house.data)
    return why.make(secret, f"{REFUSED}.1", PARTS["domain"], f"you@{PARTS['domain']}")


def addresses(house: House, parts: Mapping[str, str] = PARTS) -> list[str]:
    """Return the address of each page that can be asked for; what cannot be filled in stays as it is."""
    kept_on = time.strftime("%Y-%m-%d", time.gmtime(house.site.clock()))
    parts = {"day": kept_on, "token": token(house, kept_on), "refusal": refusal(house), **parts}
    return [
        re.sub(r"{(\w+)(?::\w+)?}", lambda part: parts.get(part[1], part[0]), path)
        for path in sorted(page_paths(house.app))
        if not path.startswith(NO_PAGES)
    ]
