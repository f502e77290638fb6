"""How a list is written down, and how its health is told from its answers (RFC 5782, section 5)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gatepost.dns.names import DnsError, DnsFailure, NoData, NxDomain
from gatepost.plugin.blocklists import (
    NAME_PROBES,
    PROBE_AGAIN,
    PROBE_EVERY,
    PROBES,
    SILENT,
    Clinic,
    Zone,
    code_octets,
    diagnosis,
    is_code,
    refuses_us,
)
from gatepost.telemetry.conditions import HERE, LIST

NO: DnsError = NxDomain("no")
YES = ["127.0.0.2"]
MUTE: DnsError = DnsFailure("time-out")


def test_short_and_long() -> None:
    """One line, as Postfix and Exim write lists, or an object."""
    for short, long in (
        ("bl.test", Zone(zone="bl.test")),
        ("BL.Test.", Zone(zone="bl.test")),
        ("bl.test*2.5", Zone(zone="bl.test", weight=2.5)),
        ("bl.test*-1", Zone(zone="bl.test", weight=-1)),
        ("bl.test=127.0.0.[2..11]", Zone(zone="bl.test", codes=("127.0.0.[2..11]",))),
        ("bl.test&0.0.0.6*3", Zone(zone="bl.test", mask="0.0.0.6", weight=3)),
    ):
        assert long == Zone.model_validate(short)
        assert long == Zone.model_validate(long.model_dump(mode="json"))


def test_code_octets() -> None:
    """Numbers, ranges and lists of both in any octet but the first."""
    assert (
        frozenset({127}),
        frozenset({0}),
        frozenset({0, 1, 2}),
        frozenset({2, 3, 4, 10}),
    ) == code_octets("127.0.[0..2].[2..4;10]")
    for wrong in ("", "127.0.0.2.3", "127.0.0.2.", "x.0.0.2", "128.0.0.2", "127.0.0.[1...3]", "127.0.0.-1"):
        with pytest.raises(ValueError, match="is not"):
            code_octets(wrong)


def test_what_may_be_a_code() -> None:
    """127.0.0.0/8 but for what says that our query was refused."""
    assert [True, True, False, False] == [
        is_code(a) for a in ("127.0.0.2", "127.254.0.1", "127.255.255.254", "93.184.216.34")
    ]
    assert refuses_us(["127.0.0.2", "127.255.255.252"])
    assert not refuses_us([])


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([NO, NO, YES, NO], ""),
        ([NO, NO, NO, YES], ""),
        ([NO, NO, YES, YES], ""),
        ([NoData("x"), NO, YES, NO], ""),
        ([NO, NO, NO, NO], "it does not list 127.0.0.2, so it lists nothing"),
        ([NO, NO, ["93.184.216.34"], NO], "it does not list 127.0.0.2, so it lists nothing"),
        ([YES, NO, YES, NO], "it lists 127.0.0.1, so it lists everything"),
        ([NO, YES, YES, YES], "it lists 127.0.0.1, so it lists everything"),
        ([["93.184.216.34"], NO, YES, NO], "it lists 127.0.0.1, so it lists everything"),
        ([NO, NO, ["127.255.255.254"], NO], "it refuses our queries (127.255.255.254)"),
        ([MUTE, NO, YES, NO], None),
        ([NO, NO, YES, MUTE], None),
    ],
)
def test_diagnosis(answers: Sequence[list[str] | DnsError], expected: str | None) -> None:
    """Sane, mad, or nobody answered."""
    assert expected == diagnosis(answers)


def test_clinic() -> None:
    """A list is due at once, then every half hour, or in a minute when nobody answered."""
    clinic = Clinic()
    zones = (Zone(zone="a.test"), Zone(zone="b.test"), Zone(zone="a.test", weight=2))
    assert ["a.test", "b.test"] == clinic.due(zones, 0)
    assert "" == clinic.look_at("a.test", [NO, NO, YES, NO], 0)
    assert "" == clinic.look_at("b.test", [MUTE] * 4, 0)
    assert (True, False) == (clinic.of("a.test").known, clinic.of("b.test").known)
    assert [] == clinic.due(zones, 1)
    assert ["b.test"] == clinic.due(zones, PROBE_AGAIN)
    assert ["a.test", "b.test"] == clinic.due(zones, PROBE_EVERY)
    assert "a.test is switched off: it lists 127.0.0.1, so it lists everything" == clinic.look_at(
        "a.test", [YES] * 4, PROBE_EVERY
    )
    assert "" == clinic.look_at("a.test", [YES] * 4, PROBE_EVERY)
    assert "a.test is well again" == clinic.look_at("a.test", [NO, NO, YES, NO], PROBE_EVERY)


def test_condition() -> None:
    """A list that is sick, or silent for several looks in a row, is known to the alarms until it is well."""
    HERE.reset()
    clinic = Clinic()
    for n in range(SILENT):
        assert [] == HERE.all()
        clinic.look_at("a.test", [MUTE] * 4, n)
    (one,) = HERE.all()
    assert (LIST, "a.test", "it does not answer") == (one.kind, one.name, one.why)
    clinic.look_at("a.test", [NO, NO, YES, NO], 10)
    clinic.look_at("a.test", [MUTE] * 4, 11)
    assert [""] == [one.why for one in HERE.all()]
    clinic.look_at("a.test", [YES] * 4, 12)
    assert ["it lists 127.0.0.1, so it lists everything"] == [one.why for one in HERE.all()]


def test_probes() -> None:
    """The test points of both families."""
    assert ["1.0.0.127", "2.0.0.127"] == list(PROBES[::2])
    assert [32, 32] == [len(p.split(".")) for p in PROBES[1::2]]
    assert ["1.0.0.0.0.0.f.7.f.f.f.f", "2.0.0.0.0.0.f.7.f.f.f.f"] == [p[:23] for p in PROBES[1::2]]
    assert ["1.0.0.127", "invalid"] == list(NAME_PROBES[:2])


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([NO, NO, YES, NO, NO, NO], ""),
        ([NO, NO, NO, NO, NO, YES], ""),
        ([["127.0.1.255"], NO, ["127.0.1.255"], NO, YES, NO], ""),
        (
            [["127.0.1.255"], NO, ["127.0.1.255"], NO, NO, NO],
            "it does not list 127.0.0.2, so it lists nothing",
        ),
        ([NO, YES, YES, NO, NO, NO], "it lists 127.0.0.1, so it lists everything"),
        ([NO, NO, MUTE, NO, NO, YES], None),
    ],
)
def test_lists_of_names(answers: Sequence[list[str] | DnsError], expected: str | None) -> None:
    """A list that knows one of the test names is sane; "that is an address" is no listing."""
    assert expected == diagnosis(answers)


def test_clinic_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Owners can name many lists; what is remembered of them has a bound."""
    monkeypatch.setattr("gatepost.plugin.blocklists.MAX_KNOWN", 3)
    clinic = Clinic()
    for n in range(10):
        clinic.of(f"z{n}.test")
    assert clinic.of("z9.test") is clinic.of("z9.test")
