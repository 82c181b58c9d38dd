"""The tokenizer: a post becomes the words that its author says, each with the way back to the post."""

from __future__ import annotations

from collections.abc import Iterable

from spacy.attrs import NORM  # type: ignore[import-not-found]  # compiled, without stubs
from spacy.tokens import Doc
from spacy.vocab import Vocab

from analysis.texts import fold, hashtags_folded, read

#: What components leave for each other, ``None`` where nothing was left.
_LEFT = (
    *("post_text", "reading", "language", "language_score", "vector"),
    *("themes", "theme_scores", "themes_before"),
    *("sentiment", "logistics", "question", "to_chair", "names"),
)
for _name in _LEFT:
    Doc.set_extension(_name, default=None, force=True)
Doc.set_extension("asked", default=False, force=True)


def vocabulary() -> Vocab:
    """A vocabulary in which words that differ in case or accents only have the same norm."""
    return Vocab(lex_attr_getters={NORM: fold})


class Normaliser:
    """Makes Docs of posts: links, mentions and the meeting's own hashtags are out, others are split.

    ``doc._.post_text`` is the post as written, ``doc._.reading`` its reading text. ``doc._.vector`` is set by
    whoever makes the Doc where it is known already (float32, 512 values), ``doc._.asked`` where it came in by
    a Q&A channel.
    """

    def __init__(self, vocab: Vocab, own_hashtags: Iterable[str] = ()) -> None:
        self.vocab = vocab
        self.own_hashtags = hashtags_folded(own_hashtags)

    def __call__(self, text: str) -> Doc:
        reading = read(text, self.own_hashtags)
        doc = Doc(self.vocab, words=reading.words())
        found = doc._
        found.post_text, found.reading = text, reading
        return doc
