"""Why a score is what it is: the sum is linear, so each part of it has its share."""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.learn.features import RAW, TEXT, WORDS, Features
from gatepost.learn.model import Model
from gatepost.learn.words import group_of

STRONGEST = 10


@dataclass(slots=True)
class Explanation:
    """A score in parts; all in log-odds, above 0 speaks for spam."""

    total: float
    groups: dict[str, float]
    """`raw bytes`, `raw text`, then words by where they stood: evidence is spread thin, sums say most."""
    spam: list[tuple[str, float]]
    """The strongest words for spam, then those for ham."""
    ham: list[tuple[str, float]]

    def text(self) -> str:
        """Return one line for journal and terminal."""
        groups = ", ".join(
            f"{name} {share:+.1f}" for name, share in self.groups.items() if abs(share) >= 0.05
        )
        strongest = sorted([*self.spam[:5], *self.ham[:5]], key=lambda one: -abs(one[1]))
        words = ", ".join(f"{word} {share:+.2f}" for word, share in strongest)
        side = "spam" if self.total > 0 else "ham"
        return f"{side} {self.total:+.1f} = {groups or 'nothing learnt yet'}" + (
            f"; {words}" if words else ""
        )


def explain(model: Model, features: Features) -> Explanation:
    """Explain a message whose words are at hand."""
    score = model.score(features)
    groups = {
        "raw bytes": float(model.join[RAW]) * score.views[RAW],
        "raw text": float(model.join[TEXT]) * score.views[TEXT],
    }
    each = model.contributions(WORDS, features.views[WORDS])
    shares = list(zip(features.words, (float(x) for x in each), strict=True))
    for word, share in shares:
        group = group_of(word)
        groups[group] = groups.get(group, 0.0) + share
    groups["bias"] = float(model.join[-1])
    shares.sort(key=lambda one: one[1])
    ham = [one for one in shares[:STRONGEST] if one[1] < 0]
    spam = [one for one in reversed(shares[-STRONGEST:]) if one[1] > 0]
    return Explanation(score.total, groups, spam, ham)
