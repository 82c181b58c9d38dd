"""The components of the pipeline: one module each, registered in ``analysis.pipeline.PIPELINE``.

A component is a spaCy factory whose object has a ``version`` and offers ``tags(doc)``: what it found in a
post, with the evidence. What components leave for each other stands in the Doc's extensions, which
``normalise`` declares.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Protocol, TypeVar

from archive.vocabulary import Tag

if TYPE_CHECKING:
    from spacy.tokens import Doc


Item = TypeVar("Item")


class Component(Protocol):
    """What the pipeline expects of a component beside being callable on a Doc."""

    version: str

    def tags(self, doc: Doc) -> list[Tag]:
        """What the component found in this post: one tag at least, "none" being one; a vector is no tag."""
        ...


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Items in their order, ``size`` at a time; none is asked for before it is needed."""
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch
