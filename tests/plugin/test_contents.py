"""The inventory of a message: every format, archives in archives, each bound, bombs, and what hides."""

from __future__ import annotations

import gzip
import subprocess
import sys
from base64 import encodebytes
from binascii import b2a_uu
from pathlib import Path

import pytest

from gatepost.mail.decode import decode_transfer
from gatepost.mail.message import Message, find_border
from gatepost.plugin import contents
from gatepost.plugin.contents import Inventory, Item, NeedsProcess, glance, look, unpacked
from tests.cost import quickest
from tests.mail.ole_files import message, ole, packed
from tests.mail.tnef_files import tnef
from tests.plugin.archive_bombs import BOMBS, deep, long_names
from tests.plugin.archive_cases import EXE, FORMATS, PLAIN, by_libarchive, mail, rar4, tarred, zipped
from tests.plugin.test_archives import SEVEN_ENCRYPTED, SEVEN_HIDDEN

TOP = Path(__file__).parents[2]


def inventory(raw: bytes) -> Inventory:
    border = find_border(raw)
    return unpacked(look(raw[:border], raw))


def types(found: Inventory) -> dict[str, str]:
    return {item.where: item.type for item in found.items}


def flags(found: Inventory) -> set[str]:
    return {flag for item in found.items for flag in item.flags}


@pytest.mark.parametrize("form", FORMATS)
def test_each_format(form: str) -> None:
    """A program in an archive is found by name and by bytes, whatever the archive is called."""
    data = FORMATS[form](PLAIN)
    name = "a.zip" if form == "zip behind a program" else "a.bin"
    found = inventory(mail((name, data)))
    assert "exe" == types(found)[f"{name}/setup.exe"]
    assert "unknown" == types(found)[f"{name}/read me.txt"]
    assert (2, 1) == (sum("inside" in item.flags for item in found.items), found.depth)
    assert [] == [text for kind, text in found.problems if kind != "broken"]
    assert ("zip without a directory" == form) is bool(found.problems)


@pytest.mark.parametrize("form", FORMATS)
def test_archives_in_archives(form: str) -> None:
    """The same one deeper, in a zip and in a tar that is packed."""
    inner = FORMATS[form](PLAIN)
    name = "in.zip" if form == "zip behind a program" else "in.dat"
    for outer, depth in ((zipped({name: inner}), 2), (tarred({name: inner}, "w:gz"), 2)):
        found = inventory(mail(("out.zip", outer)))
        assert "exe" == types(found)[f"out.zip/{name}/setup.exe"]
        assert depth == found.depth


def test_glance() -> None:
    """A message without archives needs no process; one with an archive or an old document does."""
    raw = mail(("photo.png", b"\x89PNG\r\n\x1a\n"), ("x.exe", EXE))
    found = glance(Message(raw[: find_border(raw)], raw))
    assert {"photo.png": "png", "x.exe": "exe"} == types(found)
    assert found == inventory(raw)
    for name, data in (("a.zip", zipped({})), ("a.doc", ole([])), ("a.gz", gzip.compress(b""))):
        raw = mail((name, data))
        with pytest.raises(NeedsProcess):
            glance(Message(raw[: find_border(raw)], raw))


@pytest.mark.parametrize(
    ("data", "listed"),
    [
        (by_libarchive(PLAIN, "zip", options="zip:encryption=traditional", passphrase="x"), True),
        (by_libarchive(PLAIN, "zip", options="zip:encryption=aes256", passphrase="x"), True),
        (rar4(PLAIN, encrypted=True), True),
        (rar4(PLAIN, hidden=True), False),
        (SEVEN_ENCRYPTED, False),
        (SEVEN_HIDDEN, False),
        (ole(["EncryptedPackage"]), False),
    ],
    ids=["zip", "zip by AES", "rar", "rar's list", "7z", "7z's list", "a document"],
)
def test_encrypted(data: bytes, listed: bool) -> None:
    """Encrypted is no error; names that can be read are still there."""
    found = inventory(mail(("a.dat", data)))
    assert "encrypted" in flags(found)
    assert () == found.problems
    assert listed is ("a.dat/setup.exe" in types(found))


