"""Themes by the words of the meeting file: keywords in any language, and the themes' titles.

Case and accents do not matter, nor whether the words stand in a hashtag (``#OpenData``, ``#opendata``);
a plural in -s is understood. What matched is the evidence. A theme's score is n / (n + 1) for n
different keywords found: it orders posts and is no probability.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from spacy.language import Language
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc

from analysis.texts import fold, read
from archive.vocabulary import NONE, Meeting, Tag

NAME = "theme"
SPANS_SHOWN = 10
SHORTEST_SINGULAR = 5  # letters; below it "news" would be found in "new"
SHORTEST_JOINED = 6  # letters of words written together, as in "opendata"
LONGEST_ACRONYM = 4  # "IT" is not "it"


@dataclass(frozen=True, slots=True)
class Match:
    """A keyword found, at ``[start, end)`` of the post's own text."""

    start: int
    end: int
    text: str
    keyword: str


@dataclass(frozen=True, slots=True)
class Found:
    """A theme found, with all that speaks for it."""

    slug: str
    score: float
    matches: tuple[Match, ...]


def settings(meeting: Meeting) -> dict[str, Any]:
    """Each theme's phrases, as JSON: spaCy would read ``${…}`` in a title as a reference."""
    phrases = [
        (theme.slug, list(dict.fromkeys((theme.title, *(w for ws in theme.keywords.values() for w in ws)))))
        for theme in meeting.themes
    ]
    return {"phrases": json.dumps(phrases, ensure_ascii=True).replace("$", "\\u0024")}


@Language.factory(NAME, default_config={"phrases": "[]"})
class ThemeTagger:
    """``doc._.themes`` is a tuple of Found, in the order of the agenda."""

    def __init__(self, nlp: Language, name: str, phrases: str) -> None:
        self.keywords: list[tuple[str, str]] = [
            (slug, keyword) for slug, keywords in json.loads(phrases) for keyword in keywords
        ]
        self.slugs = list(dict.fromkeys(slug for slug, _ in self.keywords))
        self.version = f"theme 1 {hashlib.sha256(phrases.encode()).hexdigest()[:8]}"
        self.matcher = PhraseMatcher(nlp.vocab, attr="NORM")
        for number, (_, keyword) in enumerate(self.keywords):
            docs = [Doc(nlp.vocab, words=words) for words in variants(keyword)]
            if docs:
                self.matcher.add(str(number), docs)
        self.strings = nlp.vocab.strings

    def __call__(self, doc: Doc) -> Doc:
        hits = self.matcher(doc)
        doc._.themes = tuple(self._found(doc, hits)) if hits else ()
        return doc

    def _found(self, doc: Doc, hits: Sequence[tuple[int, int, int]]) -> Iterator[Found]:
        by_theme: dict[str, list[Match]] = {}
        spans = doc._.reading.word_spans()
        for match_id, first, last in hits:
            slug, keyword = self.keywords[int(self.strings[match_id])]
            start, end = doc._.reading.original(spans[first][0], spans[last - 1][1])
            match = Match(start, end, doc._.post_text[start:end], keyword)
            if _spelt_as_meant(match, doc._.post_text):
                by_theme.setdefault(slug, []).append(match)
        for slug in self.slugs:
            if slug in by_theme:
                matches = _outermost(by_theme[slug])
                count = len({fold(match.keyword) for match in matches})
                yield Found(slug, round(count / (count + 1), 4), matches)

    def tags(self, doc: Doc) -> list[Tag]:
        """A tag for each theme found, with the matching spans; else one that says none."""
        themes = doc._.themes
        if not themes:
            return [Tag(component=NAME, label=NONE, version=self.version)]
        return [
            Tag(
                component=NAME,
                label=found.slug,
                score=found.score,
                evidence={"spans": [_as_json(match) for match in found.matches[:SPANS_SHOWN]]},
                version=self.version,
            )
            for found in themes
        ]


def variants(keyword: str) -> list[list[str]]:
    """The ways in which a keyword may stand in a post, as folded words."""
    words = [fold(word) for word in read(keyword).words()]
    if not words:
        return []
    ways = [words, [_plural(word) for word in words], [_singular(word) for word in words]]
    ways.append([*words[:-1], _plural(words[-1])])
    if len(words) > 1 and len("".join(words)) >= SHORTEST_JOINED:
        ways.append(["".join(words)])
    return [list(way) for way in dict.fromkeys(map(tuple, ways))]


def _plural(word: str) -> str:
    if len(word) < SHORTEST_SINGULAR - 1 or not word.isalpha() or word.endswith("s"):
        return word
    return word[:-1] + "ies" if word.endswith("y") and word[-2] not in "aeiou" else word + "s"


def _singular(word: str) -> str:
    if len(word) <= SHORTEST_SINGULAR or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    return word[:-3] + "y" if word.endswith("ies") else word[:-1]


def _spelt_as_meant(match: Match, text: str) -> bool:
    """An acronym must be written as one, unless it is a hashtag."""
    keyword = match.keyword.strip()
    if len(keyword) > LONGEST_ACRONYM or not keyword.isupper() or len(keyword) == 1:
        return True
    return match.text.isupper() or text[match.start - 1 : match.start] == "#"


def _outermost(matches: Iterable[Match]) -> tuple[Match, ...]:
    """Matches by position, without those inside a longer one."""
    kept: list[Match] = []
    for match in sorted(matches, key=lambda m: (m.start, -m.end)):
        if not kept or match.end > kept[-1].end:
            kept.append(match)
    return tuple(kept)


def _as_json(match: Match) -> dict[str, Any]:
    return {"start": match.start, "end": match.end, "text": match.text, "keyword": match.keyword}
