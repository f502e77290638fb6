"""Policy records and the tree walk are those of RFC 9989, each rule and example of reference/dmarc.md."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.auth.dmarc_records import Record, organizational_domain, read_record, walk_names, walked

RECORDS: dict[str, tuple[str, ...] | None] = {
    # text -> policy, sp, np, psd, testing, adkim strict, aspf strict
    "v=DMARC1; p=reject": ("reject", "", "", "u", "", "", ""),
    "v=DMARC1;p=none": ("none", "", "", "u", "", "", ""),
    "v = DMARC1 ; p = Quarantine ;": ("quarantine", "", "", "u", "", "", ""),
    "v=DMARC1; sp=none; np=reject; p=quarantine": ("quarantine", "none", "reject", "u", "", "", ""),
    "v=DMARC1; p=reject; t=y; psd=n; adkim=s; aspf=s": ("reject", "", "", "n", "t", "s", "s"),
    "v=DMARC1; p=reject; psd=y": ("reject", "", "", "y", "", "", ""),
    "v=DMARC1; p=reject; psd=maybe; t=maybe; adkim=x": ("reject", "", "", "u", "", "", ""),
    "v=DMARC1; p=reject; pct=0; ri=1; rf=afrf; unknown=x; broken": ("reject", "", "", "u", "", "", ""),
    "v=DMARC1; p=reject; p=none": ("reject", "", "", "u", "", "", ""),
    # no good policy, with an address for reports: as p=none; without: no record
    "v=DMARC1; rua=mailto:a@example.org": ("none", "", "", "u", "", "", ""),
    "v=DMARC1; p=strict; rua=mailto:a@example.org": ("none", "", "", "u", "", "", ""),
    "v=DMARC1; p=reject; sp=strict; rua=mailto:a@example.org": ("none", "", "", "u", "", "", ""),
    "v=DMARC1; p=reject; np=strict; rua=x, y@example.org": None,
    "v=DMARC1; p=reject; np=strict; rua=x, mailto:a@example.org!10m": ("none", "", "", "u", "", "", ""),
    "v=DMARC1": None,
    "v=DMARC1; p=strict": None,
    "v=DMARC1; p=": None,
    "v=DMARC1; p=reject; sp=": None,
    "v=DMARC1; p=strict; rua=nobody": None,
    # not a record at all
    "p=reject; v=DMARC1": None,
    "v=dmarc1; p=reject": None,
    "v=DMARC12; p=reject": None,
    " v=DMARC1; p=reject": None,
    "v=spf1 -all": None,
    "": None,
}  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), RECORDS.items())
def test_records(text: str, wanted: tuple[str, ...] | None) -> None:
    """Each text is the record that the RFC makes of it, or none."""
    found = read_record("example.org", [text])
    assert wanted == (found and _short(found))


def _short(r: Record) -> tuple[str, ...]:
    return (
        r.policy, r.sub, r.absent, r.psd,
        "t" if r.testing else "", "s" if r.strict_dkim else "", "s" if r.strict_spf else "",
    )  # fmt: skip


def test_several_texts() -> None:
    """Other texts are dropped; of two records none is taken."""
    assert read_record("a.example", ["v=spf1 -all", "v=DMARC1; p=reject", "hello"]) is not None
    assert read_record("a.example", ["v=DMARC1; p=reject", "v=DMARC1; p=reject"]) is None
    assert read_record("a.example", []) is None


def test_policy_for_an_author() -> None:
    """p= at the author's own name; else sp= where the name exists, np= where not, with fall-backs."""
    r = Record("example.org", "reject", "quarantine", "none")
    assert ("p", "reject") == r.for_author("example.org", exists=True)
    assert ("sp", "quarantine") == r.for_author("a.example.org", exists=True)
    assert ("np", "none") == r.for_author("a.example.org", exists=False)
    assert ("sp", "quarantine") == Record("example.org", "reject", "quarantine").for_author(
        "a.example.org", False
    )
    assert ("p", "reject") == Record("example.org", "reject").for_author("a.example.org", False)
    assert ("p", "reject") == Record("example.org", "reject", "", "none").for_author("a.example.org", True)


def test_walk_of_a_long_name() -> None:
    """The example of the RFC: never more than eight questions."""
    assert [
        "a.b.c.d.e.f.g.h.i.j.mail.example.com",
        "g.h.i.j.mail.example.com",
        "h.i.j.mail.example.com",
        "i.j.mail.example.com",
        "j.mail.example.com",
        "mail.example.com",
        "example.com",
        "com",
    ] == walk_names("a.b.c.d.e.f.g.h.i.j.mail.example.com")


@pytest.mark.parametrize(("labels", "asked"), [(1, 1), (2, 2), (7, 7), (8, 8), (9, 8), (40, 8), (127, 8)])
def test_number_of_questions(labels: int, asked: int) -> None:
    """A name of eight labels is asked whole, then cut to seven; so is a longer one."""
    names = walk_names(".".join("a" for _ in range(labels)))
    assert asked == len(names)
    assert 1 == names[-1].count(".") + 1


def test_no_name() -> None:
    """Nothing is asked about nothing, nor about what is too long."""
    assert [] == walk_names("") == walk_names("a" * 300)


def zone(**records: str) -> dict[str, Record | None]:
    """Return records by name; `_` for a dot, the value is psd=."""
    made: dict[str, Record | None] = {}
    for name, psd in records.items():
        made[name.replace("_", ".")] = Record(name.replace("_", "."), "reject", psd=psd)
    return made


@pytest.mark.parametrize(
    ("start", "records", "organization", "met"),
    [
        ("a.mail.example.com", zone(mail_example_com="u", example_com="u"), "example.com", 2),
        ("a.mail.example.com", zone(mail_example_com="n", example_com="u"), "mail.example.com", 1),
        ("a.mail.example.com", zone(com="y"), "example.com", 1),
        ("a.mail.example.com", zone(example_com="u", com="y"), "example.com", 2),
        ("a.mail.example.com", zone(), "a.mail.example.com", 0),
        ("example.com", zone(example_com="u"), "example.com", 1),
        ("example.com", zone(example_com="y"), "example.com", 1),
        ("example.com", zone(example_com="y", com="u"), "example.com", 1),
        ("a.example.com", zone(a_example_com="y", com="y"), "a.example.com", 1),
        ("a.b.example.com", zone(b_example_com="y"), "a.b.example.com", 1),
        ("a.example.com", zone(a_example_com="n"), "a.example.com", 1),
        ("example.com", zone(com="u"), "com", 1),
        ("x.example.co.uk", zone(co_uk="y", uk="u"), "example.co.uk", 1),
    ],
)
def test_organizational_domain(
    start: str, records: dict[str, Record | None], organization: str, met: int
) -> None:
    """psd=n is it; one below psd=y; else the shortest name with a record; none: the name itself."""
    found = walked(start, records)
    assert (organization, met) == (organizational_domain(start, found), len(found))


@given(st.text(max_size=200))
def test_no_exception(text: str) -> None:
    """Whatever stands in DNS, it is a record or none."""
    read_record("example.org", [text, "v=DMARC1;" + text][:1])
    read_record("example.org", ["v=DMARC1;" + text])
