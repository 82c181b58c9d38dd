from __future__ import annotations

from archive.vocabulary import Unmapped
from collector.importers.chat_blocks import Block, blocks


def test_lines_stand_under_their_headers() -> None:
    long = Unmapped("longer than can be", None, "line 5")
    lines = ["before\n", "# one\r\n", "  a\n", "\n", long, "lost\n", "# two"]
    found = list(blocks(lines, lambda line: line if line.startswith("#") else None))
    assert found == [
        Block(None, "line 1", ["before"]),
        Block("# one", "line 2", ["  a", ""]),
        long,
        Block(None, "line 5", ["lost"]),
        Block("# two", "line 7", []),
    ]
    assert isinstance(found[1], Block)
    assert found[1].text == "a"
    assert list(blocks([], lambda line: line)) == []
