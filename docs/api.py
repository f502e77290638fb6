"""The page of the API, from its own document: each route with its sentence, what it takes and gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gatepost.console.app import API, make_app
from gatepost.console.site import Site
from gatepost.desk.desk import Desk

FIRST = f"""Everything that the pages can do, for programs, below `{API}`.

The document is OpenAPI 3.1 at `/api/openapi.json`.
Send `Authorization: Bearer TOKEN` (`gatepost token add USER WHAT-FOR`), or the session's cookie with
the form's secret in `X-CSRF-Token`. A token opens no more than its person may at that moment. What is
not yours is answered as what does not exist: 404, no difference to see. Errors are
`application/problem+json` (RFC 9457). Lists are `{{"items": [...], "next": ...}}`: ask again with `after`
set to `next` until it is null. Times are ISO 8601 in UTC. Settings come with an `ETag`; a change with
`If-Match` is refused with 412, naming who was faster."""


def _nobody(_by: str, _admin: bool) -> Desk:
    return Desk(Path("nowhere"), "nobody")


def document() -> dict[str, Any]:
    """Return the API's own document."""
    site = Site(_nobody, None, "mx.example.org")  # type: ignore[arg-type]
    return make_app(site).openapi()


def sections() -> Iterator[str]:
    """Yield a section for each group of routes."""
    told = document()
    groups: dict[str, list[str]] = {}
    models = told["components"]["schemas"]
    for path, deeds in told["paths"].items():
        if not path.startswith(API):
            continue
        for method, deed in deeds.items():
            asked = ", ".join(
                f"`{one['name']}`" for one in deed.get("parameters", ()) if one["in"] in ("query", "header")
            )
            body = _schema(deed.get("requestBody", {}).get("content", {}))
            good = next(code for code in deed["responses"] if code.startswith("2"))
            gives = _schema(deed["responses"][good].get("content", {}))
            line = f"| `{method.upper()} {path.removeprefix(API)}` | {deed['description']} | "
            line += f"{', '.join(part for part in (asked, body) if part)} | {good} {gives} |"
            groups.setdefault(deed["tags"][0], []).append(line)
    for name, lines in groups.items():
        head = "| route | what it does | takes | gives |\n|---|---|---|---|\n"
        yield f"## {name.capitalize()}\n\n{head}" + "\n".join(lines) + "\n"
    yield "## What is sent and told\n\n" + "\n".join(
        _model(name, model) for name, model in sorted(models.items()) if not name.startswith("Page_")
    )


def _schema(content: dict[str, Any]) -> str:
    for kind, one in content.items():
        return _name(one.get("schema", {})) if kind == "application/json" else f"`{kind}`"
    return ""


def _name(schema: dict[str, Any]) -> str:
    if "$ref" not in schema:
        return str(schema.get("type", ""))
    name = schema["$ref"].rpartition("/")[2]
    return f"page of {name[5:-1]}" if name.startswith("Page_") else name


def _model(name: str, model: dict[str, Any]) -> str:
    fields = []
    for field, schema in model.get("properties", {}).items():
        said = " ".join(str(schema.get("description", "")).split())
        fields.append(f"`{field}`{f': {said}' if said else ''}")
    about = " ".join(str(model.get("description", "")).split())
    return f"* **{name}**: {about} " + "; ".join(fields)
