"""The templates in one language, compiled: pages of the console, and the digest's mail.

Nothing here knows a request, so that the keeper can make a digest without the web server's packages.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from gatepost.console.assets import address
from gatepost.console.text import catalogue, mark

FATES = {
    "accepted": mark("accepted"),
    "rejected": mark("rejected"),
    "quarantined": mark("quarantined"),
    "deferred": mark("deferred"),
    "queued": mark("queued"),
    "taken": mark("taken"),
    "abandoned": mark("abandoned"),
}
"""What became of a mail, for people."""
TEMPLATES = Path(__file__).parent / "templates"


@cache
def environment(language: str) -> Environment:
    """Return the templates in one language, compiled when first used."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    made.globals |= {"static": address, "FATES": FATES}
    made.filters |= {"ticked": ticked, "segment": segment}
    install = vars(made)["install_gettext_translations"]
    install(catalogue(language), newstyle=True)
    return made


def segment(text: str) -> str:
    """Return a text as one segment of a path: also a `/` in it is encoded."""
    return quote(str(text), safe="")


def ticked(text: str) -> Markup:
    """Return a sentence of a docstring with what stands between backticks as code."""
    parts = str(text).split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if n % 2 and n < len(parts) - 1 else escape(part)
        for n, part in enumerate(parts)
    )
