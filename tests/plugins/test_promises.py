"""Every plugin keeps the same promises: documented, valid by default, and harmless when it fails.

A new plugin is in here without a line being added: the list is what the registry finds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from gatepost.dns.zone import Zone
from gatepost.mail.address import parse_address
from gatepost.mail.message import Message
from gatepost.mail.transaction import Recipient
from gatepost.mail.verdict import Defer, Reject, Score
from gatepost.plugin.base import Plugin, Scope
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.faces import own_settings, page, sentence, why
from gatepost.plugin.hooks import faults, hooks_of
from gatepost.plugin.registry import Loaded, Registry, load
from gatepost.plugin.tools import Tools
from gatepost.policy.decide import Fate, Finding, Outcome, decide_message
from gatepost.policy.lists import Entry, Lists
from gatepost.policy.policy import Action, DomainPolicy, Mode
from gatepost.store.memory import MemoryState

pytestmark = [
    pytest.mark.filterwarnings("error::RuntimeWarning"),  # a coroutine that nobody awaits is a fault, too
    pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning"),
]
REGISTRY = load(entries=False)
EVERY = pytest.mark.parametrize("loaded", list(REGISTRY), ids=lambda one: one.name)

BUSY: dict[str, dict[str, Any]] = {
    "dnsbl": {"zones": ["bl.test"]},
    "client_rate": {"connections": 1, "messages": 1, "recipients": 1, "unknown_recipients": 1},
    "deny_list": {"header_from": True},
    "filter_command": {"filter": "bogofilter"},
    "localpart_rules": {"rules": [{"pattern": "a", "then": "pass"}]},
    "bounce_storm": {"close": "all"},
    "bounce": {"batv": True, "batv_keys": ["0:secret"], "batv_addresses": ["*"]},
}
"""Settings under which a plugin has work for all its hooks and uses its tools."""
LISTS = Lists([Entry(1, "deny", "ip", "198.51.100.1")])
ORDINARY = """\
example.net MX 10 mail.example.net
example.net TXT v=spf1 mx -all
mail.example.net A 192.0.2.1
1.2.0.192.in-addr.arpa PTR mail.example.net
"""
"""What stands in DNS of an ordinary sender, `bench.Case`."""
MESSAGE = Message(b"From: Eve <eve@example.net>\r\n\r\n")


class Tool:
    """A tool whose every method does the same bad thing."""

    def __init__(self, behave: Callable[..., Any]) -> None:
        self._behave = behave

    def __getattr__(self, _name: str) -> Callable[..., Any]:
        return self._behave

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._behave(*args, **kwargs)

    def peek(self, _name: str, _kind: str) -> None:
        """A resolver without a cache; this one nobody awaits."""


class Opened:
    """What `ctx.stream` gives: the bad thing is done when it is entered, as where a connection is made."""

    def __init__(self, behave: Callable[..., Any]) -> None:
        self._behave = behave

    async def __aenter__(self) -> Any:
        return await self._behave()

    async def __aexit__(self, *_: object) -> None:
        pass


def raises(*_: Any, **__: Any) -> Any:
    raise OSError("the tool is broken")


async def raises_later(*_: Any, **__: Any) -> Any:
    await asyncio.sleep(0)
    raise OSError("the tool is broken")


async def waits(*_: Any, **__: Any) -> Any:
    await asyncio.Event().wait()


async def nonsense(*_: Any, **__: Any) -> Any:
    return object()


async def nothing(*_: Any, **__: Any) -> Any:
    return None


TOOLS = {f.__name__: f for f in (raises, raises_later, waits, nonsense, nothing)}


def bad_tools(behave: Callable[..., Any]) -> Tools:
    tool = Tool(behave)
    return Tools(
        state=tool,
        records=tool,
        dns=tool,
        verify_recipient=tool,
        stream=lambda _address: Opened(behave),
        http=tool,
        in_worker=tool,
        commands=tool,
    )


@EVERY
def test_documented(loaded: Loaded) -> None:
    """It says what it does in a sentence and why it works in more than one."""
    assert [] == faults(type(loaded.plugin))
    assert sentence(loaded.plugin).endswith(".")
    assert why(loaded.plugin).count(".") >= 2
    assert loaded.plugin.public != Plugin.public
    assert f"## {loaded.name}\n" in page(loaded)


@EVERY
def test_each_setting_documented(loaded: Loaded) -> None:
    """Under each setting stands a sentence."""
    for face in own_settings(loaded.plugin):
        assert face.sentence[:1].isupper(), face.key
        assert face.sentence.endswith("."), face.key


@EVERY
def test_defaults_are_valid(loaded: Loaded) -> None:
    """The settings are right when nobody sets any, and as JSON and back they are the same."""
    model = loaded.plugin.settings
    assert model() == model.model_validate({})
    assert model() == model.model_validate(model().model_dump(mode="json"))
    busy = model.model_validate(BUSY.get(loaded.name, {}))
    assert busy == model.model_validate(busy.model_dump(mode="json"))


@EVERY
def test_settings_are_frozen(loaded: Loaded) -> None:
    """Settings are values; nobody changes those of a snapshot."""
    with pytest.raises(ValueError, match=r"frozen|no field"):
        loaded.plugin.settings().anything = 1  # type: ignore[attr-defined]


@EVERY
def test_name_is_the_file(loaded: Loaded) -> None:
    """One file, one plugin, one name."""
    assert f"gatepost.plugins.{loaded.name}" == type(loaded.plugin).__module__


def put_through(loaded: Loaded, tools: Tools, on_failure: str) -> tuple[list[Finding], list[Outcome]]:
    """Put a mail through all hooks of one plugin with everything switched on."""
    bench = Bench(Registry([(loaded.name, type(loaded.plugin)(), "built-in", "")]), tools)
    policy = bench.policy(
        "example.org",
        {loaded.name: {"mode": "on", "on_failure": on_failure, **BUSY.get(loaded.name, {})}},
        "callout",
        LISTS,
    )
    return asyncio.run(_all_hooks(bench, policy))


async def _all_hooks(bench: Bench, policy: DomainPolicy) -> tuple[list[Finding], list[Outcome]]:
    pipeline = bench.pipeline
    pipeline.configure_gateway(policy)
    case = Case(row=None)
    session, transaction = case.session(), case.transaction()
    session.forget_host()  # who wants to know it must ask
    address = parse_address(case.recipient)
    recipient = Recipient(address, address, policy=policy)
    transaction.recipients.append(recipient)
    findings: list[Finding] = []
    said = [
        pipeline.gateway_connect(session),
        pipeline.gateway_mail(session, transaction),
        pipeline.gateway_rcpt(session, transaction, recipient),
    ]
    (gateway,) = (one.name for one in bench.registry)
    findings += [Finding(gateway, "rcpt", v, Mode.ON, Action.REJECT) for v in said if v is not None]
    if pipeline.rewrites(policy):
        answer = pipeline.run_address(session, transaction, recipient, policy)
        findings += answer if isinstance(answer, list) else await answer
    answer = pipeline.run_recipient(session, transaction, recipient, policy)
    findings += answer if isinstance(answer, list) else await answer
    if pipeline.reads_message(policy):
        findings += (await pipeline.run_message(session, transaction, [recipient], MESSAGE))[0]
    done = pipeline.run_done(session, transaction, recipient, Outcome(Fate.REJECT, enhanced="5.1.1"))
    if done is not None:
        await done
    return findings, [decide_message(policy, [f], None) for f in findings]


@pytest.mark.parametrize("behave", TOOLS.values(), ids=TOOLS)
@EVERY
def test_bad_tool_is_never_a_refusal(
    loaded: Loaded, behave: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tool that raises, waits for ever or talks nonsense: the mail goes on or waits, it gets no 5xx."""
    monkeypatch.setattr(type(loaded.plugin), "timeout", 0.05)
    for on_failure, fates in (("pass", {Fate.ACCEPT}), ("defer", {Fate.ACCEPT, Fate.DEFER})):
        findings, outcomes = put_through(loaded, bad_tools(behave), on_failure)
        for finding, outcome in zip(findings, outcomes, strict=True):
            if finding.failure:
                assert outcome.fate in fates, finding
            assert outcome.code < 500, finding
            assert outcome.fate is not Fate.REJECT, finding


