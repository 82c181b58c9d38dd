from __future__ import annotations

from collections.abc import Callable

from archive.shown import TEXT, account, printable
from archive.store import Archive
from archive.vocabulary import Received


def test_a_repost_without_words_shows_those_it_passes_on(
    archive: Archive, receive: Callable[..., Received]
) -> None:
    said = receive(1, text="open data for all")
    archive.write(
        [
            said,
            receive(2, text="", kind="repost", repost_of=said.post.key),
            receive(3, text="", kind="repost", repost_of="x:1"),
            receive(4, text=""),
        ]
    )
    rows = archive.conn.execute(f"SELECT {TEXT} FROM posts p ORDER BY id").fetchall()
    assert [row[0] for row in rows] == ["open data for all", "open data for all", "", ""]


def test_authors_are_named_by_handle_did_or_name() -> None:
    assert account("bc_ana", "Ana") == "@bc_ana"
    assert account("did:plc:abcdefghijklmnop", None) == "did:plc:abcdefgh…"
    assert account(None, "Ana Beltrán") == "Ana Beltrán"
    assert account(None, None) == "somebody"


def test_control_characters_become_blanks() -> None:
    assert printable("a\x1b[31m\nb\0\u202ec é 🙂") == "a [31m b  c é 🙂"
    assert printable("a\nb", keep="\n") == "a\nb"