@pytest.mark.parametrize(
    ("data", "macros", "kind"),
    [
        (zipped({"[Content_Types].xml": b"", "word/vbaProject.bin": b"x"}), True, "ooxml"),
        (zipped({"[Content_Types].xml": b"", "xl/macrosheets/sheet1.xml": b"x"}), True, "ooxml"),
        (zipped({"[Content_Types].xml": b"", "word/document.xml": b"x"}), False, "ooxml"),
        (zipped({"mimetype": b"", "META-INF/manifest.xml": b"", "Basic/Standard/M.xml": b""}), True, "odf"),
        (zipped({"mimetype": b"", "META-INF/manifest.xml": b"", "content.xml": b""}), False, "odf"),
        (ole(["WordDocument", "VBA", "_VBA_PROJECT"]), True, "ole"),
        (ole(["WordDocument"]), False, "ole"),
        (zipped({"META-INF/MANIFEST.MF": b"", "A.class": b"\xca\xfe\xba\xbe"}), False, "jar"),
        (zipped({"AndroidManifest.xml": b""}), False, "apk"),
        (ole([], bytes.fromhex("84100c0000000000c000000000000046")), False, "msi"),
    ],
    ids=["VBA", "Excel 4", "none", "Basic", "no Basic", "old VBA", "old", "Java", "Android", "installer"],
)
def test_documents(data: bytes, macros: bool, kind: str) -> None:
    """Macros of new and old documents, and what is a program in the form of an archive."""
    found = inventory(mail(("a.dat", data)))
    assert (kind, macros) == (found.items[0].type, "macros" in flags(found))
    again = inventory(mail(("b.zip", zipped({"a.dat": data}))))
    assert (kind, macros) == (again.items[1].type, "macros" in flags(again))


def test_names_of_every_reading() -> None:
    """T3.1: two names, RFC 2231 in pieces, encoded words: each reading is in the inventory."""
    heads = (
        b'Content-Disposition: attachment; filename="a.txt"; filename="b.exe"\r\n',
        b"Content-Disposition: attachment; filename*0=b.e; filename*1=xe; filename=a.txt\r\n",
        b"Content-Disposition: attachment; filename*=utf-8''b%2Eexe; filename=a.txt\r\n",
        b'Content-Type: application/x; name="=?utf-8?B?Yi5leGU=?="\r\n'
        b"Content-Disposition: attachment; filename=a.txt\r\n",
    )
    for head in heads:
        raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + head + b"\r\nx\r\n--b--\r\n"
        (item,) = inventory(raw).items
        assert {"a.txt", "b.exe"} == set(item.names)


@pytest.mark.parametrize("begin", [b"begin 644 setup.exe\r\n", b"begin-base64 644 setup.exe\r\n"])
def test_files_in_the_text(begin: bytes) -> None:
    """uuencode in the text itself, as some programs still show it."""
    if b"base64" in begin:
        coded = encodebytes(EXE)
    else:
        coded = b"".join(b2a_uu(EXE[n : n + 45]) for n in range(0, len(EXE), 45))
    raw = b"Subject: x\r\n\r\nhello\r\n" + begin + coded.replace(b"\n", b"\r\n") + b"end\r\n"
    assert {"setup.exe": "exe"} == types(inventory(raw))
    assert () == inventory(b"Subject: x\r\n\r\nbegin 644 of the story\r\n").items[1:]


def test_names_of_packed_files() -> None:
    """A file that is packed alone is called as its archive is without the ending, or as it says itself."""
    named = b"\x1f\x8b\x08\x08\0\0\0\0\0\xffsetup.exe\0" + gzip.compress(b"x")[10:]
    (_, item) = inventory(mail(("photo.jpg.gz", named))).items
    assert ("photo.jpg", "setup.exe") == item.names
    (_, item) = inventory(mail(("x.exe.gz", gzip.compress(EXE)))).items
    assert (("x.exe",), "exe") == (item.names, item.type)


