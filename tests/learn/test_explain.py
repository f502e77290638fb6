"""A score in parts that add up, with words that are in the message."""

from __future__ import annotations

import pytest

from gatepost.learn.explain import STRONGEST, explain
from gatepost.learn.model import Model
from tests.learn.mails import ham, spam
from tests.learn.test_model import trained


@pytest.mark.parametrize("one", [spam(99), ham(99)], ids=["spam", "ham"])
def test_the_parts_are_the_whole(one: object) -> None:
    """Groups add up to the total (but for clipping, which is far away here)."""
    model = trained()
    found = explain(model, one)  # type: ignore[arg-type]
    assert model.score(one).total == pytest.approx(found.total)  # type: ignore[arg-type]
    assert found.total == pytest.approx(sum(found.groups.values()), abs=0.02)


def test_words() -> None:
    """The strongest first, on their side, and such as the message has."""
    found = explain(trained(), spam(99))
    assert 0 < len(found.spam) <= STRONGEST
    assert all(share > 0 for _, share in found.spam)
    assert all(share < 0 for _, share in found.ham)
    assert [share for _, share in found.spam] == sorted((share for _, share in found.spam), reverse=True)
    assert {"b:pills", "b:cheap", "s:offer"} & {word for word, _ in found.spam}


def test_text() -> None:
    """One line, with the side first."""
    assert explain(trained(), spam(99)).text().startswith("spam +")
    assert explain(trained(), ham(99)).text().startswith("ham -")
    assert "nothing learnt yet" in explain(Model.empty(), ham(1)).text()
