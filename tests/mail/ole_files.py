"""OLE files for the tests, written by hand: a header, a table, a directory, streams (MS-CFB, 2.2 to 2.6)."""

from __future__ import annotations

import struct

from gatepost.mail.ole import MAGIC

FREE, END, TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
Tree = dict[str, "bytes | Tree"]
"""Name -> a stream's bytes, or a storage."""


def ole(names: list[str] | Tree, clsid: bytes = bytes(16)) -> bytes:
    """Return an OLE file with these names, or with this tree of streams; large and small ones."""
    tree: Tree = names if isinstance(names, dict) else {name: {} for name in names}
    rows: list[tuple[str, int, int, int, bytes]] = []  # name, kind, right, child, data
    rows.append(("Root Entry", 5, FREE, FREE, b""))
    _add(tree, 0, rows)
    small, small_table, large, chains = b"", [], b"", []
    places: list[tuple[int, int]] = []
    for _, kind, _, _, data in rows:
        if kind != 2 or not data:
            places.append((END, 0))
        elif len(data) < 4096:
            first, count = len(small) // 64, -(-len(data) // 64)
            places.append((first, len(data)))
            small += data.ljust(count * 64, b"\0")
            small_table += [*range(first + 1, first + count), END]
        else:
            places.append((len(large) // 512, len(data)))
            chains.append(-(-len(data) // 512))
            large += data.ljust(chains[-1] * 512, b"\0")
    # Sectors: directory, table of small ones, small ones, large ones; the table of all stands at the end.
    directory_size = -(-len(rows) * 128 // 512)
    table = struct.pack(f"<{len(small_table)}L", *small_table)
    blocks = [directory_size, -(-len(table) // 512), -(-len(small) // 512)]
    starts = [0, blocks[0], blocks[0] + blocks[1], sum(blocks)]
    numbers: list[int] = []
    for count in [*blocks, *chains]:
        numbers += [*range(len(numbers) + 1, len(numbers) + count), END] if count else []
    tables = 1
    while tables * 128 < len(numbers) + tables:
        tables += 1
    at = len(numbers)
    numbers += [TABLE] * tables
    directory = b""
    for (name, kind, right, child, _), (first, size) in zip(rows, places, strict=True):
        if kind == 5:
            first, size = (starts[2], len(small)) if small else (END, 0)
        elif size >= 4096:
            first += starts[3]
        raw = name.encode("utf-16-le") + b"\0\0"
        directory += raw.ljust(64, b"\0") + struct.pack("<HBB3L", len(raw), kind, 1, FREE, right, child)
        directory += (clsid if kind == 5 else bytes(16)) + bytes(20) + struct.pack("<LQ", first, size)
    fields = struct.pack("<16s5H6x4L", bytes(16), 0x3E, 3, 0xFFFE, 9, 6, 0, tables, 0, 0)
    more = struct.pack("<5L", 4096, starts[1] if table else END, blocks[1], END, 0)
    listed = struct.pack("<109L", *range(at, at + tables), *[FREE] * (109 - tables))
    body = b"".join(
        part.ljust(-(-len(part) // 512) * 512, b"\0") for part in (directory, table, small, large)
    )
    numbers += [FREE] * (tables * 128 - len(numbers))
    return MAGIC + fields + more + listed + body + struct.pack(f"<{len(numbers)}L", *numbers)


def _add(tree: Tree, parent: int, rows: list[tuple[str, int, int, int, bytes]]) -> None:
    """Add what is in a storage: each to the right of the one before."""
    before = -1
    for name, what in tree.items():
        number = len(rows)
        rows.append(
            (
                name,
                2 if isinstance(what, bytes) or not what else 1,
                FREE,
                FREE,
                what if isinstance(what, bytes) else b"",
            )
        )
        if before < 0:
            rows[parent] = (*rows[parent][:3], number, rows[parent][4])
        else:
            rows[before] = (*rows[before][:2], number, *rows[before][3:])
        before = number
        if isinstance(what, dict):
            _add(what, number, rows)


def message(*files: tuple[str, bytes]) -> bytes:
    """Return a message as Outlook saves it, with these attachments."""
    tree: Tree = {"__properties_version1.0": b"x" * 32}
    for n, (name, data) in enumerate(files):
        tree[f"__attach_version1.0_#{n:08X}"] = {
            "__substg1.0_3707001F": name.encode("utf-16-le"),
            "__substg1.0_37010102": data,
        }
    return ole(tree)


def packed(name: str, data: bytes) -> bytes:
    """Return the stream in which a document keeps a file that was packed into it."""
    raw = name.encode("cp1252") + b"\0"
    inner = struct.pack("<H", 2) + raw + b"C:\\" + raw + struct.pack("<LL", 3, len(raw)) + raw
    inner += struct.pack("<L", len(data)) + data
    return struct.pack("<L", len(inner)) + inner