def test_files_in_the_text_cost_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One without an end goes to the next one: no byte is decoded twice. What is left is told."""
    given: list[int] = []

    def counts(raw: bytes, encoding: str, most: int) -> bytes:
        given.append(len(raw))
        return decode_transfer(raw, encoding, most)

    monkeypatch.setattr(contents, "decode_transfer", counts)
    line = b"AAAA" * 15 + b"\r\n"
    head = b"Subject: x\r\n\r\n"
    raw = head + b"".join(b"begin-base64 644 %d.txt\r\n" % n + line * 100 for n in range(12))
    found = inventory(raw)
    assert [f"{n}.txt" for n in range(10)] == [item.where for item in found.items]
    assert (("unreadable", "more than 10 files in the text"),) == found.problems
    assert 10 == len(given)
    assert sum(given) < len(raw)


def test_images_that_begin_with_zeros() -> None:
    """A packed disk image is no empty tar, though it begins like one."""
    image = by_libarchive(PLAIN, "iso9660")
    assert "exe" == types(inventory(mail(("a.iso.gz", gzip.compress(image)))))["a.iso.gz/a.iso/setup.exe"]


def test_messages_in_archives() -> None:
    """A message that was saved as a file is read, and one that is attached as such."""
    inner = mail(("x.exe", EXE))
    assert "exe" == types(inventory(mail(("a.zip", zipped({"old.eml": inner})))))["a.zip/old.eml/x.exe"]
    forwarded = b"Content-Type: message/rfc822\r\n\r\n" + inner
    assert {"x.exe": "exe"} == types(inventory(forwarded))


@pytest.mark.parametrize("kind", ["message/partial; id=a; number=1; total=2", "message/external-body"])
def test_pieces(kind: str) -> None:
    """Files that come in several mails, or from elsewhere, cannot be looked into, and that is said."""
    ((said, text),) = inventory(f"Content-Type: {kind}\r\n\r\nMZ".encode()).problems
    assert ("unreadable", f"({kind.partition(';')[0]}), of which the rest is elsewhere") == (said, text)


def test_what_a_zip_hides() -> None:
    """Files that only one of two programs sees are in the inventory, and the zip is ambiguous."""
    hidden = zipped({"evil.exe": b"x"}).partition(b"PK\x01\x02")[0] + zipped({"nice.txt": b"y"})
    found = inventory(mail(("a.zip", hidden)))
    assert {"a.zip/evil.exe", "a.zip/nice.txt"} < set(types(found))
    assert [("ambiguous", "a.zip: a file in it does not stand in its directory")] == list(found.problems)


def test_ambiguous_messages() -> None:
    """T3.1: a message that can be read in two ways is told where there are files in it."""
    raw = mail(("a.txt", b"x")).replace(b"boundary=limit", b"boundary=limit; boundary=other")
    assert (("ambiguous", "can be read in more than one way: several boundaries"),) == inventory(raw).problems
    plain = b"Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx"
    assert () == inventory(plain).problems


@pytest.mark.parametrize(
    "data",
    [zipped(PLAIN)[:80], tarred(PLAIN, "w:gz")[:60], by_libarchive(PLAIN, "7zip")[:-20]],
    ids=["zip", "tar.gz", "7z"],
)
def test_broken_ones_are_told(data: bytes) -> None:
    """What cannot be read to its end is a problem of its own, and no error."""
    found = inventory(mail(("a.dat", data)))
    assert {"broken"} == {kind for kind, _ in found.problems}


def over(found: Inventory) -> list[str]:
    return [text for kind, text in found.problems if kind == "over_budget"]


def test_entries_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """T6.2: files in all archives of a message together."""
    monkeypatch.setattr(contents, "MAX_ENTRIES", 10)
    five = zipped({f"{n}.txt": b"x" for n in range(5)})
    found = inventory(mail(("a.zip", five), ("b.zip", five)))
    assert (10, []) == (found.entries, over(found))
    found = inventory(mail(("a.zip", five), ("b.zip", five), ("c.tar", tarred({"x": b""}))))
    assert ["over budget: more than 10 entries in archives"] == over(found)


def test_depth_at_the_limit() -> None:
    """T6.2: archives in archives."""
    inner = zipped({"x.txt": b"x"})
    for _ in range(contents.MAX_DEPTH - 1):
        inner = zipped({"a.zip": inner})
    found = inventory(mail(("a.zip", inner)))
    assert (contents.MAX_DEPTH, []) == (found.depth, over(found))
    (said,) = over(inventory(mail(("a.zip", zipped({"a.zip": inner})))))
    assert said.endswith(f"lies deeper than {contents.MAX_DEPTH} archives")


def test_bytes_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """T6.2: bytes that are unpacked, of all archives of a message together."""
    monkeypatch.setattr(contents, "MAX_DECODED", 30_000)
    half = by_libarchive({"x": bytes(range(256)) * 58 + bytes(152)}, "7zip")
    found = inventory(mail(("a.7z", half), ("b.7z", half)))
    assert (30_000, []) == (found.decoded, over(found))
    found = inventory(mail(("a.7z", half), ("b.7z", half), ("c.zip", zipped({"x": b"1"}))))
    assert ["over budget: more than 0 MiB unpacked"] == over(found)


def test_ratio_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """T6.2: how many times its size an archive unpacks to; small ones may."""
    monkeypatch.setattr(contents, "RATIO_FROM", 100_000)
    data = zipped({"x": bytes(100_001)})
    ratio = 100_001 // len(data)
    monkeypatch.setattr(contents, "MAX_RATIO", ratio)
    assert (ratio, []) == (inventory(mail(("a.zip", data))).ratio, over(inventory(mail(("a.zip", data)))))
    monkeypatch.setattr(contents, "MAX_RATIO", ratio - 1)
    assert [f"over budget: a.zip unpacks to more than {ratio - 1} times its size"] == over(
        inventory(mail(("a.zip", data)))
    )
    assert 0 == inventory(mail(("a.zip", zipped({"x": bytes(100_000)})))).ratio


def test_a_large_archive_in_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too large to be held is said, and the rest is looked at."""
    inner = zipped({"x.bin": bytes(range(256)) * 1_000}, 0)
    outer = zipped({"in.zip": inner, "setup.exe": EXE})
    monkeypatch.setattr(contents, "MAX_HELD", len(inner))
    assert [] == over(inventory(mail(("out.zip", outer))))
    monkeypatch.setattr(contents, "MAX_HELD", len(inner) - 1)
    found = inventory(mail(("out.zip", outer)))
    assert "out.zip/in.zip is an archive of more than" in over(found)[0]
    assert "exe" == types(found)["out.zip/setup.exe"]


