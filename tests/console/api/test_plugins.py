"""`/plugins`: a check's switch and settings, whole or in part."""

from typing import Any

from tests.console.api.program import Program

PATH = "/domains/ann.example/plugins/dnsbl"


def own(told: dict[str, Any]) -> dict[str, Any]:
    """Return what is set for the domain itself."""
    return {one["key"]: one["value"] for one in told["items"] if one["origin"] == "domain"}


def test_put_and_patch(ann: Program) -> None:
    """PUT makes these the domain's only values, PATCH changes some."""
    zone = {"zone": "zen.example", "codes": [], "mask": "", "weight": 1.0}
    first = {"dnsbl.mode": "on", "dnsbl.zones": [zone]}
    assert first == own(ann.put(PATH, {"mode": "on", "zones": ["zen.example"]}))
    assert first | {"dnsbl.mode": "watch"} == own(ann.patch(PATH, {"mode": "watch"}))
    assert {"dnsbl.mode": "off"} == own(ann.put(PATH, {"mode": "off"}))
    assert {} == own(ann.patch(PATH, {"mode": None}))
    assert "zones" in ann.patch(PATH, {"zones": 7}, 422)["detail"]
    ann.get("/domains/ann.example/plugins/none", 404)


def test_list(ann: Program, root: Program) -> None:
    """Each with its switch; those for all domains are the administrator's."""
    ann.patch(PATH, {"mode": "on", "zones": ["zen.example"]})
    listed = {one["name"]: one for one in ann.get("/domains/ann.example/plugins")["items"]}
    assert ("on", "domain", 0) == (
        listed["dnsbl"]["mode"], listed["dnsbl"]["origin"], listed["dnsbl"]["did"]["refused"],
    )  # fmt: skip
    assert "on" == own_mode(root.put("/plugins/helo_name", {"mode": "on"}))
    assert "on" == own_mode(root.get("/plugins/helo_name"))
    assert "helo_name" in {one["name"] for one in root.get("/plugins")["items"]}
    ann.get("/plugins", 404)


def own_mode(told: dict[str, Any]) -> Any:
    """Return the switch."""
    return next(one["value"] for one in told["items"] if one["key"].endswith(".mode"))
