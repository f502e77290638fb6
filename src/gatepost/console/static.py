"""The route of the vendored files; browsers keep them for a year, the address changes with the file."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gatepost.console.assets import files
from gatepost.console.errors import NotHere

KEPT = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)


@router.get("/static/{name:path}")
def static_file(request: Request, name: str) -> Response:
    """Send a file, packed where the browser can unpack it."""
    file = files().get(name)
    if file is None:
        raise NotHere
    headers = {"Cache-Control": KEPT, "ETag": f'"{file.digest}"', "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == f'"{file.digest}"':
        return Response(None, 304, headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.packed, 200, {**headers, "Content-Encoding": "gzip"}, file.kind)
    return Response(file.plain, 200, headers, file.kind)
