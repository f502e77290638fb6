"""Vendored files are complete, named by what is in them, and small."""

import pytest

from gatepost.console.assets import FOLDER, address, files


def test_address_holds_a_digest() -> None:
    """The address changes with the file; a file that is not there is a fault of ours."""
    assert f"/static/console.css?v={files()['console.css'].digest}" == address("console.css")
    with pytest.raises(KeyError):
        address("missing.css")


def test_each_vendored_file_has_its_licence() -> None:
    """Who wrote it is said beside it."""
    for folder in (FOLDER / "vendor").iterdir():
        if folder.is_dir():
            assert list(folder.glob("LICENSE*")), folder.name


def test_first_load_is_small() -> None:
    """All that a first page can load is under 100 kB, packed."""
    assert sum(len(file.packed) for file in files().values()) < 75_000
