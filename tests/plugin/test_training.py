"""What a training mail teaches: the original where it is found, once, on the disk, and in one domain only."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gatepost.mail import stamp
from gatepost.plugin.bench import Bench
from gatepost.plugin.registry import load
from gatepost.plugin.tools import CannotAnswer
from gatepost.plugin.training import Pupil, TooMany
from gatepost.store.errands import Errands
from gatepost.store.trainings import Trainings
from tests.plugin.teaching import ANN, School, parsed
from tests.plugin.test_forwarded import AS_MESSAGE, QUOTES, forward

SPAM = (
    b"From: x <x@bad.example>\r\nTo: ann@example.org\r\nSubject: Offer\r\nMessage-ID: <1@bad.example>\r\n"
    b"\r\nBuy cheap pills at http://pills.example/ now\r\n"
)
ID = "0DQ3N7V5K2F8T.1"


def mangled(value: str = "", more: str = "") -> bytes:
    """Return an inline forward that says little, and the id of the mail that it is about."""
    line = f"X-Gatepost-Id: {value}\n" if value else ""
    return forward(QUOTES["apple"].replace("Date:", f"{line}Date:") + "something else", more=more)


def test_the_kept_original(tmp_path: Path) -> None:
    """By its id, whatever the forward made of it; the log leads to its row in the journal."""
    school = School(tmp_path)
    taught = school.teach(mangled(school.kept(SPAM, ID)))
    assert "1 learnt (kept original)" == str(taught)
    (one,) = school.log()
    assert (ANN, "address", ID, True, 1.0) == (one.by, one.how, one.what, one.spam, one.weight)
    assert stamp.key_of(parsed(SPAM)) == one.key
    assert school.score(SPAM) > 0.9
    assert 0 == school.score(SPAM, "example.net")


def test_the_features_of_a_delivered_mail(tmp_path: Path) -> None:
    """The same training as of the whole mail, found after a restart."""
    school = School(tmp_path)
    value = school.delivered(SPAM, ID)
    assert "1 learnt (kept features)" == str(School(tmp_path).teach(mangled(value)))
    other = School(tmp_path / "other")
    (other.folder / "learn").mkdir()
    (other.folder / "learn" / "seed").write_text((school.folder / "learn" / "seed").read_text())
    other.teach(mangled(other.kept(SPAM, ID)))
    assert other.score(SPAM) == school.score(SPAM)


def test_an_id_of_another_domain_is_none(tmp_path: Path) -> None:
    """Nor one that was signed for somebody else, or made up: the text of the forward is learnt."""
    school = School(tmp_path)
    foreign = school.kept(SPAM, ID, "example.net", "ann@example.net")
    school.delivered(SPAM, ID, "example.org", "bob@example.org")
    made_up = foreign[:-1] + ("A" if foreign[-1] != "A" else "B")
    for value in (foreign, made_up, stamp.make(b"other" * 8, ID, "example.org", ANN)):
        assert ["inline"] == school.teach(mangled(value)).how, value


def test_found_by_what_the_forward_answers(tmp_path: Path) -> None:
    """Only where it is one mail, and one to this person: a Message-ID is the sender's word."""
    more = "References: <1@bad.example>\r\n"
    school = School(tmp_path)
    school.delivered(SPAM, ID)
    assert ["inline"] == school.teach(mangled(more=more), by="bob@example.org").how
    assert ["kept features"] == school.teach(mangled(more=more)).how
    school.delivered(SPAM.replace(b"pills", b"planes"), "0DQ3N7V5K2F8T.2")
    assert ["inline"] == school.teach(mangled(more=more), spam=False).how


def test_attached_and_inline(tmp_path: Path) -> None:
    """Where there is no original: the attached mail, and last the text, which weighs less."""
    school = School(tmp_path)
    assert ["attached", "attached"] == school.teach(
        forward("See", AS_MESSAGE + SPAM, AS_MESSAGE + SPAM.replace(b"<1@", b"<2@"))
    ).how
    school.teach(mangled())
    assert [1.0, 1.0, 0.3] == [one.weight for one in school.log()]
    assert [True, True, False] == [one.correct for one in school.log()]


