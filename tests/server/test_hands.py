"""What a process has in its hands is seen by others, also when the process is dead."""

from __future__ import annotations

from gatepost.server.hands import BYTES, SIZE, SLOTS, Hands

A, B = b"a" * SIZE, b"b" * SIZE


def test_taken_and_put() -> None:
    """Seen while it is held, each message once, and gone behind it."""
    memory = memoryview(bytearray(BYTES))
    mine, parents = Hands(memory), Hands(memory)
    assert [] == parents.all()
    slots = [mine.take(A), mine.take(B), mine.take(A)]
    assert [A, B] == parents.all()
    assert [A, B, A] == [parents.read(slot) for slot in slots]
    for slot in slots:
        mine.put(slot)
    assert [] == parents.all()
    assert b"" == parents.read(slots[0]) == parents.read(0) == parents.read(SLOTS + 1)


def test_full() -> None:
    """There is an end: then nobody is blamed, and nothing breaks; what is freed is used again."""
    hands = Hands(memoryview(bytearray(BYTES)))
    slots = [hands.take(b"%016d" % n) for n in range(SLOTS)]
    assert SLOTS == len(set(slots)) == len(hands.all())
    assert 0 == hands.take(A)
    hands.put(0)
    hands.put(slots[7])
    assert slots[7] == hands.take(A)
    assert 0 == hands.take(B)
