"""File, environment and command line become one Config, or one list of everything that is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

from gatepost.config import ConfigError, find, load
from gatepost.config.loading import SEARCH, env_name, machine_name
from tests.cost import quickest


def problems(path: Path | None, env: dict[str, str] | None = None, **overrides: str) -> list[str]:
    """What is wrong, one line each; the file's name is left out."""
    given = {name.replace("__", "."): value for name, value in overrides.items()}
    with pytest.raises(ConfigError) as caught:
        load(path, env or {}, overrides=given, search=())
    return [str(problem).replace(f"{path}: ", "") for problem in caught.value.problems]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "gatepost.toml"


def test_the_later_wins(file: Path) -> None:
    """Default, file, environment, command line."""
    file.write_text('hostname = "mx.example.org"\n[smtp]\nworkers = 1\nmax_recipients = 500\ntimeout = 60\n')
    env = {"GATEPOST_SMTP__WORKERS": "2", "GATEPOST_SMTP__TIMEOUT": "2m"}
    config = load(file, env, overrides={"smtp.timeout": "7"})
    assert config.hostname == "mx.example.org"
    assert (config.smtp.max_recipients, config.smtp.workers, config.smtp.timeout) == (500, 2, 7.0)
    assert config.smtp.max_connections == 20_000


def test_every_fault_comes_at_once_with_its_place(file: Path) -> None:
    """File, key, reason, suggestion; nothing is left for the second try."""
    file.write_text(
        """
        hostnam = "x"
        max_message_size = "50MiB"
        store = "postgresql://x"
        [smtp]
        lisen = []
        workers = "many"
        bare_newline = "normalise"
        trusted_relays = ["10.0.0.1/8"]
        [stmp]
        x = 1
        [smtp.outgoing]
        networks = {"example.org" = "10.0.0.0/8"}
        """
    )
    env = {"GATEPOST_SMTP__TIMOUT": "5", "GATEPOST_DNS__TIMEOUT": "soon"}
    assert problems(file, env, log__level="loud") == [
        "hostnam: unknown key; did you mean hostname?",
        "max_message_size: unknown key; did you mean smtp.max_message_size?",
        "store: is a section: write [store] on a line of its own",
        "smtp.lisen: unknown key; did you mean smtp.listen?",
        'smtp.workers: "many" is not a whole number',
        'smtp.bare_newline: "normalise" is not one of normalize, reject; did you mean normalize?',
        'smtp.trusted_relays: "10.0.0.1/8" is not a network '
        "(bits are set behind the prefix; the network would be 10.0.0.0/8)",
        'smtp.outgoing.networks: "10.0.0.0/8" is not a list',
        "stmp: unknown section; did you mean smtp?",
        'GATEPOST_DNS__TIMEOUT: dns.timeout: "soon" is not a time in seconds, nor one like "5m"',
        "GATEPOST_SMTP__TIMOUT: smtp.timout: unknown key; did you mean GATEPOST_SMTP__TIMEOUT?",
        'command line: log.level: "loud" is not one of debug, info, warning, error',
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"x = ", "does not parse: "),
        (b'a = "x\n', "does not parse: Illegal character '\\n' (at line 1"),
        (b"\n\nx = '\xff'", "is not UTF-8 (line 3)"),
        (b"a = " + b"[" * 5000 + b"]" * 5000, "does not parse"),
        (b"#" * (1 << 20) + b"\n", "larger than 1 MiB"),
    ],
)
def test_a_file_that_does_not_parse(file: Path, content: bytes, reason: str) -> None:
    """Whatever it is: one line with the file's name."""
    file.write_bytes(content)
    (problem,) = problems(file)
    assert reason in problem


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    """By --config or by the environment; a folder is no file."""
    missing = str(tmp_path / "none.toml")
    for path, env in ((missing, {}), (None, {"GATEPOST_CONFIG": missing})):
        with pytest.raises(ConfigError, match=r"none\.toml: cannot be read: No such file"):
            load(path, env)
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path, {})


def test_where_it_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--config, $GATEPOST_CONFIG, ./gatepost.toml, /etc/gatepost/gatepost.toml; none is no fault."""
    monkeypatch.chdir(tmp_path)
    assert SEARCH == ("gatepost.toml", "/etc/gatepost/gatepost.toml")
    etc, here, named, given = (tmp_path / name for name in ("etc.toml", "gatepost.toml", "named", "given"))
    search = ("gatepost.toml", str(etc))
    env: dict[str, str] = {}
    assert find(None, env, search=search) is None
    load(None, env, search=search)
    etc.write_text("")
    assert find(None, env, search=search) == etc
    here.write_text("")
    assert find(None, env, search=search) == Path("gatepost.toml")
    env["GATEPOST_CONFIG"] = str(named)
    assert find(None, env, search=search) == named
    assert find(given, env, search=search) == given


def test_paths_are_seen_from_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a file from its folder, in the environment from here; a service has no working directory."""
    (tmp_path / "etc").mkdir()
    file = tmp_path / "etc" / "gatepost.toml"
    file.write_text('data_dir = "var"\n[smtp]\ntls_certificate = "/abs/cert.pem"\ntls_key = ""\n')
    config = load(file, {})
    assert config.data_dir == tmp_path / "etc" / "var"
    assert config.smtp.tls_certificate == Path("/abs/cert.pem")
    assert config.smtp.tls_key is None
    monkeypatch.chdir(tmp_path)
    assert load(file, {"GATEPOST_DATA_DIR": "./var"}).data_dir == tmp_path / "var"
    assert load(Path("etc/gatepost.toml"), {}).data_dir == tmp_path / "etc" / "var"


