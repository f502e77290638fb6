"""A whole configuration of qpsmtpd is taken over, and every line of it is accounted for."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.desk import domains, lists, recipients, rules
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError
from gatepost.desk.qpsmtpd import import_folder
from gatepost.desk.srv import export_tree

FILES = {
    "plugins": "# ours\ndnsbl reject naughty\nhelo policy lenient\nrcpt_regexp\nrcpt_ok\nnosuch\n"
    "$include plugins.d/local\n$include more\nqueue/smtp-forward 10.0.0.5 26\n",
    "plugins.d/local": "sender_permitted_from reject 3\n",
    "more": "tls\n",
    "rcpthosts": "example.org\nnew.example\n.sub.example\nnew two\n",
    "dnsbl_zones": "zen.example:Go away %IP%\nnot a zone!\n",
    "badmailfrom": "@spam.example\n/x/\n",
    "badrcptto": "old@new.example\n",
    "whitelisthosts": "192.0.2.\n",
    "rcpt_regexp": "/^[0-9]/ DENY no digits\n/(/ DENY\n",
    "databytes": "1000000\n",
    "odd": "what?\n",
}


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A configuration."""
    for name, text in FILES.items():
        place = tmp_path / "config" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return tmp_path / "config"


def test_taken_over(desk: Desk, top: Path) -> None:
    """Domains with the server of smtp-forward as their route, settings and lists for all, rules."""
    done = import_folder(desk, top)
    assert (["new.example"], "smtp://10.0.0.5:26") == (done.hosted, done.route)
    new = domains.own_values(desk, "new.example")
    assert (["smtp://10.0.0.5:26"], "callout") == (new["route"], new["recipients"])
    values = domains.own_values(desk, None)
    assert ("on", "on", ["zen.example"]) == (values["dnsbl.mode"], values["spf.mode"], values["dnsbl.zones"])
    assert {"spam.example", "192.0.2.0/24"} == {one.entry.text for one in lists.show(desk, None)}
    assert [("old", "invalid")] == [(row.local, row.kind) for row in recipients.listing(desk, "new.example")]
    assert ["^[0-9]"] == [counted.rule.pattern for counted in rules.listing(desk, None)]
    assert ["maildir"] == [route[:7] for route in domains.own_values(desk, "example.org")["route"]]


def test_every_line_is_accounted_for(desk: Desk, top: Path) -> None:
    """Each line that says something is told as taken over or as left; none vanishes."""
    done = import_folder(desk, top)
    told = {(line.file, line.number) for line, _ in done.report.taken + done.report.left if line.number}
    for name, text in FILES.items():
        for number, line in enumerate(text.splitlines(), 1):
            if name != "rcpt_regexp" and not line.startswith(("#", "$")):
                assert (name, number) in told, line
    left = {(line.file, line.number): why for line, why in done.report.left}
    assert "smtp.max_message_size" in left["databytes", 1]
    assert "not known" in left["odd", 1]
    assert "own name" in left["rcpthosts", 3]
    assert "'new two' is not a domain" in left["rcpthosts", 4]
    assert "smtp.tls_certificate" in left["more", 1], "an included file is known"
    assert ("rcpt_regexp", 0) in left


def test_dry_run(desk: Desk, top: Path) -> None:
    """It says the same and changes nothing."""
    before = desk.policy.version()
    dry = import_folder(desk, top, dry_run=True)
    assert before == desk.policy.version()
    real = import_folder(desk, top)
    assert (dry.report.taken, dry.report.left, dry.domains) == (
        real.report.taken,
        real.report.left,
        real.domains,
    )


def test_again_changes_nothing(desk: Desk, top: Path, tmp_path: Path) -> None:
    """A second import finds all there; and what was imported can be exported as files."""
    import_folder(desk, top)
    version = desk.policy.version()
    assert {0} == set(import_folder(desk, top).domains.values())
    assert version == desk.policy.version()
    assert [] == export_tree(desk, tmp_path / "out").problems


def test_a_route_of_ones_own(desk: Desk, top: Path) -> None:
    """`--route` goes before smtp-forward; without either a new domain is left, with the reason."""
    assert "smtp://10.0.0.9:25" == import_folder(desk, top, route="smtp://10.0.0.9:25", dry_run=True).route
    (top / "plugins").write_text("rcpt_ok\n")
    done = import_folder(desk, top)
    assert [] == done.hosted
    assert "route" in {line.text: why for line, why in done.report.left}["new.example"]


def test_no_configuration(desk: Desk, tmp_path: Path) -> None:
    """A folder without its files is refused."""
    with pytest.raises(DeskError, match="no configuration"):
        import_folder(desk, tmp_path)
