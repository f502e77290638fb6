"""What a back end offers is used as its RFC says: LMTP, PRDR, XCLIENT, SMTPUTF8, DSN (L1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.mail.address import parse_address
from gatepost.mail.session import Session
from gatepost.relay.pool import Pool
from gatepost.relay.results import MailParams, Target, To
from tests.relay.backend import Backend, run
from tests.relay.house import WHOLE, House, Nobody, by_name, going, kinds, to


@pytest.mark.parametrize("pipelining", [True, False])
def test_lmtp(pipelining: bool) -> None:
    """LMTP answers for each accepted recipient (RFC 2033); the order is that of RCPT."""

    async def work(house: House, backend: Backend) -> None:
        if not pipelining:
            backend.features = ()
        names = to("ann", "bad", "full", "bob")
        results = await house.send(Target((backend.url,), names))
        assert [
            ("delivered", 250, "2.1.5"),
            ("refused", 550, "5.1.1"),
            ("refused", 552, "5.2.2"),
            ("delivered", 250, "2.1.5"),
        ] == kinds(results)
        assert "LHLO gate.example" == backend.said[0]
        assert 3 == len(backend.taken[0].rcpts)

    going(
        work,
        Backend(
            lmtp=True,
            rcpt=by_name(bad=b"550 5.1.1 no such user\r\n"),
            each=by_name(full=b"552 5.2.2 full\r\n"),
        ),
    )


def test_lmtp_over_a_socket(tmp_path: Path) -> None:
    """lmtp:///path goes over a Unix socket."""

    async def main() -> None:
        house = House()
        backend = Backend(lmtp=True)
        async with backend.running(tmp_path / "lmtp"):
            results = await house.send(Target((f"lmtp://{tmp_path}/lmtp",), to("ann")))
            assert results[0].delivered
            assert WHOLE == backend.taken[0].text
        house.pool.close()
        results = await house.send(Target((f"lmtp://{tmp_path}/nothing",), to("ann")))
        assert "unreachable" == results[0].kind

    run(main())


def test_lmtp_cut_between_answers() -> None:
    """Who was answered was answered; the others are deferred."""

    async def work(house: House, backend: Backend) -> None:
        results = await house.send(Target((backend.url,), to("ann", "bob")))
        assert [("delivered", 250, "2.1.5"), ("deferred", 451, "4.4.2")] == kinds(results)

    going(work, Backend(lmtp=True, each=by_name(bob=b""), close_at="after data"))


PRDR = ("PIPELINING", "PRDR")


def test_prdr() -> None:
    """PRDR: 353, an answer for each in RCPT order, and one for the whole."""

    async def work(house: House, backend: Backend) -> None:
        results = await house.send(Target((backend.url,), to("ann", "bad", "bob")))
        assert [("delivered", 250, "2.1.5"), ("refused", 550, "5.7.1"), ("delivered", 250, "2.1.5")] == kinds(
            results
        )
        assert backend.taken[0].mail.endswith(" PRDR")
        results = await house.send(Target((backend.url,), to("ann")))
        assert results[0].delivered
        assert "PRDR" not in backend.taken[1].mail

    going(work, Backend(features=PRDR, each=by_name(bad=b"550 5.7.1 not for me\r\n")))


@pytest.mark.parametrize(
    ("final", "kind"),
    [(b"451 4.3.0 disk\r\n", "deferred"), (b"550 5.3.0 no\r\n", "refused"), (b"", "deferred")],
)
def test_prdr_the_last_word_counts(final: bytes, kind: str) -> None:
    """A copy is delivered only when the reply for the whole says so too."""

    async def work(house: House, backend: Backend) -> None:
        results = await house.send(Target((backend.url,), to("ann", "bob")), time=0.3)
        assert [kind] * 2 == [result.kind for result in results]

    going(work, Backend(features=PRDR, final=final))


def test_prdr_offered_and_not_kept() -> None:
    """A server that offers PRDR and answers once all the same: one answer for all."""

    async def work(house: House, backend: Backend) -> None:
        backend.mail = lambda line: b"250 2.1.0 Ok\r\n"
        results = await house.send(Target((backend.url,), to("ann", "bob")))
        assert 2 == len([result for result in results if result.delivered])

    going(work, Backend(features=PRDR))


