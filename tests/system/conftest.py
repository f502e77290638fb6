"""Real servers for the tests in this folder: started once per xdist worker, killed at the end.

A test that asks for `exim`, `postfix`, `rbldnsd`, `unbound`, `sink` or `swaks` needs that server. A
server that is not there makes the test fail and names the Debian package; one that is named in
GATEPOST_TEST_WITHOUT (by package: exim4, postfix, rbldnsd, unbound, swaks, opendkim, chromium,
clamav-daemon, spamd, rspamd)
leaves its tests out.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme
from playwright.sync_api import Browser

from tests.console.chromium import running
from tests.system import scanners
from tests.system.authority import SickDns
from tests.system.corpus import ENVELOPES
from tests.system.dns import Rbldnsd, Unbound
from tests.system.exim import Exim
from tests.system.gateway import Gateway
from tests.system.postfix import Postfix
from tests.system.process import open_directory, program
from tests.system.scanners import Scanner
from tests.system.sink import Sink

PACKAGES = {
    "exim": "exim4",
    "postfix": "postfix",
    "sink": "postfix",
    "rbldnsd": "rbldnsd",
    "unbound": "unbound",
    "swaks": "swaks",
    "opendkim": "opendkim",
    "sick_dns": "unbound",
    "chromium": "chromium",
    "clamd": "clamav-daemon",
    "spamd": "spamd",
    "rspamd": "rspamd",
}
"""fixture -> Debian package"""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, keep those of one file on one worker, leave out what is not wanted."""
    here = Path(__file__).parent
    without = set(os.environ.get("GATEPOST_TEST_WITHOUT", "").replace(",", " ").split())
    known = set(PACKAGES.values())
    if unknown := without - known:
        raise pytest.UsageError(f"GATEPOST_TEST_WITHOUT names {sorted(unknown)}; known are {sorted(known)}")
    out = []
    for item in items:
        if here not in item.path.parents:
            continue
        item.add_marker(pytest.mark.system)
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(f"system-{item.path.stem}"))
        if item.get_closest_marker("corpus") and not ENVELOPES.exists():
            warnings.warn(f"not run: {item.nodeid}, the real mail in {ENVELOPES} is missing", stacklevel=1)
            out.append(item)
        fixtures = getattr(item, "fixturenames", [])
        if without & {PACKAGES[name] for name in fixtures if name in PACKAGES}:
            out.append(item)
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in out]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Give a browser, to one file: while it is there, Playwright's event loop runs in this thread."""
    with running() as browser:
        yield browser


@pytest.fixture(scope="session")
def certificate() -> Iterator[tuple[Path, Path]]:
    """Give a certificate for 127.0.0.1 and `*.test`, and its key, as files."""
    issued = trustme.CA().issue_cert("127.0.0.1", "*.test", "localhost")
    with open_directory("certificate") as top:
        chain, key = top / "chain.pem", top / "key.pem"
        chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        key.write_bytes(issued.private_key_pem.bytes())
        key.chmod(0o644)  # Exim reads it as its own user; it is worth nothing
        yield chain, key


@pytest.fixture(scope="session")
def exim(certificate: tuple[Path, Path]) -> Iterator[Exim]:
    """Give a real Exim 4 that hosts example.org and second.example."""
    with open_directory("exim") as top:
        server = Exim(top, *certificate)
        yield server
        server.stop()


@pytest.fixture(scope="session")
def postfix(certificate: tuple[Path, Path]) -> Iterator[Postfix]:
    """Give a real Postfix that hosts example.org and second.example."""
    with open_directory("postfix") as top:
        server = Postfix(top, *certificate)
        yield server
        server.stop()


@pytest.fixture(scope="session")
def rbldnsd() -> Iterator[Rbldnsd]:
    """Give a real rbldnsd with the block lists bl.test, sick.test and blocked.test."""
    with open_directory("rbldnsd") as top:
        server = Rbldnsd(top)
        yield server
        server.stop()


@pytest.fixture(scope="session")
def unbound(rbldnsd: Rbldnsd) -> Iterator[Unbound]:
    """Give a real unbound in front of the block lists."""
    with open_directory("unbound") as top:
        server = Unbound(top, rbldnsd)
        yield server
        server.stop()


@pytest.fixture(scope="session")
def sick_dns() -> Iterator[SickDns]:
    """Give a real unbound in front of a server that misbehaves; each test adds names of its own."""
    with open_directory("sick") as top:
        server = SickDns(top)
        yield server
        server.stop()


@pytest.fixture
def sink() -> Iterator[Sink]:
    """Give an empty smtp-sink."""
    with open_directory("sink") as top:
        server = Sink(top)
        yield server
        server.stop()


@pytest.fixture
def mortal_clamd() -> Iterator[Scanner]:
    """Give a real clamd of one's own, that may be stopped."""
    with open_directory("clamd") as top:
        server = scanners.clamd(top)
        yield server
        server.stop()


@pytest.fixture(scope="session")
def swaks() -> str:
    """Give the path of swaks, a mail client that was not written by us."""
    return program("swaks", "swaks")


@pytest.fixture
def make_gateway() -> Iterator[Callable[..., Gateway]]:
    """Give a maker of running gateways; what it made is stopped and removed at the end."""
    made: list[Gateway] = []
    with open_directory("gateway") as top:

        def make(**settings: object) -> Gateway:
            directory = top / str(len(made))
            directory.mkdir()
            gateway = Gateway(directory, settings)
            made.append(gateway)
            gateway.start()
            return gateway

        try:
            yield make
        finally:
            for gateway in made:
                gateway.kill()


@pytest.fixture
def gateway(make_gateway: Callable[..., Gateway]) -> Gateway:
    """Give a running gateway without domains."""
    return make_gateway()
