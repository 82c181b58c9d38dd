"""What must not be kept of records that could not be read: whatever may have been a direct message.

Each importer knows its own format's private messages. This net is below them all, for what is damaged,
and for files that were read as another format than their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from archive.vocabulary import Item, Private, Unmapped

_MARKS = re.compile(
    r"""
      direct[ _-]?message | message_?create | \b dm_?(?:conversation|event) | "kind"\s*:\s*"dm"
    | "(?:recipient|sender)(?:_?id|_screen_name)?"\s*:
    | "visibility"\s*:\s*"(?!public"|unlisted")
    | \( \s* privately \s* \)
    | \d:\d\d .{0,20} \b From \b .{0,300} \b to \b
    """,
    re.IGNORECASE | re.VERBOSE,
)


class Net:
    """Takes the payloads of unreadable items away from the first private trace on.

    From there on all of them, since damage may have cut a message from the words that say what it is.
    """

    def __init__(self) -> None:
        self._private = False

    def through(self, item: Item) -> Item:
        """The next item of a file, as it may be kept."""
        if isinstance(item, Unmapped) and item.payload is not None:
            self._private = self._private or _MARKS.search(item.payload) is not None
            return replace(item, payload=None) if self._private else item
        self._private = self._private or isinstance(item, Private)
        return item


def hushed(items: Iterable[Item]) -> Iterator[Item]:
    """The items of a file, without the payloads of unreadable ones from the first private trace on."""
    net = Net()
    yield from map(net.through, items)
