"""The components of the pipeline: one module each, registered in ``analysis.pipeline.PIPELINE``.

A component is a spaCy factory whose object has a ``version`` and offers ``tags(doc)``: what it found in a
post, with the evidence. What components leave for each other stands in the Doc's extensions, which
``normalise`` declares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from archive.vocabulary import Tag

if TYPE_CHECKING:
    from spacy.tokens import Doc


class Component(Protocol):
    """What the pipeline expects of a component beside being callable on a Doc."""

    version: str

    def tags(self, doc: Doc) -> list[Tag]:
        """What the component found in this post; one tag at least, "none" being one."""
        ...