@EVERY
def test_missing_tool_is_a_failure(loaded: Loaded) -> None:
    """Without tools (as in `plugin try`) a check that needs one says so."""
    findings, outcomes = put_through(loaded, Tools(), "pass")
    assert all(o.code < 500 for o in outcomes)
    assert all("is not available here" in f.failure for f in findings if f.failure)


@EVERY
def test_nothing_against_an_ordinary_mail(loaded: Loaded) -> None:
    """Switched on at its defaults a check holds nothing against an ordinary mail, and does not fail."""
    bench = Bench(REGISTRY, Tools(dns=Zone(ORDINARY), state=MemoryState()))
    policy = bench.policy("example.org", {loaded.name: {"mode": "on"}})
    findings = asyncio.run(bench.ask(policy, Case(host="mail.example.net")))
    assert [] == [f for f in findings if f.failure or isinstance(f.verdict, Reject | Defer)]
    assert all(f.verdict.points <= 0 for f in findings if isinstance(f.verdict, Score))


@EVERY
def test_scope_fits(loaded: Loaded) -> None:
    """Who acts for the machine has no hook that belongs to a domain; who holds for a session no rcpt."""
    hooks = set(hooks_of(loaded.plugin))
    if loaded.plugin.scope is Scope.SESSION:
        assert not hooks & {"rcpt", "address"}
    if loaded.plugin.scope is Scope.GATEWAY:
        assert hooks <= {"connect", "helo", "mail", "rcpt", "done"}
