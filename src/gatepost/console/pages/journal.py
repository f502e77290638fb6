"""The journal: what became of each mail, searched, page by page, and live."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from gatepost.console.auth import Here, SignedIn, at_domain
from gatepost.console.cookies import token_of
from gatepost.console.environment import FATES
from gatepost.console.journal_form import Filtered
from gatepost.console.live import live_of
from gatepost.console.render import part, show
from gatepost.desk import journal
from gatepost.mail.ids import clean
from gatepost.store.base import OutcomeRow
from gatepost.store.journal_search import Question

router = APIRouter()
PAGE = 50
NAMES = 200
"""Domains that the form offers; who has more types the name."""
LAST = 1 << 62

After = Annotated[int | None, Query(ge=0, le=LAST)]


@router.get("/journal")
def listing(here: SignedIn, asked: Filtered, after: After = None) -> Response:
    """Show what was found, the newest first."""
    number = clean(asked.q)
    if number is not None:
        return RedirectResponse(f"/journal/{number}", 303)
    page = journal.page(here.desk, asked.question(here, after=after, limit=PAGE))
    names = here.names(limit=NAMES + 1)
    here = at_domain(here, asked.domain.strip()) if asked.domain.strip() else here
    return show(
        here,
        "journal.html",
        asked=asked,
        rows=page.rows,
        reached=page.reached,
        older=asked.address("/journal", after=page.after) if page.after is not None else "",
        newest=asked.address("/journal") if after is not None else "",
        live=asked.address("/journal/live") if after is None and not asked.until else "",
        names=names[:NAMES],
        many_names=len(names) > NAMES,
        checks=sorted({*_checks(here), *([asked.check] if asked.check else [])}),
        fates=FATES,
        every_domain=len(names) != 1 or here.is_admin,
    )


@router.get("/journal/live")
async def live(here: SignedIn, asked: Filtered, box: bool = False) -> Response:
    """Send new rows as they come; `box`: as the first screen shows them."""
    streams = live_of(here.request)
    if not streams.room(here.user.name):
        return Response(status_code=204)  # the page stays as it was loaded
    site, name, token = here.site, here.user.name, token_of(here.request)
    question = asked.question(here)

    def look(wanted: Question) -> tuple[int, list[OutcomeRow]]:
        with site.desk_for(name, here.is_admin) as desk:
            newest = desk.journal.last_seq()
            return newest, journal.page(desk, wanted).rows if wanted.behind != newest else []

    def known() -> bool:
        """Still signed in, and still with the same rights?"""
        with site.desk_for("console", False) as desk:
            visit = site.accounts.who(desk, token)
            if visit is None:
                return False
            theirs = (str(visit.user.role), tuple(visit.user.domains))
            return theirs == (str(here.user.role), tuple(here.user.domains))

    def shown(rows: list[OutcomeRow]) -> str:
        values = {"rows": rows, "every_domain": here.is_admin or len(here.user.domains) != 1}
        return part(here, "journal_box.html" if box else "journal_rows.html", **values)

    return StreamingResponse(
        streams.stream(name, question, look, shown, known),
        media_type="text/event-stream",
        headers={"x-accel-buffering": "no"},
    )


def _checks(here: Here) -> list[str]:
    return [one.name for one in here.desk.registry]