def test_every_key_has_a_variable() -> None:
    """GATEPOST_SECTION__KEY; upper or lower case."""
    assert env_name("smtp.listen") == "GATEPOST_SMTP__LISTEN"
    env = {
        "GATEPOST_SMTP__LISTEN": "127.0.0.1:2525,[::1]:2525",
        "gatepost_scanner__clamav__address": "unix:/x",
        "GATEPOST_SMTP__OUTGOING__NETWORKS": '{"example.org": ["10.0.0.5/32"]}',
        "GATEPOST_HOSTNAME": "mx.example.org",
    }
    config = load(None, env, search=())
    assert config.smtp.listen == ("127.0.0.1:2525", "[::1]:2525")
    assert config.scanner.clamav.address == "unix:/x"
    assert [*config.smtp.outgoing.networks] == ["example.org"]
    assert config.hostname == "mx.example.org"


def test_variables_of_others_are_left_alone() -> None:
    """The tests' own, the file's name, names that are near to nothing; a near miss is a fault."""
    load(
        None,
        {
            "GATEPOST_TEST_WITHOUT": "exim",
            "GATEPOST_BENCH_ROUNDS": "3",
            "GATEPOST_IMAGE_TAG": "7",
            "PATH": "/",
        },
        search=(),
    )
    assert problems(None, {"GATEPOST_LISTEN": "x"}) == [
        "GATEPOST_LISTEN: listen: unknown key; did you mean GATEPOST_SMTP__LISTEN?"
    ]
    assert problems(None, {"GATEPOST_NOWHERE__NEAR": "x"}) == [
        "GATEPOST_NOWHERE__NEAR: nowhere.near: unknown key"
    ]


def test_what_is_wrong_only_together(file: Path) -> None:
    """A key without a certificate, mail for nowhere, one address for two doors."""
    file.write_text(
        """
        [smtp]
        listen = ["127.0.0.1:9025"]
        tls_key = "/x"
        [smtp.outgoing]
        listen = ["127.0.0.1:587"]
        [console]
        listen = "127.0.0.1:587"
        """
    )
    assert problems(file) == [
        "smtp.tls_key: there is a key but no smtp.tls_certificate",
        "smtp.outgoing.listen: needs smtp.outgoing.next_hop: where shall the mail go?",
        "console.listen: 127.0.0.1:587 is taken by smtp.outgoing.listen",
        "metrics.listen: 127.0.0.1:9025 is taken by smtp.listen",
    ]
    file.write_text('[smtp]\nlisten = ["127.0.0.1:0"]\n[metrics]\nlisten = "127.0.0.1:0"\n')
    load(file, {})


def test_the_machines_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full name as it is; a short one as /etc/hosts has it in full; no DNS is asked."""

    class Uname:
        nodename = "MX"

    monkeypatch.setattr("os.uname", Uname)
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n127.0.1.1  mx.example.org mx # mx.nowhere\n")
    assert machine_name(str(hosts)) == "mx.example.org"
    hosts.write_text("127.0.1.1 mx\n10.0.0.1 other.example.org\n")
    assert machine_name(str(hosts)) == "mx"
    assert machine_name(str(tmp_path / "none")) == "mx"
    Uname.nodename = "a.example"
    assert machine_name() == "a.example"
    assert load(None, {}, search=()).hostname == "a.example"


def test_it_is_quick(file: Path) -> None:
    """Every command reads the configuration: importing and reading takes little over a start of Python."""
    file.write_text("[smtp]\nworkers = 1\n")

    def say(code: str) -> bytes:
        src = Path(__file__).parents[2] / "src"
        return subprocess.run([sys.executable, "-c", code], check=True, cwd=src, capture_output=True).stdout

    # CPU in its own words: behind what Python itself needs to begin.
    load = f"from gatepost.config import load; load({str(file)!r}, {{}})"
    spent = f"from time import process_time; began = process_time(); {load}; print(process_time() - began)"
    assert quickest(0.3, lambda: float(say(spent)), float) < 0.3
    assert (
        say(f"import sys; {load}; print([m for m in ('pydantic', 'ssl', 'asyncio') if m in sys.modules])")
        == b"[]\n"
    )
