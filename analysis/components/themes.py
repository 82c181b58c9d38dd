"""Themes from what the organiser wrote of them: by the words of a post, and by what it is about.

Words are the keywords, in any language, and the titles. Case and accents do not matter, nor whether they
stand in a hashtag (``#OpenData``, ``#opendata``); a plural in -s is understood. What a post is about is its
vector (``analysis.theme_model``), and what people corrected counts as well (``analysis.theme_fit``). A
theme's score is a number between 0 and 1; from one half on it is chosen.

Without an encoder words alone choose, and the tags say so: the score is then n / (n + 1) for n keywords.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc

from analysis import theme_fit, theme_model
from analysis.components import batches
from analysis.encoder import DIMENSIONS, EncoderMissing, load, unpack
from analysis.texts import SAYS_SOMETHING, fold, read
from archive.vocabulary import NONE, NOTHING, Learned, Meeting, Tag

NAME = "theme"
SPANS_SHOWN = 10
ALTERNATIVES_SHOWN = 3
SHORTEST_SINGULAR = 5  # letters; below it "news" would be found in "new"
SHORTEST_JOINED = 6  # letters of words written together, as in "opendata"
LONGEST_ACRONYM = 4  # "IT" is not "it"


Floats = NDArray[np.float64]
Method = Literal["words", "vector", "learned"]


@dataclass(frozen=True, slots=True)
class Match:
    """A keyword found, at ``[start, end)`` of the post's own text."""

    start: int
    end: int
    text: str
    keyword: str


