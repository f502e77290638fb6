"""From rows to a policy: defaults, all domains, domain, mailbox; what cannot be is left out and told."""

from gatepost.policy.lists import Entry
from gatepost.policy.policy import Action, Mode, OnFailure
from gatepost.policy.resolve import EVERYWHERE, Fault, Resolver, resolve, values_of
from gatepost.policy.source import DomainRows, Everywhere
from tests.policy.dnsbl import DEFAULTS

ROUTE = {"route": ["smtp://a:25"]}


def test_defaults() -> None:
    """A domain with a route alone has what CONTRACT 5 promises."""
    policy = resolve(DomainRows("example.org", ROUTE), Everywhere(), DEFAULTS, 7)
    assert (policy.domain, policy.version, policy.routes) == ("example.org", 7, ("smtp://a:25",))
    assert (policy.recipients, policy.refuse_at, policy.refuse_unknown_at) == ("list", "data", "rcpt")
    assert (policy.tag_at, policy.quarantine_at, policy.reject_at) == (5.0, None, 15.0)
    assert (policy.on_backend_down, policy.mixed, policy.keep_days) == ("defer", "hold", 30)
    assert (policy.bypass, policy.subjects, policy.preset) == (False, True, "usual")
    dnsbl = policy.plugins["dnsbl"]
    assert (dnsbl.mode, dnsbl.action, dnsbl.on_failure) == (Mode.ON, Action.REJECT, OnFailure.PASS)
    assert dnsbl.settings.zones == []
    assert policy.origin["route"] == "domain"
    assert policy.origin["keep_days"] == "default"


def test_the_nearer_level_wins() -> None:
    """Mailbox over domain over all domains over defaults, and each value says where it comes from."""
    everywhere = Everywhere({"dnsbl.zones": ["all.example"], "dnsbl.mode": "watch", "refuse_at": "rcpt"})
    rows = DomainRows(
        "example.org",
        {**ROUTE, "dnsbl.mode": "on", "dnsbl.weight": 3},
        mailboxes={"ann": {"dnsbl.mode": "off", "refuse_at": "data"}},
    )
    policy = resolve(rows, everywhere, DEFAULTS)
    dnsbl = policy.plugins["dnsbl"]
    assert (dnsbl.mode, dnsbl.settings.zones, dnsbl.settings.weight) == (Mode.ON, ["all.example"], 3.0)
    assert dnsbl.origin == {
        "mode": "domain",
        "action": "default",
        "on_failure": "default",
        "zones": "all",
        "weight": "domain",
    }
    ann = policy.for_mailbox("ann")
    assert (ann.plugins["dnsbl"].mode, ann.refuse_at) == (Mode.OFF, "data")
    assert ann.plugins["dnsbl"].settings.weight == 3.0
    assert ann.plugins["dnsbl"].origin["mode"] == "mailbox"
    assert policy.refuse_at == "rcpt"


def test_presets() -> None:
    """A preset is the default of modes and points; what is set by hand at any level goes before it."""
    everywhere = Everywhere({"preset": "careful"})
    policy = resolve(DomainRows("example.org", ROUTE), everywhere, DEFAULTS)
    assert policy.plugins["dnsbl"].mode is Mode.WATCH
    assert policy.reject_at is None
    policy = resolve(
        DomainRows("example.org", {"dnsbl.mode": "on", "score.reject_at": 9}), everywhere, DEFAULTS
    )
    assert policy.plugins["dnsbl"].mode is Mode.ON
    assert policy.reject_at == 9.0
    strict = resolve(DomainRows("example.org", {"preset": "strict"}), everywhere, DEFAULTS)
    assert (strict.preset, strict.tag_at) == ("strict", 4.0)


def test_wrong_values_are_left_out_and_told() -> None:
    """A bad row does not close a domain: the next level's value holds, and a fault names the row."""
    faults: list[Fault] = []
    everywhere = Everywhere({"keep_days": 9, "dnsbl.zones": ["good.example"]})
    rows = DomainRows(
        "example.org",
        {**ROUTE, "keep_days": -5, "dnsbl.zones": 5, "dnsbl.weight": 2, "gone.mode": "on"},
        mailboxes={"ann": {"refuse_at": "never"}},
    )
    policy = resolve(rows, everywhere, DEFAULTS, 1, faults)
    assert policy.keep_days == 9
    assert policy.plugins["dnsbl"].settings.zones == ["good.example"]
    assert policy.plugins["dnsbl"].settings.weight == 2.0, "only the wrong field of a check is left out"
    assert {"keep_days", "dnsbl.zones", "gone.mode", "refuse_at"} == {f.key for f in faults}
    assert {f.scope for f in faults} >= {"domain:example.org", "mailbox:ann@example.org"}
    assert {f.domain for f in faults} == {"example.org"}
    assert "domain:example.org: keep_days" in "\n".join(map(str, faults))