def test_long_names() -> None:
    """T6.3: names of 100 kB that climb: the ending is kept, nothing is written anywhere."""
    found = inventory(mail(("a.tgz", long_names())))
    inside = [item for item in found.items if "inside" in item.flags]
    assert 100 == len(inside)
    assert all(item.names[0].endswith(".exe") and len(item.names[0]) <= 1_000 for item in inside)
    assert all(len(item.where) < 300 and ".." not in item.where for item in inside)


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(name: str, tmp_path: Path) -> None:
    """T6.1, T6.3: each under a second of CPU and 50 MB, in a process of its own, and over budget."""
    data = BOMBS[name]()
    raw = tmp_path / "bomb.eml"
    raw.write_bytes(mail(("a.zip" if data.startswith(b"PK") else "a.bin", data)))
    command = [sys.executable, "-m", "tests.plugin.archive_bombs", str(raw)]
    empty = tmp_path / "empty"
    empty.mkdir()

    def measured() -> list[str]:
        said = subprocess.run(
            command, cwd=TOP, capture_output=True, text=True, timeout=60, check=True,
            env={"TMPDIR": str(empty), "PYTHONPATH": str(TOP)},
        )  # fmt: skip
        return said.stdout.split(" ", 2)

    seconds, memory, problems = quickest(1, measured, lambda said: float(said[0]))
    assert float(seconds) < 1
    assert int(memory) < 50_000_000
    assert ("over_budget" in problems) is (name != "long names")
    assert [] == list(empty.iterdir())


def test_nothing_is_written(tmp_path: Path) -> None:
    """T6.3: while a mail is looked into the process can write to no file, whatever a library does."""
    raw = mail(("a.zip", zipped(PLAIN)))
    with contents.nothing_written():
        assert "exe" in types(inventory(raw)).values()
        with pytest.raises(OSError, match="too large"):
            (tmp_path / "x").write_bytes(b"x")
    (tmp_path / "x").write_bytes(b"x")
    assert inventory(raw) == unpacked(contents.look_alone(raw[: find_border(raw)], raw))


def test_outlooks_wrapping() -> None:
    """A `winmail.dat` is looked into, by long and short names."""
    data = tnef(("SETUP~1.SCR", "photo.jpg", EXE), ("B.ZIP", "b.zip", zipped(PLAIN)))
    found = inventory(mail(("winmail.dat", data)))
    assert "exe" == types(found)["winmail.dat/photo.jpg"]
    assert "exe" == types(found)["winmail.dat/b.zip/setup.exe"]
    assert ("photo.jpg", "SETUP~1.SCR") == found.items[1].names
    assert {"broken"} == {kind for kind, _ in inventory(mail(("winmail.dat", data[:-9]))).problems}


def test_files_in_old_documents() -> None:
    """Attachments of a message that Outlook saved, a file packed into a document, archives among them."""
    saved = inventory(mail(("a.msg", message(("x.dat", EXE), ("b.zip", zipped(PLAIN))))))
    assert {"a.msg": "msg", "a.msg/x.dat": "exe", "a.msg/b.zip/setup.exe": "exe"}.items() <= types(
        saved
    ).items()
    embedded = inventory(mail(("a.doc", ole({"\x01Ole10Native": packed("run.js", b"x")}))))
    assert ("run.js", "C:\\run.js") == embedded.items[1].names
    in_new = zipped(
        {
            "[Content_Types].xml": b"",
            "word/embeddings/oleObject1.bin": ole({"\x01Ole10Native": packed("run.exe", EXE)}),
        }
    )
    assert "exe" == types(inventory(mail(("a.docx", in_new))))["a.docx/oleObject1.bin/run.exe"]


def test_plain_values() -> None:
    """What a process sends back are texts and numbers, and come to the same inventory."""
    sent = look(b"Subject: x\r\n\r\n", mail(("a.zip", deep())))
    found = unpacked(sent)
    assert all(type(item) is tuple for item in sent[0])  # type: ignore[attr-defined]
    assert all(isinstance(item, Item) for item in found.items)
