"""Plugins are found where they may lie; one that does not load never stops the others."""

from __future__ import annotations

import os
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from gatepost.mail.verdict import Score
from gatepost.plugin import registry as registry_module
from gatepost.plugin.base import Plugin
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.registry import folder_problem, load, own_policy
from gatepost.policy.decide import Fate, decide_recipient
from gatepost.policy.policy import Mode, OnFailure
from gatepost.policy.settings import SettingError, check_setting
from tests.plugin.stage import ask

FIXTURES = Path(__file__).parent / "fixtures"
SHIPPED = {"client_rate", "deny_list", "dnsbl", "helo_name", "recipients"}

GOOD = '''"""Good."""
from gatepost.plugin import Context, Mode, Plugin, PluginSettings, Score

class Good(Plugin):
    """Does nothing much."""
    default_mode = Mode.ON

    def helo(self, ctx: Context[PluginSettings]) -> Score:
        return Score(1, "good")
'''
BAD = {
    "misspelt.py": (
        GOOD.replace("class Good", "class Misspelt").replace("def helo", "def hello"),
        "Misspelt.hello is not a hook; did you mean 'helo'?",
    ),
    "syntax.py": ("def (", "SyntaxError"),
    "imports.py": ("import no_such_module_at_all", "ModuleNotFoundError"),
    "exits.py": ("raise SystemExit(1)", "SystemExit"),
    "empty.py": ("x = 1", "there is no class made from Plugin in it"),
    "two.py": (
        GOOD + GOOD.replace("class Good", "class Better"),
        "one file is one plugin, here are Good, Better",
    ),
    "setting.py": (
        GOOD.replace("class Good", "class Setting").replace("default_mode", "defalt_mode"),
        "Setting.defalt_mode is not a setting of a plugin; did you mean 'default_mode'?",
    ),
    "init.py": (
        GOOD.replace("class Good", "class Init") + "    def __init__(self): raise OSError('no')\n",
        "OSError: no",
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder that plugins may be read from."""
    place = tmp_path / "plugins"
    place.mkdir(mode=0o755)
    return place


def put(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(text)
    path.chmod(0o644)


def test_shipped() -> None:
    """Everything that is shipped loads."""
    registry = load(entries=False)
    assert {one.name for one in registry} >= SHIPPED
    assert {} == registry.errors()
    assert [] == registry.problems


def test_folder(folder: Path) -> None:
    """A file in the folder is there, beside the shipped ones; nothing else is edited."""
    put(folder, "good.py", GOOD)
    put(folder, "_helper.py", "raise RuntimeError")
    put(folder, "test_good.py", "raise RuntimeError")
    registry = load(folder, entries=False, check_folder=False)
    assert {one.name for one in registry} >= {*SHIPPED, "good"}
    assert {} == registry.errors()
    assert not registry["good"].built_in
    assert str(folder / "good.py") == registry["good"].origin


@pytest.mark.parametrize("name", BAD)
def test_one_that_does_not_load(folder: Path, name: str) -> None:
    """It stands in the list with its error; the others run."""
    text, error = BAD[name]
    put(folder, name, text)
    put(folder, "good.py", GOOD)
    registry = load(folder, entries=False, check_folder=False)
    (said,) = registry.errors().values()
    assert error in said
    assert {one.name for one in registry} >= {*SHIPPED, "good", name.removesuffix(".py")}
    findings = ask(Bench(registry))
    assert "good" in [f.plugin for f in findings]


def test_broken_plugin_follows_on_failure(folder: Path) -> None:
    """Where a domain has it on, each mail is written down, or deferred: it does not vanish."""
    put(folder, "misspelt.py", BAD["misspelt.py"][0].replace("Mode.ON", "Mode.ON\n    on_failure = 'defer'"))
    bench = Bench(load(folder, entries=False, check_folder=False))
    policy = bench.policy()
    assert (Mode.ON, OnFailure.DEFER) == (
        policy.plugins["misspelt"].mode,
        policy.plugins["misspelt"].on_failure,
    )
    findings = ask(bench, policy)
    (failure,) = [f.failure for f in findings if f.plugin == "misspelt"]
    assert "did not load: Misspelt.hello is not a hook; did you mean 'helo'?" in failure
    assert Fate.DEFER is decide_recipient(policy, findings, None).fate
    passing = bench.policy("example.org", {"misspelt": {"on_failure": "pass"}})
    assert Fate.ACCEPT is decide_recipient(passing, ask(bench, passing), None).fate


def test_broken_plugin_keeps_its_settings(folder: Path) -> None:
    """Rows of a plugin that does not load are no errors: they are right again when it does."""
    put(folder, "syntax.py", "def (")
    defaults = load(folder, entries=False, check_folder=False).defaults()
    defaults["syntax"].validate({"whatever": 1})
    assert "off" == check_setting("syntax.mode", "off", defaults, "domain")


def test_broken_at_reload(folder: Path) -> None:
    """At HUP a plugin whose new text is broken keeps the switches of the old one, and fails."""
    put(folder, "good.py", GOOD)
    first = load(folder, entries=False, check_folder=False)
    put(folder, "good.py", "def (")
    second = load(folder, entries=False, check_folder=False, previous=first)
    assert "SyntaxError" in second.errors()["good"]
    assert Mode.ON is second["good"].plugin.default_mode
    assert not second["good"].may_be_unskippable, "its author said so when it loaded"
    again = load(folder, entries=False, check_folder=False, previous=second)
    assert not again["good"].may_be_unskippable
    never = load(folder, entries=False, check_folder=False)
    assert never["good"].may_be_unskippable
    assert load(folder, entries=False, check_folder=False, previous=never)["good"].may_be_unskippable
    assert "good" not in never.unskippable, "nobody said that it is"
    put(folder, "good.py", GOOD.replace("Score(1", "Score(2"))
    third = load(folder, entries=False, check_folder=False, previous=second)
    assert {} == third.errors()
    assert Score(2, "good") in [f.verdict for f in ask(Bench(third))]
    (folder / "good.py").unlink()
    assert "good" not in load(folder, entries=False, check_folder=False, previous=third)


def test_broken_scanner_stays_unskippable(folder: Path) -> None:
    """No allow entry leads past a check because its new text is broken."""
    put(folder, "good.py", GOOD.replace("Mode.ON", "Mode.ON\n    unskippable = True"))
    first = load(folder, entries=False, check_folder=False)
    assert "good" in first.unskippable
    put(folder, "good.py", "def (")
    second = load(folder, entries=False, check_folder=False, previous=first)
    assert "SyntaxError" in second.errors()["good"]
    assert "good" in second.unskippable


def test_style_page(folder: Path) -> None:
    """The whole plugin that the style page prints works as printed, in the place of the shipped one."""
    put(folder, "helo_name.py", (FIXTURES / "helo_name.py").read_text())
    registry = load(folder, entries=False, check_folder=False)
    assert {} == registry.errors()
    assert [
        f"{folder}/helo_name.py stands in the place of the shipped plugin 'helo_name'"
    ] == registry.problems
    bench = Bench(registry)
    for helo, reason in (
        ("mail.example.net", None),
        ("my_host.example.net", "underscore in HELO name"),
        ("localhost", "HELO name is not fully qualified"),
        ("192.0.2.1", "HELO name is a bare IP address"),
        ("pc.LAN", "HELO name is private"),
    ):
        policy = bench.policy("example.org", {"helo_name": {"mode": "on"}})
        (finding,) = [f for f in ask(bench, policy, Case(helo=helo)) if f.plugin == "helo_name"]
        assert reason == getattr(finding.verdict, "reason", None)
    lax = bench.policy("example.org", {"helo_name": {"mode": "on", "refuse_private_names": False}})
    assert all(f.verdict is None for f in ask(bench, lax, Case(helo="pc.lan")))


class FromElsewhere(Plugin):
    """Comes from another distribution."""

    def helo(self, _ctx: object) -> None:
        """No opinion."""


def test_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other distributions offer plugins by entry point; a broken one stands in the list."""
    points = EntryPoints(
        [
            EntryPoint("from-elsewhere", f"{__name__}:FromElsewhere", "gatepost.plugins"),
            EntryPoint("lost", "no_such_module:Plugin", "gatepost.plugins"),
            EntryPoint("odd", "json:loads", "gatepost.plugins"),
            EntryPoint("recipients", f"{__name__}:FromElsewhere", "gatepost.plugins"),
        ]
    )
    monkeypatch.setattr(registry_module, "entry_points", lambda group: points.select(group=group))
    registry = load()
    assert "entry point from-elsewhere" == registry["from_elsewhere"].origin
    assert {"lost", "odd"} == set(registry.errors())
    assert "json:loads is no Plugin" == registry.errors()["odd"]
    assert any("there is a plugin 'from_elsewhere' already" in one for one in registry.problems)
    assert registry["recipients"].built_in


def test_folder_that_others_can_write(folder: Path) -> None:
    """Who can write there can run code here, so such a folder is not read, and it is said why."""
    put(folder, "good.py", GOOD)
    (folder / "good.py").chmod(0o666)
    put(folder, "recipients.py", GOOD)
    registry = load(folder, entries=False)
    (problem,) = registry.problems
    assert "good.py: anyone can write it" in problem
    assert {"good": problem} == registry.errors(), "it does not vanish, and takes no shipped one's place"
    assert registry["good"].may_be_unskippable
    (folder / "good.py").chmod(0o644)
    before = load(folder, entries=False)
    (folder / "good.py").chmod(0o666)
    after = load(folder, entries=False, previous=before)["good"]
    assert (before["good"].plugin.default_mode, problem) == (after.plugin.default_mode, after.error)
    assert "" == folder_problem(folder / "nowhere")
    assert "not a folder" in folder_problem(folder / "good.py")


def test_folder_that_the_service_can_write(folder: Path) -> None:
    """A service that can write its own plugins keeps whoever breaks into it."""
    put(folder, "good.py", GOOD)
    assert "the service itself can write it" in as_owner(folder)
    folder.chmod(0o555)
    (folder / "good.py").chmod(0o444)
    assert "" == as_owner(folder)


def as_owner(folder: Path) -> str:
    """Return what a service says that is not root and owns the folder."""
    if os.geteuid() != 0:
        return folder_problem(folder)
    for path in folder.parents:  # as many as pytest makes: one more where tests run beside each other
        if path.stat().st_mode & 0o005 != 0o005:
            path.chmod(0o755)
    for path in (folder, *folder.iterdir()):
        os.chown(path, 65534, 65534)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setuid(65534)
            os.write(write, folder_problem(folder).encode())
        except Exception as error:
            os.write(write, repr(error).encode())
        finally:
            os._exit(0)  # whatever happens: a child that went on would be a second pytest
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read) as said:
        return said.read()


def test_lookup() -> None:
    """A name that is not there is answered with the one that was meant."""
    registry = load(entries=False)
    with pytest.raises(KeyError, match="no plugin 'dnsbll'; did you mean 'dnsbl'"):
        registry["dnsbll"]
    assert registry.get("dnsbll") is None
    assert "dnsbl" in registry
    assert frozenset({"recipients", "clamav", "training"}) == registry.unskippable
    assert ["client_rate"] == [one.name for one in registry.gateway()]


def test_misspelt_setting() -> None:
    """`dnsbl.zone` is answered with `zones`, and a wrong value with what is wrong."""
    defaults = load(entries=False).defaults()
    with pytest.raises(SettingError, match="zones"):
        check_setting("dnsbl.zone", ["bl.test"], defaults, "domain")
    bench = Bench(load(entries=False))
    with pytest.raises(ValueError, match=r"dnsbl\.zone: dnsbl has no setting 'zone'; did you mean 'zones'\?"):
        bench.policy("example.org", {"dnsbl": {"zone": ["bl.test"]}})
    with pytest.raises(ValueError, match=r"dnsbl\.threshold: Input should be greater than 0, not -1"):
        bench.policy("example.org", {"dnsbl": {"threshold": -1}})


def test_own_policy() -> None:
    """A plugin where nobody set anything is as its author made it."""
    loaded = load(entries=False)["client_rate"]
    policy = own_policy(loaded)
    assert Mode.ON is policy.mode
    assert loaded.plugin.settings() == policy.settings
