"""The section on the storm says what was measured, and judges it."""

from bench.report import page
from bench.storm import Figures, Row, lines


def figures(cpu: float) -> Figures:
    rows = [
        Row("Postfix smtpd: nobody of that name", 5_000, 0.9, 1_450.0, 32.0, 0, 0.0),
        Row("storm: nobody of that name", 40_000, cpu, 8_000.0, 6.5, 0, 0.01),
        Row("dictionary: ten names a session", 10_000, 0.7, 1_100.0, 9.0, 0, 0.0),
    ]
    return Figures(
        "25 Nov 2026", "a machine", "Gatepost 1", rows, (1.3, 5.0), (1.7, 20.5, 4_000), 2, 5_000.0,
        (29.0, 31.0), {"journal.db": 12.34}, 40_400, 0,
    )  # fmt: skip


def verdicts(cpu: float) -> list[str]:
    table = [line.split("|") for line in lines(figures(cpu)) if line.startswith("| ")]
    return [cells[5].strip() for cells in table[1:]]


def test_judged_by_postfix() -> None:
    """A storm's refusal may cost a third of Postfix's; the peer and ten names in a session have no bar."""
    assert ["", "met", ""] == verdicts(0.3)
    assert ["", "**missed**", ""] == verdicts(0.31)


def test_all_is_said() -> None:
    """Latency before and within, failures, memory, disk, rows and archive stand in the page."""
    text = page([], lines(figures(0.1)))
    for said in (
        "p50 1.3 ms, p99 5.0 ms before; p50 1.7 ms, p99 20.5 ms",
        "within (of the worst 200 of 4,000), 5000 sessions/s, 2 failed",
        "29 MB before, 31 MB at most",
        "journal.db +12.3 MB; 40,400 journal rows, 0 files in the archive",
    ):
        assert said in text
