"""What becomes of a request that cannot be answered as asked: a page for people, problem+json for programs.

What does not exist and what is not theirs get the same answer, to the byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from gatepost.console.render import show_to_anyone
from gatepost.console.segments import as_asked
from gatepost.console.text import mark
from gatepost.console.visit import came_from, person_of
from gatepost.desk.errors import Conflict, DeskError, NotFound
from gatepost.policy.faults import in_words
from gatepost.store.base import StoreError

PROBLEM = "application/problem+json"

SENTENCES = {
    400: mark("That request could not be understood."),
    403: mark("This form is too old or came from another site. Go back, load the page again and repeat."),
    404: mark("There is nothing at this address, or it is not yours to see."),
    405: mark("This address does not take such a request."),
    409: mark("Somebody else was faster; look at what is there now."),
    413: mark("That is more than this console takes at once."),
    422: mark("Something in the request is missing or wrong."),
    429: mark("Too many tries; wait a moment."),
    500: mark("Something went wrong here. It has been written to the log."),
    503: mark("The store does not answer now. Try again in a moment."),
}


class SignInFirst(Exception):
    """Nobody is signed in: people go to the form, programs get 401."""


class NotHere(HTTPException):
    """It does not exist, or not for them."""

    def __init__(self) -> None:
        super().__init__(404)


class Forbidden(HTTPException):
    """The form's secret is wrong, or the request comes from another site."""

    def __init__(self) -> None:
        super().__init__(403)


def install(app: FastAPI) -> None:
    """Make the app answer so."""
    app.add_exception_handler(SignInFirst, _sign_in_first)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(DeskError, _desk)
    app.add_exception_handler(StoreError, _store)


def answer(request: Request, status: int, detail: str = "", **further: object) -> Response:
    """Return the answer for an error, in the form that who asked can read."""
    if request.url.path.startswith("/api/"):
        body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
        if detail:
            body["detail"] = detail
        return JSONResponse(body | further, status, media_type=PROBLEM)
    person_of(request)  # for the menu
    return show_to_anyone(
        request, "error.html", status=status, code=status, sentence=SENTENCES.get(status, ""), detail=detail,
        back=came_from(request),
    )  # fmt: skip


def _sign_in_first(request: Request, _error: Exception) -> Response:
    if request.url.path.startswith("/api/"):
        response = answer(request, 401, "sign in, or send a token: Authorization: Bearer ...")
        response.headers["WWW-Authenticate"] = "Bearer"
        return response
    target = "/login"
    if request.method == "GET" and request.url.path != "/":
        target += f"?next={quote(as_asked(request), safe='')}"
    return RedirectResponse(target, 303)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = error.detail if error.detail != HTTPStatus(error.status_code).phrase else ""
    response = answer(request, error.status_code, detail)
    response.headers.update(error.headers or {})
    return response


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [_fault(one) for one in error.errors()]
    # A path that cannot be (a number that is none) does not exist.
    if any(one["loc"][0] == "path" for one in error.errors()):
        return answer(request, 404)
    return answer(
        request, 422, "; ".join(f"{one['field']}: {one['reason']}" for one in faults), errors=faults
    )


def _fault(one: Mapping[str, Any]) -> dict[str, str]:
    if one["type"] == "json_invalid":
        return {"field": "body", "reason": f"no JSON: {one.get('ctx', {}).get('error', one['msg'])}"}
    field = ".".join(str(part) for part in one["loc"][1:]) or "body"
    return {"field": field, "reason": in_words(one, secret=field.endswith(("password", "secret", "key")))}


def _desk(request: Request, error: Exception) -> Response:
    if isinstance(error, NotFound):
        # Its words may name what is near, and that may be somebody else's.
        return answer(request, 404)
    if isinstance(error, Conflict):
        return answer(request, 409, str(error))
    return answer(request, 422 if request.url.path.startswith("/api/") else 400, str(error))


def _store(request: Request, error: Exception) -> Response:
    request.app.state.report("console_store", request.url.path, error)
    return answer(request, 503)
