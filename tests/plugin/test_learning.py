"""What the classifier's plugins share: features once for a mail, and no crash without numpy."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from gatepost.plugin.learning import MISSING, models_in
from gatepost.plugin.tools import CannotAnswer
from tests.plugins.test_classifier import House, spam_mail


def test_opened_once_and_late(tmp_path: Path) -> None:
    """Nothing is made before somebody asks, and then once."""
    models = models_in(tmp_path)
    assert not (tmp_path / "learn").exists()
    assert models() is models()


def test_features_are_worked_out_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many domains a mail goes to."""
    from gatepost.learn import features as module

    count = 0
    real = module.features

    def counted(*arguments: Any) -> Any:
        nonlocal count
        count += 1
        return real(*arguments)

    monkeypatch.setattr(module, "features", counted)
    house = House(tmp_path)
    house.ask(spam_mail(1), ("example.org", "other.example"))
    assert 1 == count


def test_without_numpy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check cannot answer and names the extra; the mail goes on."""
    house = House(tmp_path)
    monkeypatch.setitem(sys.modules, "gatepost.learn.features", None)
    monkeypatch.setitem(sys.modules, "gatepost.store.models", None)
    (finding,) = house.ask(spam_mail(1))
    assert finding.verdict is None
    assert MISSING in finding.failure
    assert issubclass(CannotAnswer, Exception)
