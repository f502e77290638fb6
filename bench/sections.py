"""RESULTS.md made anew from all that was kept, whichever program measured last."""

from pathlib import Path

from bench.places import BENCH, NOTES, RESULTS


def write_page(folder: Path = BENCH) -> None:
    """Write the page."""
    from bench import classifier, impersonation, storm  # each of them calls this
    from bench.report import kept, page

    more = [*storm.section(), *classifier.section(), *impersonation.section()]
    (folder / "RESULTS.md").write_text(page(kept(RESULTS), more, NOTES.read_text()))
