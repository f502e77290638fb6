"""`/settings`: read with an ETag, changed with If-Match; who was faster is named."""

from typing import Any

from tests.console.api.program import Program

PATH = "/domains/ann.example/settings"


def value(told: dict[str, Any], key: str) -> tuple[Any, str]:
    """Return a setting and where it comes from."""
    (one,) = [one for one in told["items"] if one["key"] == key]
    return one["value"], one["origin"]


def test_change(ann: Program, rob: Program) -> None:
    """Set, seen, unset; a reader only looks."""
    assert (7, "domain") == value(ann.patch(PATH, {"keep_days": 7}), "keep_days")
    assert (7, "domain") == value(rob.get(PATH), "keep_days")
    assert (30, "default") == value(ann.patch(PATH, {"keep_days": None, "helo_name.mode": "on"}), "keep_days")
    rob.patch(PATH, {"keep_days": 8}, 404)
    fault = ann.patch(PATH, {"keep_days": "x", "helo_name.mode": None}, 422)
    assert (422, "keep_days") == (fault["status"], fault["detail"].partition(":")[0])
    assert ("on", "domain") == value(ann.get(PATH), "helo_name.mode")


def test_if_match(ann: Program, root: Program) -> None:
    """412 says who changed it; what changed elsewhere does not matter; * is any."""
    tag = ann.ask("GET", PATH).headers["etag"]
    root.patch("/domains/eve.example/settings", {"keep_days": 3})
    ann.patch(PATH, {"keep_days": 7}, if_match=tag)
    late = root.patch(PATH, {"keep_days": 9}, 412, if_match=tag)
    assert "changed meanwhile by ann" in late["detail"]
    assert (7, "domain") == value(ann.get(PATH), "keep_days")
    root.patch(PATH, {"keep_days": 9}, if_match="*")
    root.patch(PATH, {"keep_days": 10}, 412, if_match='"what"')
    both = {"keep_days": None, "refuse_at": "data"}
    new = ann.ask("GET", PATH).headers["etag"]
    assert ("data", "domain") == value(ann.patch(PATH, both, if_match=new), "refuse_at")


def test_all_domains(root: Program, ann: Program) -> None:
    """Administrators set what holds everywhere."""
    root.patch("/settings", {"keep_days": 5})
    assert (5, "all") == value(ann.get(PATH), "keep_days")
    ann.get("/settings", 404)
    ann.patch("/settings", {"keep_days": 5}, 404)
