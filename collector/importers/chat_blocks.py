"""Chats saved as text: a header of who spoke and when, and the lines that follow it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from archive.vocabulary import Unmapped

Header = TypeVar("Header")


@dataclass(slots=True)
class Block(Generic[Header]):
    """A header with the lines below it; None for lines before the first, or after one too long to read."""

    header: Header | None
    where: str
    lines: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The lines as one text, without blanks around it."""
        return "\n".join(self.lines).strip()


def blocks(
    lines: Iterable[str | Unmapped], header_of: Callable[[str], Header | None]
) -> Iterator[Block[Header] | Unmapped]:
    """The lines of a chat under their headers; ``header_of`` says which line is one."""
    block: Block[Header] | None = None
    for number, line in enumerate(lines, 1):
        where = f"line {number}"
        header = None if isinstance(line, Unmapped) else header_of(line.strip())
        if block is None or header is not None or isinstance(line, Unmapped):
            if block is not None:
                yield block
            block = Block(header, where)
        if isinstance(line, Unmapped):
            yield line
        elif header is None:
            block.lines.append(line.rstrip("\r\n"))
    if block is not None:
        yield block
