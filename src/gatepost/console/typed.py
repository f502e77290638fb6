"""What was typed into a form whose fields are not known when the page is written."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

LONGEST = 200_000
"""Characters of one input."""


async def typed(request: Request) -> dict[str, str]:
    """Return the texts of the form; files and what is too long are left out."""
    form = await request.form()
    return {name: value for name, value in form.items() if isinstance(value, str) and len(value) <= LONGEST}


def below(prefix: str, fields: dict[str, str]) -> dict[str, str]:
    """Return the fields whose name begins so, without that beginning."""
    return {name.removeprefix(prefix): text for name, text in fields.items() if name.startswith(prefix)}


Typed = Annotated[dict[str, str], Depends(typed)]
