"""`gatepost srv`: import and export."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]


def test_there_and_back(hosted: Run, tmp_path: Path) -> None:
    """An import says what came and what did not; an export what was written."""
    for file in ("_global_/blacklisted/tld/ru", "new.example/users/valid/ann", "example.org/checks/nosuch"):
        (tmp_path / "srv" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "srv" / file).touch()
    for words in (["no"], ["srv", "--blacklist-d", "no"]):
        where = [str(tmp_path / word) if word != "--blacklist-d" else word for word in words]
        assert "no: there is no such folder" in hosted("srv", "import", *where, status=1).stderr
    given = ("srv", "import", str(tmp_path / "srv"), "--route", "smtp://127.0.0.1:26")
    assert "would be new" in hosted(*given, "--dry-run").stdout
    said = json.loads(hosted(*given, "--dry-run", "--json").stdout)
    assert (["new.example"], 1) == (said["hosted"], said["domains"]["*"])
    said = hosted(*given).stdout
    assert "all domains: 1 new or different" in said
    assert "a new domain" in said
    assert "not taken over: example.org/checks/nosuch: there is no such check here" in said

    assert "example.org: " in hosted("srv", "export", str(tmp_path / "out")).stdout
    assert (tmp_path / "out/_global_/blacklisted/tld/ru").exists()
    assert (tmp_path / "out/example.org/checks/nosuch").exists()
    assert "not empty" in hosted("srv", "export", str(tmp_path / "out"), status=1).stderr
    assert "new.example: " in hosted("srv", "export", str(tmp_path / "one"), "new.example").stdout
    assert ["new.example"] == [place.name for place in (tmp_path / "one").iterdir()]