def test_once(tmp_path: Path) -> None:
    """One mail counts once, in whatever shape it comes and whoever sends it; the other way it counts anew."""
    school = School(tmp_path)
    value = school.delivered(SPAM, ID)
    assert 1 == len(school.teach(mangled(value)).learnt)
    before = school.score(SPAM)
    for raw in (
        mangled(value),
        forward("See", AS_MESSAGE + SPAM),
        mangled(more="References: <1@bad.example>\r\n"),
    ):
        again = school.teach(raw)
        assert (0, 1) == (len(again.learnt), again.already)
        assert "0 learnt, 1 known already" in str(again)
    assert 1 == school.teach(mangled(value), by="bob@example.org").already
    assert before == school.score(SPAM)
    assert 1 == len(school.teach(mangled(value), spam=False).learnt)


def test_a_person_and_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stolen account does bounded harm; others go on, and tomorrow so does this one."""
    monkeypatch.setattr("gatepost.store.trainings.A_DAY", 2)
    school = School(tmp_path)
    mails = [forward("See", AS_MESSAGE + SPAM.replace(b"<1@", b"<%d@" % n)) for n in range(5)]
    school.teach(mails[0])
    school.teach(mails[1])
    with pytest.raises(TooMany, match=r"ann@example\.org has trained 2 messages today, 2 is the most"):
        school.teach(mails[2])
    school.teach(mails[2], by="bob@example.org")
    school.now += 86_401
    school.teach(mails[3])
    assert 4 == len(school.log())


def test_what_cannot_be_written_is_not_learnt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client hears that it shall come again."""
    school = School(tmp_path)

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left")

    monkeypatch.setattr(Trainings, "_add", full)
    with pytest.raises(CannotAnswer, match="No space left"):
        school.teach(forward("See", AS_MESSAGE + SPAM))
    assert [] == school.log()


def test_other_filters_are_taught_later(tmp_path: Path) -> None:
    """With the mail itself, where it is there; that they cannot be is no reason to come again."""
    school = School(tmp_path)
    policy = Bench(load(entries=False)).policy(switches={"rspamd": {"mode": "on", "learn": True}})
    attached, only_text = forward("See", AS_MESSAGE + SPAM), mangled()
    for raw in (attached, attached, only_text):
        taught = asyncio.run(
            school.teacher.teach(Pupil("example.org", ANN, True, "T.1", policy), parsed(raw), None)
        )
    errands = Errands(tmp_path / "learn")
    (path,) = errands.paths()
    errand, raw = errands.read(path) or pytest.fail("gone")
    assert ("rspamd", True, SPAM.rstrip()) == (errand.plugin, errand.spam, raw.rstrip())

    broken = School(tmp_path / "other")
    (tmp_path / "other" / "learn").mkdir()
    (tmp_path / "other" / "learn" / "errands").write_text("a file")
    taught = asyncio.run(
        broken.teacher.teach(Pupil("example.org", ANN, True, "T.1", policy), parsed(attached), None)
    )
    assert "1 learnt (attached); not handed on: rspamd: File exists" == str(taught)


def test_long_mails_are_read_elsewhere(tmp_path: Path) -> None:
    """A mail of some size holds up nobody: it is read in another process, with the same result."""
    school = School(tmp_path)
    asked: list[str] = []

    async def apart(function: object, *arguments: object) -> object:
        asked.append(function.__name__)  # type: ignore[attr-defined]
        return function(*arguments)  # type: ignore[operator]

    long = SPAM + b"line\r\n" * 20_000
    pupil = Pupil("example.org", ANN, True, "T.1")
    raw = forward("See", AS_MESSAGE + long)
    assert ["attached"] == asyncio.run(school.teacher.teach(pupil, parsed(raw), apart)).how
    assert ["in_worker"] == asked
    value = school.kept(long, ID)
    assert 1 == asyncio.run(school.teacher.teach(pupil, parsed(mangled(value)), apart)).already
    assert ["in_worker"] * 2 == asked
