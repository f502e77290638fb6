"""From a route to addresses: MX by preference, never to ourselves, names of the system as a last resort."""

from __future__ import annotations

import pytest

from gatepost.dns.names import DnsFailure, NoData, NxDomain
from gatepost.relay.ourselves import Ourselves
from gatepost.relay.places import NoPlace, places
from gatepost.relay.routes import parse_route
from tests.relay.backend import run


class Names:
    """Answers from a table; an exception in it is raised."""

    def __init__(self, **table: object) -> None:
        self.table = {name.replace("_", "."): value for name, value in table.items()}

    async def _look(self, kind: str, name: str) -> object:
        found = self.table.get(f"{kind}.{name}", NxDomain(name))
        if isinstance(found, Exception):
            raise found
        return found

    async def a(self, name: str) -> list[str]:
        return await self._look("a", name)  # type: ignore[return-value]

    async def aaaa(self, name: str) -> list[str]:
        return await self._look("aaaa", name)  # type: ignore[return-value]

    async def mx(self, name: str) -> list[tuple[int, str]]:
        return await self._look("mx", name)  # type: ignore[return-value]


NOBODY = Ourselves([])


def found(url: str, names: Names, us: Ourselves = NOBODY) -> list[str]:
    answer: list[str] = []

    async def work() -> None:
        answer.extend(str(place) for place in await places(parse_route(url), names, us.owns, lambda: 0.5))

    run(work())
    return answer


def test_literals_need_no_dns() -> None:
    """An address is taken as it is."""
    assert ["192.0.2.1:26"] == found("smtp://192.0.2.1:26", Names())
    assert ["[2001:db8::1]:25"] == found("smtp://[2001:db8::1]", Names())


def test_names() -> None:
    """Both families in turn; a name that only the system knows is found there."""
    names = Names(a_m_example=["192.0.2.1", "192.0.2.2"], aaaa_m_example=["2001:db8::1"])
    assert ["[2001:db8::1]:25", "192.0.2.1:25", "192.0.2.2:25"] == found("smtp://m.example", names)
    assert any("127.0.0.1" in place for place in found("smtp://localhost", Names()))


def test_mx_by_preference() -> None:
    """The best first; no MX: the domain itself (RFC 5321, 5.1)."""
    names = Names(
        mx_d_example=[(20, "m2.d.example"), (10, "m1.d.example")],
        a_m1_d_example=["192.0.2.1"],
        a_m2_d_example=["192.0.2.2"],
        mx_plain_example=NoData("plain.example"),
        a_plain_example=["192.0.2.3"],
    )
    assert ["192.0.2.1:25", "192.0.2.2:25"] == found("smtp+mx://d.example", names)
    assert ["192.0.2.3:25"] == found("smtp+mx://plain.example", names)


def test_never_to_ourselves() -> None:
    """Our own MX and those that are no better are passed over; nothing left is a loop, a 4xx."""
    names = Names(
        mx_d_example=[(5, "m0.d.example"), (10, "us.d.example"), (10, "m1.d.example"), (20, "m2.d.example")],
        a_m0_d_example=["192.0.2.9"],
        a_us_d_example=["192.0.2.1"],
        a_m1_d_example=["192.0.2.2"],
        a_m2_d_example=["192.0.2.3"],
        mx_only_example=[(10, "us.d.example")],
    )
    us = Ourselves([("192.0.2.1", 25)])
    assert ["192.0.2.9:25"] == found("smtp+mx://d.example", names, us)
    for url in ("smtp+mx://only.example", "smtp://192.0.2.1", "smtp://us.d.example"):
        with pytest.raises(NoPlace, match="ourselves") as caught:
            found(url, names, us)
        assert ("4.4.6", False) == (caught.value.enhanced, caught.value.permanent)
    assert ["192.0.2.1:26"] == found("smtp://192.0.2.1:26", names, us)


@pytest.mark.parametrize(
    ("names", "permanent"),
    [
        (Names(), True),
        (Names(mx_d_example=[(0, "")]), True),
        (Names(mx_d_example=DnsFailure("d.example")), False),
        (Names(mx_d_example=[(10, "gone.invalid")]), False),
        (Names(mx_d_example=[(10, "m.d.example")], a_m_d_example=DnsFailure("x")), False),
    ],
)
def test_no_place(names: Names, permanent: bool) -> None:
    """No such domain and null MX (RFC 7505) are for good; what may be better later is not."""
    with pytest.raises(NoPlace) as caught:
        found("smtp+mx://d.example", names)
    assert permanent == caught.value.permanent
