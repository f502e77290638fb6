"""The app: every page and every route of the API, found by being there.

A page is a file in `pages/` with a `router`, a group of API routes is a file in `api/` with one; there is
no list to keep. The routes of the API stand below `/api/v1`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from types import ModuleType

from fastapi import APIRouter, Depends, FastAPI

from gatepost import __version__
from gatepost.console import api, errors, pages, static
from gatepost.console.api.answers import PROBLEMS
from gatepost.console.guard import Shield, from_our_own_page
from gatepost.console.limits import Limits
from gatepost.console.live import Live
from gatepost.console.segments import Segments
from gatepost.console.site import Site

API = "/api/v1"
Report = Callable[[str, str, BaseException], None]


def make_app(site: Site, report: Report = lambda _event, _path, _error: None) -> FastAPI:
    """Return the console of a site; `report(event, path, error)` is told our own faults."""
    app = FastAPI(
        title="Gatepost",
        version=__version__,
        description="Everything that the pages of the console can do.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        dependencies=[Depends(from_our_own_page)],
    )
    app.state.site = site
    app.state.report = report
    app.state.live = Live()
    app.state.limits = Limits(site.clock)
    errors.install(app)
    shown, programs = [static.router, *_routers(pages)], list(_routers(api))
    for router in shown:
        app.include_router(router, include_in_schema=False)
    for router in programs:
        app.include_router(router, prefix=API, responses=PROBLEMS)
    app.state.mounted = [
        *(one for router in shown for one in _of(router)),
        *((method, API + path) for router in programs for method, path in _of(router)),
    ]
    app.state.paths = frozenset(path for _, path in app.state.mounted)
    app.add_middleware(Shield, secure=site.secure)
    app.add_middleware(Segments)
    return app


def mounted(app: FastAPI) -> list[tuple[str, str]]:
    """Return (method, path) of every page and every route of the API."""
    return list(app.state.mounted)


def page_paths(app: FastAPI) -> frozenset[str]:
    """Return the paths of pages for people that can be asked for, as they are mounted."""
    return frozenset(
        path for method, path in mounted(app) if method == "GET" and not path.startswith("/api/")
    )


def _of(router: APIRouter) -> Iterator[tuple[str, str]]:
    for route in router.routes:
        for method in sorted(getattr(route, "methods", None) or ()):
            yield method, str(getattr(route, "path", ""))


def _routers(package: ModuleType) -> Iterator[APIRouter]:
    for found in sorted(pkgutil.iter_modules(package.__path__), key=lambda one: one.name):
        router = getattr(importlib.import_module(f"{package.__name__}.{found.name}"), "router", None)
        if isinstance(router, APIRouter):
            yield router