def test_lists_are_parted_by_check() -> None:
    """General entries and those of one check; a mailbox has its own in front of its domain's."""
    rows = DomainRows(
        "example.org",
        ROUTE,
        entries=(
            Entry(1, "allow", "ip", "192.0.2.1"),
            Entry(2, "allow", "ip", "192.0.2.2", plugin="dnsbl"),
        ),
        mailbox_entries={"ann": (Entry(3, "deny", "ip", "192.0.2.1", level="mailbox"),)},
    )
    everywhere = Everywhere({}, (Entry(4, "deny", "tld", "ru", level="all"),))
    policy = resolve(rows, everywhere, DEFAULTS)

    def of(lists: object, client: str) -> int | None:
        found = lists.match(client, None, "a.ru", True, "", 0.0)  # type: ignore[attr-defined]
        return None if found is None else found.id

    assert of(policy.lists, "192.0.2.1") == 1
    assert of(policy.lists, "192.0.2.2") == 4, "the entry of one check is not in the general lists"
    assert of(policy.plugins["dnsbl"].lists, "192.0.2.2") == 2
    assert not policy.plugins["client_rate"].lists
    assert of(policy.for_mailbox("ann").lists, "192.0.2.1") == 3
    assert of(policy.for_mailbox("ann").plugins["dnsbl"].lists, "192.0.2.2") == 2


def test_what_is_the_same_is_shared() -> None:
    """A hundred thousand domains share the checks that they did not change."""
    resolver = Resolver(
        Everywhere({"dnsbl.zones": ["a"]}, (Entry(1, "deny", "tld", "ru", level="all"),)), DEFAULTS
    )
    one = resolver.domain(DomainRows("one.example", ROUTE), 1, [])
    two = resolver.domain(DomainRows("two.example", ROUTE), 1, [])
    own = resolver.domain(DomainRows("own.example", {**ROUTE, "dnsbl.mode": "off"}), 1, [])
    assert one.plugins["dnsbl"] is two.plugins["dnsbl"]
    assert own.plugins["dnsbl"] is not one.plugins["dnsbl"]
    assert own.plugins["client_rate"] is one.plugins["client_rate"]
    assert one.lists.tables[0] is two.lists.tables[0]


def test_equal_settings_have_one_key() -> None:
    """The key under which answers are remembered says what the settings are, not whose."""

    def keyed(**values: object) -> str:
        rows = DomainRows("a.example", {k.replace("__", "."): v for k, v in values.items()})
        return resolve(rows, Everywhere(), DEFAULTS).plugins["dnsbl"].key

    assert keyed(dnsbl__zones=["a"]) == keyed(dnsbl__zones=["a"], dnsbl__mode="watch")
    assert keyed(dnsbl__zones=["a"]) != keyed(dnsbl__zones=["b"])


def test_gateway_checks_are_set_for_all() -> None:
    """A check for the whole machine does not listen to one domain."""
    everywhere = Everywhere({"client_rate.weight": 9})
    resolver = Resolver(everywhere, DEFAULTS)
    assert resolver.everywhere(3).plugins["client_rate"].settings.weight == 9.0
    assert resolver.everywhere(3).domain == EVERYWHERE
    faults: list[Fault] = []
    policy = resolver.domain(DomainRows("example.org", {"client_rate.weight": 1}), 3, faults)
    assert policy.plugins["client_rate"].settings.weight == 9.0
    assert [f.key for f in faults] == ["client_rate.weight"]


def test_values_of() -> None:
    """Each setting in force, with where it comes from."""
    policy = resolve(DomainRows("example.org", {**ROUTE, "dnsbl.zones": ["a"]}), Everywhere(), DEFAULTS)
    values = values_of(policy, DEFAULTS)
    assert values["route"] == (["smtp://a:25"], "domain")
    assert values["score.quarantine_at"] == ("off", "default")
    assert values["preset"] == ("usual", "default")
    assert values["dnsbl.zones"] == (["a"], "domain")
    assert values["dnsbl.mode"] == ("on", "default")
