"""Signatures: each row of the table, what is told by more than a mark, and files that pose as others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.filetypes import CLAIMS, SIGNATURES, UNKNOWN, FileType, Kind, disguised, is_mail, sniff
from tests.cost import assert_cheap

EXE = b"MZ" + bytes(58) + (64).to_bytes(4, "little") + b"PE\0\0"


@pytest.mark.parametrize("row", SIGNATURES, ids=lambda row: f"{row[0]} {row[3]!r}")
def test_each_signature(row: tuple[str, Kind, int, bytes]) -> None:
    """Bytes that stand where the table says are taken for that type."""
    name, kind, at, mark = row
    data = b"\x01" * at + mark + (b"91AY&SY" if name == "bzip2" else b"\x01" * 8)
    assert FileType(name, kind) == sniff(data)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (EXE, "exe"),
        (b"MZ" + bytes(100), "exe"),
        (b"MZ is the beginning of a text, which goes on and on for more than a line, like this", "unknown"),
        (b"BZh is a text", "unknown"),
        (b"junk before\n%PDF-1.4", "pdf"),
        (b"%!PS", "unknown"),
        (b"BM" + b"\1\1\1\1" + bytes(4), "bmp"),
        (b"BMW is a text", "unknown"),
        (b"#!/bin/sh\n", "script"),
        (b"\xef\xbb\xbf#! /usr/bin/perl\n", "script"),
        (b"  <?PHP echo", "script"),
        (b"<job><script>", "script"),
        (b"<!-- x -->\n<!DOCTYPE HTML>", "html"),
        (b"\n\n<html>", "html"),
        (b"<?xml version='1.0'?>\n<svg xmlns=''>", "svg"),
        (b"<?xml version='1.0'?>\n<x/>", "unknown"),
        (b"hello", "unknown"),
        (b"", "unknown"),
    ],
)
def test_more_than_a_mark(data: bytes, name: str) -> None:
    """Texts that begin like a program are none."""
    assert name == sniff(data).name


@pytest.mark.parametrize(
    ("endings", "data", "lies"),
    [
        (("jpg",), EXE, True),
        (("jpg",), b"\x89PNG\r\n\x1a\n", False),
        (("pdf",), b"PK\x03\x04", True),
        (("pdf",), b"%PDF-1.7", False),
        (("doc",), b"{\\rtf1", False),
        (("doc",), b"<html>", False),
        (("txt",), EXE, True),
        (("txt",), b"plain", False),
        (("xyz",), EXE, False),
        ((), EXE, False),
        (("pdf",), b"nobody knows", False),
    ],
)
def test_disguised(endings: tuple[str, ...], data: bytes, lies: bool) -> None:
    """Only endings that people trust make a claim, and only known bytes contradict it."""
    assert lies is disguised(endings, sniff(data))


def test_claims_are_types() -> None:
    """What an ending claims is a kind or a type that there is."""
    known = (
        {name for name, *_ in SIGNATURES} | {kind.value for kind in Kind} | {"ooxml", "odf", "html", "pdf"}
    )
    assert set().union(*CLAIMS.values()) <= known


def test_mail() -> None:
    """Three header fields make a message."""
    assert is_mail(b"From: a\r\nTo: b\n folded\r\nSubject: c\r\n\r\n")
    assert not is_mail(b"From: a\r\nhello\r\n")


@pytest.mark.parametrize("piece", [b"<!--", b"<?xml", b" ", b"a: b\n", b"a:\n ", b"<", b"\n"])
def test_linear(piece: bytes) -> None:
    """Beginnings without an end cost nothing."""
    data = piece * 20_000
    assert_cheap(0.025, sniff, data)
    assert_cheap(0.025, is_mail, data)


@given(st.binary(max_size=200))
def test_anything(data: bytes) -> None:
    """Whatever comes is a type."""
    assert isinstance(sniff(data), FileType)
    assert sniff(data) is UNKNOWN or sniff(data).name
