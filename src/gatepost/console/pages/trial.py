"""What would happen: to a mail that is described or given, or to the last days' mail under a draft setting.

Nothing is kept, counted, changed or delivered. DNS and the domain's own server are really asked, so it is
for who may change the domain.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import Response

from gatepost.console.auth import Changing, Here, Looking
from gatepost.console.place import Place
from gatepost.console.render import show
from gatepost.desk import recheck
from gatepost.desk.check import check
from gatepost.desk.errors import DeskError
from gatepost.desk.scopes import address_in
from gatepost.desk.spans import since as moment
from gatepost.desk.trial import NOBODY, Mail
from gatepost.policy.settings import read_value

router = APIRouter()
AGAIN = 300
"""Copies that are judged again, the newest."""
SPANS = ("1d", "7d", "30d")
MODES = ("on", "watch", "off")
EMPTY = {"sender": "", "to": "", "client": "", "helo": "", "message": "", "draft": "", "since": "7d"}
EMPTY |= {"check": "", "mode": "on"}

Text = Annotated[str, Form(max_length=200_000)]


@router.get("/domains/{domain}/trial")
def forms(here: Looking) -> Response:
    """Show the two questions."""
    return _page(here, EMPTY)


@router.post("/domains/{domain}/trial/check")
def ask(
    here: Changing,
    sender: Text = "",
    to: Text = "",
    client: Text = "",
    helo: Text = "",
    message: Text = "",
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Say what would happen to a mail."""
    typed = EMPTY | {"sender": sender, "to": to, "client": client, "helo": helo, "message": message}
    raw = file.file.read() if file is not None and file.filename else message.encode()
    try:
        recipients = tuple(address_in(here.domain, one) for one in to.replace(",", " ").split())
        mail = Mail(raw or None, sender.strip(), recipients, _client(client), helo.strip())
        return _page(here, typed, answers=check(here.desk, mail))
    except DeskError as error:
        return _page(here, typed, fault=str(error))


@router.post("/domains/{domain}/trial/recheck")
def again(
    here: Changing, name: Annotated[Text, Form(alias="check")] = "", mode: Text = "on", draft: Text = "",
    since: Text = "7d",
) -> Response:  # fmt: skip
    """Say what a draft would have changed."""
    typed = EMPTY | {"check": name, "mode": mode, "draft": draft, "since": since}
    try:
        values = _values(draft) | ({f"{name}.mode": mode} if name else {})
        begin = moment(since, here.desk.clock())
        found = recheck.recheck(here.desk, here.domain, values, since=begin, limit=AGAIN)
        return _page(here, typed, found=found)
    except DeskError as error:
        return _page(here, typed, doubt=str(error))


def _page(here: Here, typed: dict[str, str], *, fault: str = "", doubt: str = "", **told: Any) -> Response:
    return show(
        here,
        "trial.html",
        status=422 if fault or doubt else 200,
        place=Place(here, here.domain, f"/domains/{here.domain}/trial"),
        typed=typed,
        fault=fault,
        doubt=doubt,
        checks=[one.name for one in here.desk.registry],
        SPANS=SPANS,
        MODES=MODES,
        **({"answers": None, "found": None} | told),
    )


def _client(text: str) -> str:
    if not text.strip():
        return NOBODY
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        raise DeskError(f"{text!r} is not an IP address") from None


def _values(text: str) -> dict[str, Any]:
    """Return settings as they are typed at the command line: KEY=VALUE, one on each line."""
    found = {}
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        if not line.strip():
            continue
        if not equals:
            raise DeskError(f"{line.strip()!r}: write KEY=VALUE, as dnsbl.mode=on")
        found[key.strip()] = read_value(value.strip())
    return found
