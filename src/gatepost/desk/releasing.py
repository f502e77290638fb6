"""A person's own release of kept mail: looked into first, and handed on all the same where he says so.

What an early check refused was kept unread; what was held while the scanner was dead was never scanned.
Nothing filters a released mail again, so the checks of a digest's links are asked (`gatepost.desk.malice`).
Unlike a link's reader, a person who may change the domain may overrule them: in so many words, never by
the usual button.
"""

from __future__ import annotations

from gatepost.desk import archive, malice
from gatepost.desk.deeds import ALL_THE_SAME
from gatepost.desk.desk import Desk
from gatepost.desk.errors import Conflict
from gatepost.spool.index import Kept


class Doubtful(Conflict):
    """The domain's virus check is against the release, or cannot look at the mail now; nothing was done."""

    def __init__(self, kept: Kept, doubt: malice.Doubt) -> None:
        self.kept = kept
        self.doubt = doubt
        why = "the virus check refuses it" if doubt.answered else "the virus check cannot look at it now"
        super().__init__(f"{kept.id} for {kept.recipient} is not released, {why}: {doubt.said}")


class Releasing:
    """Releases, one mail or many."""

    def __init__(self, desk: Desk, *, again: bool = False, all_the_same: bool = False) -> None:
        self._desk = desk
        self._again = again
        self._all_the_same = all_the_same
        self._silent: dict[str, malice.Doubt] = {}
        """Domain -> why its check could not answer: it is not asked again for each of many mails."""

    def release(self, kept: Kept) -> archive.Release:
        """Hand a kept mail on; Doubtful where it should not be."""
        self.look(kept)
        return self.hand_on(kept)

    def hand_on(self, kept: Kept) -> archive.Release:
        """Hand on what was looked at just now."""
        deed = ALL_THE_SAME if self._all_the_same else "released"
        return archive.release(self._desk, kept, again=self._again, deed=deed)

    def look(self, kept: Kept) -> None:
        """Raise Doubtful where the domain's virus check is against a release."""
        if self._all_the_same or not self._begins(kept):
            return
        doubt = self._silent.get(kept.domain) or malice.found(self._desk, kept)
        if doubt is None:
            return
        if not doubt.answered:
            self._silent[kept.domain] = doubt
        raise Doubtful(kept, doubt)

    def _begins(self, kept: Kept) -> bool:
        """Return whether this is a delivery of its own: what waits or was delivered had its look."""
        state = archive.state(self._desk, kept).state
        return state == "" or (state == archive.DELIVERED and self._again)