@dataclass(frozen=True, slots=True)
class Found:
    """A theme found, with what speaks for it: words found in the post, phrases near it with the cosine.

    ``before`` is its score before people's corrections, where it learned from some.
    """

    slug: str
    score: float
    matches: tuple[Match, ...]
    near: tuple[tuple[str, float], ...] = ()
    method: Method = "words"
    before: float | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What the meeting file says of a theme, and the keywords that people accepted since."""

    slug: str
    title: str
    description: str
    keywords: tuple[str, ...]

    @property
    def wordings(self) -> tuple[str, ...]:
        """What is looked for in the words of posts."""
        return tuple(dict.fromkeys((self.title, *self.keywords)))


def settings(meeting: Meeting) -> dict[str, Any]:
    """What is written of each theme, as JSON: spaCy would read ``${…}`` in a title as a reference."""
    themes = [
        (theme.slug, theme.title, theme.description, [word for of in theme.keywords.values() for word in of])
        for theme in meeting.themes
    ]
    return {"themes": json.dumps(themes, ensure_ascii=True).replace("$", "\\u0024")}


@Language.factory(NAME, default_config={"themes": "[]"})
class ThemeTagger:
    """``doc._.themes`` is a tuple of Found, in the order of the agenda; ``theme_scores`` has every theme,
    ``themes_before`` the scores of those that learned from corrections, before they did."""

    def __init__(self, nlp: Language, name: str, themes: str) -> None:
        self.vocab, self.nlp = nlp.vocab, nlp
        self.agenda = [
            Written(slug, title, about, tuple(words)) for slug, title, about, words in json.loads(themes)
        ]
        self.slugs = [theme.slug for theme in self.agenda]
        self.settled = f"{hashlib.sha256(themes.encode()).hexdigest()[:8]}"
        self.teach(NOTHING)

    def teach(self, learned: Learned) -> None:
        """Begin anew from the meeting file, with what people taught: keywords, then corrections.

        The version becomes another one where that can change the themes of posts. After an error all is
        as it was.
        """
        themes = [_with_keywords(theme, learned) for theme in self.agenda]
        words = Words(self.vocab, [theme.wordings for theme in themes])
        meaning = _meaning(themes)
        lesson = self._fit(meaning, words, learned) if meaning else None
        by = meaning.model.version if meaning else "words"
        taught = learned.version if lesson else _more_words(self.agenda, themes)
        self.version = " ".join(filter(None, ("theme 2", by, self.settled, taught)))
        self.words, self.meaning, self.lesson = words, meaning, lesson

    def __call__(self, doc: Doc) -> Doc:
        return next(self.pipe([doc]))

    def pipe(self, docs: Iterable[Doc], batch_size: int = 256) -> Iterator[Doc]:
        """Find the themes of posts, a batch at a time. Each stands alone: its neighbours change nothing."""
        for batch in batches(docs, batch_size):
            matches = [self.words.find(doc) for doc in batch]
            meant = [number for number, doc in enumerate(batch) if self._means_something(doc)]
            judged = self._judge([batch[n] for n in meant], [matches[n] for n in meant])
            odds = dict(zip(meant, zip(*judged, strict=True), strict=True))
            for number, doc in enumerate(batch):
                self._choose(doc, matches[number], *odds.get(number, (None, None)))
            yield from batch

    def tags(self, doc: Doc) -> list[Tag]:
        """A tag for each theme found, with what speaks for it and the next best; else one that says none."""
        alternatives = self._alternatives(doc)
        if not doc._.themes:
            evidence = {"alternatives": alternatives} if alternatives else None
            return [Tag(component=NAME, label=NONE, evidence=evidence, version=self.version)]
        return [
            Tag(
                component=NAME,
                label=found.slug,
                score=found.score,
                evidence=_evidence(found) | ({"alternatives": alternatives} if alternatives else {}),
                version=self.version,
            )
            for found in doc._.themes
        ]

    def _means_something(self, doc: Doc) -> bool:
        """Is there something but words to judge by?"""
        seen = doc._.vector is not None and bool(self.slugs) and self.meaning is not None
        return seen and SAYS_SOMETHING.search(doc._.reading.text) is not None

    def _judge(
        self, docs: Sequence[Doc], matches: Sequence[Mapping[int, tuple[Match, ...]]]
    ) -> tuple[Floats, Floats]:
        """Log-odds, (posts, themes), counted from where a theme is chosen: by all that is known, and by what
        the organiser wrote alone."""
        if self.meaning is None or not docs:
            return np.empty((0, len(self.slugs))), np.empty((0, len(self.slugs)))
        vectors = np.stack([doc._.vector for doc in docs])
        prior = self.meaning.judge(vectors, counted(matches, len(self.slugs)))
        odds = prior if self.lesson is None else self.lesson.odds(prior, vectors)
        begins = self.meaning.model.constants.begins
        return odds - begins, prior - begins

    def _fit(self, meaning: theme_model.Agenda, words: Words, learned: Learned) -> theme_fit.Lesson | None:
        """What the corrections teach; None where they change nothing."""
        sound = [taught for taught in learned.corrections if _is_sound(taught.vector)]
        if not sound:
            return None
        vectors = np.stack([unpack(taught.vector) for taught in sound])
        docs = [self.nlp.make_doc(taught.text) for taught in sound]
        truth = np.array([[slug in taught.themes for slug in self.slugs] for taught in sound])
        found = counted([words.find(doc) for doc in docs], len(self.slugs))
        begins = meaning.model.constants.begins
        around = [unpack(vector) for vector in learned.around if _is_sound(vector)]
        middle = meaning.model.middle(np.array(around, np.float32).reshape(-1, DIMENSIONS))
        lesson = theme_fit.fit(meaning.judge(vectors, found), vectors, truth, middle, begins)
        return lesson if lesson.learned.any() else None

    def _choose(
        self, doc: Doc, matches: Mapping[int, tuple[Match, ...]], odds: Floats | None, prior: Floats | None
    ) -> None:
        found = doc._
        if odds is None or prior is None:
            scores = [_by_words(matches.get(theme, ())) for theme in range(len(self.slugs))]
            before = scores
        else:
            scores, before = (theme_model.probability(of).tolist() for of in (odds, prior))
        chosen = [theme for theme, score in enumerate(scores) if score >= 0.5]
        found.theme_scores = {slug: round(score, 4) for slug, score in zip(self.slugs, scores, strict=True)}
        found.themes_before = {
            self.slugs[theme]: round(before[theme], 4)
            for theme in range(len(self.slugs))
            if odds is not None and self._has_learned(theme)
        }
        found.themes = tuple(
            Found(
                self.slugs[theme],
                round(scores[theme], 4),
                matches.get(theme, ()),
                self._near(doc, theme) if odds is not None else (),
                self._method(theme) if odds is not None else "words",
                found.themes_before.get(self.slugs[theme]),
            )
            for theme in chosen
        )

    def _near(self, doc: Doc, theme: int) -> tuple[tuple[str, float], ...]:
        return tuple(self.meaning.nearest(doc._.vector, theme)) if self.meaning else ()

    def _method(self, theme: int) -> Method:
        return "learned" if self._has_learned(theme) else "vector"

    def _has_learned(self, theme: int) -> bool:
        return self.lesson is not None and bool(self.lesson.learned[theme])

    def _alternatives(self, doc: Doc) -> list[dict[str, Any]]:
        chosen = {found.slug for found in doc._.themes}
        others = sorted(
            (-score, slug) for slug, score in doc._.theme_scores.items() if slug not in chosen and score
        )
        before = doc._.themes_before
        return [
            {"theme": slug, "score": -score} | ({"before": before[slug]} if slug in before else {})
            for score, slug in others[:ALTERNATIVES_SHOWN]
        ]


class Words:
    """Finds the keywords of themes in the words of posts. ``wordings``: the keywords of each theme."""

    def __init__(self, vocab: Any, wordings: Sequence[Sequence[str]]) -> None:
        self.keywords = [(theme, keyword) for theme, of in enumerate(wordings) for keyword in of]
        self.strings = vocab.strings
        self.matcher = PhraseMatcher(vocab, attr="NORM")
        for number, (_, keyword) in enumerate(self.keywords):
            docs = [Doc(vocab, words=words) for words in variants(keyword)]
            if docs:
                self.matcher.add(str(number), docs)

    def find(self, doc: Doc) -> dict[int, tuple[Match, ...]]:
        """The keywords found, by the number of their theme."""
        hits = self.matcher(doc)
        if not hits:
            return {}
        by_theme: dict[int, list[Match]] = {}
        spans = doc._.reading.word_spans()
        for match_id, first, last in hits:
            theme, keyword = self.keywords[int(self.strings[match_id])]
            start, end = doc._.reading.original(spans[first][0], spans[last - 1][1])
            match = Match(start, end, doc._.post_text[start:end], keyword)
            if _spelt_as_meant(match, doc._.post_text):
                by_theme.setdefault(theme, []).append(match)
        return {theme: _outermost(matches) for theme, matches in by_theme.items()}


def counted(matches: Sequence[Mapping[int, tuple[Match, ...]]], themes: int) -> theme_model.Words:
    """Keywords found in posts, as the model counts them."""
    hits, phrase = np.zeros((len(matches), themes)), np.zeros((len(matches), themes))
    for post, by_theme in enumerate(matches):
        for theme, found in by_theme.items():
            keywords = {fold(match.keyword) for match in found}
            hits[post, theme] = len(keywords)
            phrase[post, theme] = any(len(read(keyword).words()) > 1 for keyword in keywords)
    return theme_model.Words(hits, phrase)


def _meaning(themes: Sequence[Written]) -> theme_model.Agenda | None:
    try:
        encoder = load()
    except EncoderMissing:
        return None
    if not themes:
        return None
    phrases = [theme_model.phrases_of(theme.title, theme.description, theme.keywords) for theme in themes]
    return theme_model.Agenda(theme_model.load(), encoder, phrases)


def _with_keywords(theme: Written, learned: Learned) -> Written:
    more = [keyword for slug, _, keyword in learned.keywords if slug == theme.slug]
    return Written(theme.slug, theme.title, theme.description, tuple(dict.fromkeys((*theme.keywords, *more))))


def _more_words(before: Sequence[Written], after: Sequence[Written]) -> str:
    """A short hash of themes with more keywords than before; empty where none has."""
    if before == after:
        return ""
    return hashlib.sha256(json.dumps([theme.keywords for theme in after]).encode()).hexdigest()[:12]


def _is_sound(stored: bytes) -> bool:
    """Can this be the vector of a post?"""
    return len(stored) == 2 * DIMENSIONS and bool(np.isfinite(unpack(stored)).all())


def _by_words(matches: Sequence[Match]) -> float:
    count = len({fold(match.keyword) for match in matches})
    return count / (count + 1)


def _evidence(found: Found) -> dict[str, Any]:
    near = [{"phrase": phrase, "cosine": cosine} for phrase, cosine in found.near]
    spans = [_as_json(match) for match in found.matches[:SPANS_SHOWN]]
    before = {} if found.before is None else {"before": found.before}
    return {"method": found.method, "spans": spans} | before | ({"near": near} if near else {})


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
