"""What exports of meeting tools tell of people that is kept nowhere: their e-mail addresses.

They stay only in the words that somebody wrote themselves.
"""

from __future__ import annotations

import re
from dataclasses import replace

from archive.vocabulary import Unmapped
from collector.importers.base import dump, unmapped
from collector.importers.sheets import plain
from collector.importers.tabular import Cells
from collector.mapping import MappingError
from collector.mapping.chat import display_name

_LONGEST_HOST = 300
# Not thread.v2, which ends the name of a chat of Teams.
_HOST = re.compile(r".*\.(?:[^\W\d_]{2,}|xn--[\w-]+)\W*", re.DOTALL)
_COLUMN = re.compile(r"mail|correo|courriel|\bupn\b|principal name")
_GAPS = re.compile(r"([\s,;:\"'<>()\[\]{}|]+)")
_EMPTY_BRACKETS = re.compile(r"[<(\[]\s{0,9}[>)\]]")


def person(cell: str | None) -> str:
    """A display name without an e-mail address; of a name that is one, what stands before the @."""
    if not cell:
        return ""
    if (bare := without_addresses(cell)) == cell:
        return display_name(cell)
    name = _EMPTY_BRACKETS.sub("", bare)
    if any(char.isalnum() for char in name):
        return display_name(name)
    return display_name(next((part.partition("@")[0] for part in _GAPS.split(cell) if _is_address(part)), ""))


def without_addresses(text: str, instead: str = "") -> str:
    """The text with something else in place of each e-mail address."""
    if "@" not in text:
        return text
    return "".join(instead if _is_address(part) else part for part in _GAPS.split(text))


def raw_cells(cells: Cells, words: str | None) -> str:
    """A row as JSON text, without addresses except where people wrote them: in the column ``words``."""
    kept = {
        name: cell if name == words else without_addresses(cell)
        for name, cell in cells.items()
        if not _COLUMN.search(plain(name))
    }
    return dump({name: cell for name, cell in kept.items() if cell})


def unread(error: MappingError, raw: str, where: str, *accounts: str) -> Unmapped:
    """What could not be mapped, with the accounts that may have written it: some want nothing kept."""
    return replace(unmapped(str(error), raw, where), accounts=accounts)


def _is_address(word: str) -> bool:
    name, _, host = word.rpartition("@")
    return bool(name) and not name.startswith("@") and _HOST.fullmatch(host[-_LONGEST_HOST:]) is not None