@pytest.mark.parametrize("pipelining", [True, False])
def test_xclient_and_xforward(pipelining: bool) -> None:
    """The back end sees the true client: told anew for each, XCLIENT only when it changed."""

    async def work(house: House, backend: Backend) -> None:
        ours = (f"{backend.url}?xclient",)
        session = Session("0DQ", "192.0.2.1", 1234, helo="mx b", host="mx.b.example", host_confirmed=True)
        for _ in range(2):
            assert (await house.send(Target(ours, to("ann")), session=session))[0].delivered
        assert "XCLIENT NAME=mx.b.example ADDR=192.0.2.1 HELO=mx+20b" == backend.taken[0].xclient
        assert 1 == len([line for line in backend.said if line.startswith("XCLIENT")])
        other = Session("0DQ", "2001:db8::1", helo="x", host="liar.example")
        assert (await house.send(Target(ours, to("ann")), session=other))[0].delivered
        assert "XCLIENT NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::1 HELO=x" == backend.taken[2].xclient
        forward = (f"{backend.url}?xforward",)
        assert (await house.send(Target(forward, to("ann")), session=session))[0].delivered
        assert "XFORWARD ADDR=192.0.2.1 IDENT=0DQ" == backend.taken[3].xforward

    features = ("XCLIENT NAME ADDR HELO", "XFORWARD ADDR IDENT", *(("PIPELINING",) if pipelining else ()))
    going(work, Backend(features=features))


def test_hostile_helo_is_xtext() -> None:
    """What a stranger said in EHLO adds no command and no attribute."""

    async def work(house: House, backend: Backend) -> None:
        session = Session("0DQ", "192.0.2.1", helo="x\r\nMAIL FROM:<evil@e.example> ADDR=127.0.0.1")
        assert (await house.send(Target((f"{backend.url}?xclient",), to("ann")), session=session))[
            0
        ].delivered
        assert 1 == len([line for line in backend.said if line.startswith("MAIL")])
        assert 1 == backend.taken[0].xclient.count("ADDR=1")

    going(work, Backend(features=("XCLIENT NAME ADDR HELO", "PIPELINING")))


def test_what_the_next_hop_cannot_take() -> None:
    """SMTPUTF8 to a server without it is 550 5.6.7, a smaller SIZE 552 5.3.4; nothing is said to it."""

    async def work(house: House, backend: Backend) -> None:
        target = Target((backend.url,), to("ann"))
        results = await house.send(target, params=MailParams(10, smtputf8=True))
        assert [("refused", 550, "5.6.7")] == kinds(results)
        results = await house.send(target, params=MailParams(1001))
        assert [("refused", 552, "5.3.4")] == kinds(results)
        international = Target((backend.url,), [To(parse_address("j\u00f6rg@example.org"))])
        assert [("refused", 550, "5.6.7")] == kinds(await house.send(international, params=MailParams(10)))
        assert not any(line.startswith("MAIL") for line in backend.said)
        assert (await house.send(target, params=MailParams(1000)))[0].delivered
        backend.features = ("SMTPUTF8",)
        house.pool.close()
        house.pool = Pool("gate.example", Nobody())
        house.relay.pool = house.pool
        assert (await house.send(international, params=MailParams(10, "8BITMIME", True)))[0].delivered
        assert "RCPT TO:<j\u00f6rg@example.org>" in backend.said
        assert "MAIL FROM:<a@b.example> SMTPUTF8" in backend.said

    going(work, Backend(features=("PIPELINING", "SIZE 1000")))


def test_dsn() -> None:
    """NOTIFY, ORCPT, RET and ENVID go to servers that know them; the result says who gives the notice."""

    async def work(house: House, backend: Backend) -> None:
        asked = [To(parse_address("ann@example.org"), "SUCCESS,FAILURE", "rfc822;ann@example.org")]
        params = MailParams(10, ret="HDRS", envid="QQ123")
        results = await house.send(Target((backend.url,), asked), params=params)
        assert results[0].dsn
        assert "MAIL FROM:<a@b.example> SIZE=10 RET=HDRS ENVID=QQ123" == backend.taken[0].mail
        assert [
            "RCPT TO:<ann@example.org> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;ann@example.org"
        ] == backend.taken[0].rcpts

    going(work)

    async def without(house: House, backend: Backend) -> None:
        asked = [To(parse_address("ann@example.org"), "SUCCESS", "")]
        results = await house.send(Target((backend.url,), asked), params=MailParams(ret="FULL"))
        assert not results[0].dsn
        assert ["RCPT TO:<ann@example.org>"] == backend.taken[0].rcpts
        assert (await house.send(Target((backend.url,), to("ann")), sender=None))[0].delivered
        assert "MAIL FROM:<>" == backend.taken[1].mail

    going(without, Backend(features=("PIPELINING",)))
