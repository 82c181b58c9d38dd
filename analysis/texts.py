"""The text of a post as it is read by the components: without links, mentions and marks.

Posts come in as they were written, sometimes with HTML entities. What is left here is what the author
says: ``#OpenData`` reads as two words, ``RT @somebody:`` and links as nothing. Every position of the
reading text leads back to the post's own text, so that evidence can be shown where it stands.
"""

from __future__ import annotations

import html
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

#: What is read of one post at most; the longest real post is a few thousand characters.
LONGEST = 10_000

_SPECIAL = re.compile(
    r"(?P<link>\b(?:https?://|www\.)\S+)"
    r"|(?P<mention>(?:\bRT\s+)?(?<![\w@])@\w+(?:[.@-]\w+)*:?)"
    r"|\#(?P<hashtag>\w+)"
    r"|(?P<entity>&(?:amp;)?(?:\#\d{1,7}|\#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});)"
    r"|(?P<surrogate>[\ud800-\udfff])"
)
_WORD_BORDER = re.compile(
    r"_+"
    r"|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])"
    r"|(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])"
    r"|(?<=[A-ZÀ-Þ])(?=[A-ZÀ-Þ][a-zà-ÿ])"
)
_WORD = re.compile(
    r"[^\W_](?:[\w\u0300-\u036f\u0591-\u05bd\u064b-\u065f\u0670\u093a-\u094d]|['’](?=\w))*(?:\+\+|\#)?"
    r"|[^\w\s\-‐‑–—/'’\"“”„«»()\[\]*~]"
)
#: Three letters: fewer say nothing of a language ("ok" and "no" are everywhere), nor to the encoder.
SAYS_SOMETHING = re.compile(r"(?:[^\W\d_][\W\d_]*){3}")
_REPAIRS = (
    (re.compile(r"https?://\S+|http\b\S*"), "http"),
    (re.compile(r"(?<!\w)@\w+"), "@user"),
    (re.compile(r"[\ud800-\udfff]"), "\ufffd"),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A post's reading text, and the way back.

    ``starts[i]`` is where piece i begins in the reading text; it stands for the half-open stretch
    ``begins[i]``, ``ends[i]`` of the post's own text. ``cut`` where the post was too long to read whole.
    """

    text: str
    starts: tuple[int, ...]
    begins: tuple[int, ...]
    ends: tuple[int, ...]
    cut: bool

    def words(self) -> list[str]:
        """The words, and the signs that separate sentences or say something (``?``, an emoji)."""
        return _WORD.findall(self.text)

    def word_spans(self) -> list[tuple[int, int]]:
        """Where each of the words stands in the reading text."""
        return [found.span() for found in _WORD.finditer(self.text)]

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The half-open span of the post's own text behind ``[start, end)`` of the reading text."""
        return self._there(start, 0), self._there(end - 1, 1)

    def _there(self, position: int, after: int) -> int:
        piece = bisect_right(self.starts, position) - 1
        begin, end = self.begins[piece], self.ends[piece]
        next_start = self.starts[piece + 1] if piece + 1 < len(self.starts) else len(self.text)
        if next_start - self.starts[piece] == end - begin:
            return begin + position - self.starts[piece] + after
        return end if after else begin


def read(text: str, own_hashtags: Collection[str] = ()) -> Reading:
    """The reading text of a post; ``own_hashtags`` (the meeting's, folded) say nothing and go.

    A text beyond ``LONGEST`` characters is read up to there, and ``cut`` says so.
    """
    pieces = [piece for piece in _pieces(text[:LONGEST], own_hashtags) if piece[0]]
    starts = accumulate((len(piece[0]) for piece in pieces), initial=0)
    return Reading(
        text="".join(piece[0] for piece in pieces),
        starts=tuple(starts)[:-1],
        begins=tuple(piece[1] for piece in pieces),
        ends=tuple(piece[2] for piece in pieces),
        cut=len(text) > LONGEST,
    )


def beside_hashtags(text: str) -> str:
    """The reading text of a post but for its hashtags."""
    text = text[:LONGEST]
    if "#" in text:
        text = _SPECIAL.sub(lambda found: " " if found.lastgroup == "hashtag" else found[0], text)
    return read(text).text


def has_words(text: str) -> bool:
    """Does a post say anything beside hashtags, links and mentions? A letter or an emoji is enough."""
    bare = _SPECIAL.sub(" ", text[:LONGEST])
    return any(character.isalpha() or character >= "\u2190" for character in bare)


def hashtags_folded(hashtags: Iterable[str]) -> frozenset[str]:
    """Hashtags as they are compared: without '#', case-folded and without accents."""
    return frozenset(fold(tag.removeprefix("#")) for tag in hashtags)


def fold(word: str) -> str:
    """A word without case and accents: what two words have in common that are the same to a reader."""
    if word.isascii():
        return word.lower()
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)) or word


def as_trained(text: str) -> str:
    """The text as the sentiment model knows texts: links are ``http``, mentions ``@user``, one line."""
    text = text[:LONGEST]
    if "&" in text:
        text = html.unescape(html.unescape(text))
    for pattern, replacement in _REPAIRS:
        text = pattern.sub(replacement, text)
    return " ".join(text.split())


def _pieces(text: str, own_hashtags: Collection[str]) -> Iterator[tuple[str, int, int]]:
    last = 0
    for found in _SPECIAL.finditer(text):
        start, end = found.span()
        if start > last:
            yield text[last:start], last, start
        last = end
        match found.lastgroup:
            case "hashtag":
                yield from _hashtag(found["hashtag"], start + 1, own_hashtags)
            case "entity":
                yield html.unescape(html.unescape(found["entity"])), start, end
            case "surrogate":
                yield "\ufffd", start, end
            case _:
                yield " ", start, end
    if last < len(text):
        yield text[last:], last, len(text)


def _hashtag(tag: str, at: int, own_hashtags: Collection[str]) -> Iterator[tuple[str, int, int]]:
    if own_hashtags and fold(tag) in own_hashtags:
        yield " ", at, at + len(tag)
        return
    last = 0
    for border in _WORD_BORDER.finditer(tag):
        if border.start() > last:
            yield tag[last : border.start()], at + last, at + border.start()
        yield " ", at + border.start(), at + border.end()
        last = border.end()
    if last < len(tag):
        yield tag[last:], at + last, at + len(tag)
