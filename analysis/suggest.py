"""Keywords that the stream's own words suggest for a theme, in whatever language they are written.

A word or pair of words is offered where both speak for it: it is near the theme in meaning, nearer than to
any other theme, and it stands in the theme's posts more often than elsewhere. Either alone has false friends.
Nothing is applied: a person accepts or rejects.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from analysis.encoder import load
from analysis.measures.rising import log_odds_z
from analysis.name_lists import key, of_meeting
from analysis.names import Finder, Found, is_acronym
from analysis.terms import as_written, norm, runs, stop_words, terms_of
from analysis.texts import hashtags_folded, read
from archive.correcting import decided
from archive.reading import open_readonly
from archive.suggestions import Suggestion, Written, there, written
from archive.vocabulary import Meeting, Theme

POSTS = 10_000  # the newest ones that are read
AUTHORS = 3
NEAR = 1.5  # standard deviations nearer to the theme than the stream's words are
NEARER = 0.5  # and than to any other theme
OFTENER = 1.64  # standard deviations, see log_odds_z
COMMON = 500  # words that say how near words are to themes in general,
FEW = 30  # and how many there must be
SHOWN = 12  # of a theme
EXAMPLES = 3
COVERED = 0.7  # share of a word's posts that a pair has, where the pair is offered instead
MORE = 0.2  # share of a word's posts without the theme, where the word is part of a keyword
NAMED = 0.5  # share of a word's posts where it is a name
KEPT = 10_000  # vectors of words
ENCODED = 16  # words encoded in one step,
AT_ONCE = 20  # and terms looked at

LOOKED_AT = 10  # posts of a term, for its spelling and for names
UNKNOWN = "und"

Decisions = Mapping[tuple[str, str, str], bool]
Floats = NDArray[np.float32]

T = TypeVar("T")
Steps = Generator[None, None, T]  # work of which a step takes some milliseconds


class Encoder(Protocol):
    """What is needed of ``analysis.encoder``: unit vectors, a row for each text."""

    version: str

    def encode(self, texts: Sequence[str]) -> Floats: ...


@dataclass(frozen=True, slots=True)
class Use:
    """Where a term is used (numbers of posts), by how many authors, in which language, and how written."""

    posts: frozenset[int]
    authors: int
    language: str
    spelling: str


class Stream:
    """The posts that were read so far, and what stands in them."""

    def __init__(self, meeting: Meeting) -> None:
        self.posts: list[Written] = []
        self._own, self._stop = hashtags_folded(meeting.hashtags), stop_words(tuple(meeting.languages))
        self._languages = frozenset(meeting.languages)
        self._runs: list[list[list[str]]] = []

    def read(self, posts: Iterable[Written]) -> Steps[None]:
        for post in posts:
            self.posts.append(post)
            self._runs.append(list(runs(post.text, self._own, self._stop)))
            yield

    def terms(self) -> Steps[dict[str, frozenset[int]]]:
        """The words and pairs that at least AUTHORS authors use, as they are counted, and their posts."""
        found: dict[str, list[int]] = defaultdict(list)
        for number, of_post in enumerate(self._runs):
            for term in terms_of(of_post):
                found[term].append(number)
            yield
        common: dict[str, frozenset[int]] = {}
        for number, (term, posts) in enumerate(found.items()):
            if self._authors(posts) >= AUTHORS:
                common[term] = frozenset(posts)
            if number % AT_ONCE == 0:
                yield
        return common

    def use(self, term: str, posts: frozenset[int]) -> Use:
        """More of a term. Its language is that of most of the posts, ``und`` where none is known."""
        languages = Counter(self.posts[number].language for number in posts)
        known = sorted((-count, code) for code, count in languages.items() if code in self._languages)
        return Use(
            posts=posts,
            authors=self._authors(posts),
            language=known[0][1] if known else UNKNOWN,
            spelling=self._spelling(term, posts),
        )

    def _authors(self, posts: Collection[int]) -> int:
        return len({self.posts[number].author for number in posts}) if len(posts) >= AUTHORS else 0

    def _spelling(self, term: str, posts: Iterable[int]) -> str:
        """The way it is mostly written, without capitals but in acronyms."""
        words = term.split()
        ways = Counter(as_written(words, self._runs[number]) for number in sorted(posts)[:LOOKED_AT])
        best = min(ways, key=lambda way: (-ways[way], way))
        return " ".join(word if is_acronym(word) else word.lower() for word in best.split())


@dataclass(slots=True)
class Candidate:
    """A term that a theme's posts have oftener than others: how surely, how near, how much nearer.

    ``new`` of its posts do not have the theme.
    """

    term: str
    use: Use
    new: int
    oftener: float
    near: float = 0.0
    nearer: float = 0.0

    @property
    def good(self) -> bool:
        return self.near >= NEAR and self.nearer >= NEARER

    @property
    def tells_more(self) -> bool:
        """Of a word of a keyword: whether it is much used without the keyword."""
        return self.new >= MORE * len(self.use.posts)

    @property
    def score(self) -> float:
        return round((self.near / (1 + self.near) + self.oftener / (1 + self.oftener)) / 2, 4)


def suggest(
    archive: sqlite3.Connection | Path, meeting: Meeting, encoder: Encoder | None = None
) -> list[Suggestion]:
    """Keywords to offer, by theme in the order of the agenda, the best first; at most SHOWN of a theme.

    Left out is what is a keyword already, what was decided on, stop words and names. Empty before posts are
    tagged. Raises what the encoder raises where its model cannot be read.
    """
    if isinstance(archive, Path):
        with closing(open_readonly(archive)) as conn:
            return suggest(conn, meeting, encoder)
    return next(found for found in suggesting(archive, meeting, encoder) if found is not None)


def suggesting(
    archive: sqlite3.Connection, meeting: Meeting, encoder: Encoder | None = None
) -> Iterator[list[Suggestion] | None]:
    """The same for those who have more urgent work: None after each step of some milliseconds, at last all.

    The archive may change meanwhile: nothing is offered for the sake of a post that is gone.
    """
    stream = Stream(meeting)
    yield from stream.read(written(archive, POSTS))
    terms_of = yield from stream.terms()
    common = sorted(terms_of, key=lambda term: (-len(terms_of[term]), term))[:COMMON]
    posts, found = stream.posts, list[list[Candidate]]()
    tagged = [{n for n, post in enumerate(posts) if theme.slug in post.themes} for theme in meeting.themes]
    for of_theme in tagged:
        found.append((yield from _oftener(stream, terms_of, of_theme)))
    if len(common) < FEW or not any(found):
        yield []
        return
    usual = []
    for term in common:
        usual.append(stream.use(term, terms_of[term]).spelling)
        yield None
    decisions = decided(archive)
    yield from _measure(found, usual, _phrases(meeting, decisions), encoder or load())
    finder = Finder(of_meeting(meeting))
    offered: list[Suggestion] = []
    for theme, of_theme, candidates in zip(meeting.themes, tagged, found, strict=True):
        for one in (yield from _chosen(candidates, *_known(theme, decisions), posts, finder)):
            offered.append(_suggestion(theme.slug, one, posts, of_theme))
            yield None
    left = there(archive, {example for one in offered for example in one.examples})
    yield [one for one in offered if left.issuperset(one.examples)]


def _oftener(
    stream: Stream, terms_of: Mapping[str, frozenset[int]], of_theme: set[int]
) -> Steps[list[Candidate]]:
    found = []
    inside, outside = len(of_theme), len(stream.posts) - len(of_theme)
    for number, (term, posts) in enumerate(terms_of.items() if of_theme else ()):
        hits = len(posts & of_theme)
        z = log_odds_z(hits, inside, len(posts) - hits, outside) if hits else 0.0
        if z >= OFTENER and (use := stream.use(term, posts)).language != UNKNOWN:
            found.append(Candidate(term, use, len(posts) - hits, z))
        if number % AT_ONCE == 0:
            yield
    return found


# How near words are to themes.


def _measure(
    found: Sequence[Sequence[Candidate]],
    usual: Sequence[str],
    phrases: Sequence[Sequence[str]],
    encoder: Encoder,
) -> Steps[None]:
    """Set ``near`` and ``nearer`` of all candidates, against what is usual for the stream's words."""
    themes = []
    for texts in phrases:
        themes.append((yield from _vectors(texts, encoder)))
    background = yield from _cosines(usual, themes, encoder)
    mean, spread = background.mean(axis=0), background.std(axis=0) + 1e-6
    for place, candidates in enumerate(found):
        cosines = yield from _cosines([one.use.spelling for one in candidates], themes, encoder)
        standing = (cosines - mean) / spread
        others = np.delete(standing, place, axis=1)
        for one, row, other in zip(candidates, standing, others, strict=True):
            one.near = float(row[place])
            one.nearer = one.near - float(other.max(initial=0.0))


def _cosines(texts: Sequence[str], themes: Sequence[Floats], encoder: Encoder) -> Steps[Floats]:
    """Texts by themes: the mean of the two phrases of a theme that are nearest."""
    if not texts:
        return np.zeros((0, len(themes)), dtype=np.float32)
    vectors = yield from _vectors(texts, encoder)
    best = [np.sort(vectors @ theme.T, axis=1)[:, -2:].mean(axis=1) for theme in themes]
    return np.stack(best, axis=1)


_kept: dict[tuple[str, str], Floats] = {}


def _vectors(texts: Sequence[str], encoder: Encoder) -> Steps[Floats]:
    """A row for each text; words come again and again, so theirs are kept."""
    if len(_kept) > KEPT:
        _kept.clear()
    found: list[Floats] = []
    for start in range(0, len(texts), ENCODED):
        some = texts[start : start + ENCODED]
        new = [text for text in dict.fromkeys(some) if (encoder.version, text) not in _kept]
        if new:
            rows = zip(new, encoder.encode(new), strict=True)
            _kept.update({(encoder.version, text): row for text, row in rows})
        found += [_kept[encoder.version, text] for text in some]
        yield
    return np.stack(found)


def _phrases(meeting: Meeting, decisions: Decisions) -> list[list[str]]:
    """What each theme is compared by: its title and keywords, those accepted among them."""
    accepted = [word for word, good in decisions.items() if good]
    return [
        [
            theme.title,
            *(word for words in theme.keywords.values() for word in words),
            *(keyword for slug, _, keyword in accepted if slug == theme.slug),
        ]
        for theme in meeting.themes
    ]


# Which of them are offered.


def _known(theme: Theme, decisions: Decisions) -> tuple[set[str], set[str]]:
    """What need not be offered, as it is counted: title, keywords, what was decided on; and their words."""
    keywords = [word for words in theme.keywords.values() for word in words]
    keywords += [keyword for slug, _, keyword in decisions if slug == theme.slug]
    phrases = [read(text).words() for text in (theme.title, *keywords)]
    whole = {" ".join(map(norm, words)) for words in phrases}
    whole.update(form for words in phrases for form in _forms("".join(words)))
    return whole, {form for words in phrases[1:] for word in words for form in _forms(word)}


def _forms(word: str) -> Iterator[str]:
    counted = norm(word)
    yield counted
    if counted.endswith("ie"):
        yield f"{counted[:-2]}y"  # ministries
    elif counted.endswith("y"):
        yield f"{counted[:-1]}ie"


def _chosen(
    candidates: Iterable[Candidate],
    whole: set[str],
    parts: set[str],
    posts: Sequence[Written],
    finder: Finder,
) -> Steps[list[Candidate]]:
    good = [
        one
        for one in candidates
        if one.good and one.term not in whole and (one.term not in parts or one.tells_more)
    ]
    good.sort(key=lambda one: (-one.score, one.term))
    pairs = [one for one in good if " " in one.term]
    single = {one.term for one in good if " " not in one.term and not _covered(one, pairs)}
    # A pair says nothing new where one of its words is a keyword by itself.
    alone = whole | single
    new = (
        one for one in good if one.term in single or (" " in one.term and alone.isdisjoint(one.term.split()))
    )
    chosen: list[Candidate] = []
    for one in new:
        if not _is_name(one, posts, finder):
            chosen.append(one)
        if len(chosen) == SHOWN:
            break
        yield
    return chosen


def _covered(one: Candidate, pairs: Iterable[Candidate]) -> bool:
    enough = COVERED * len(one.use.posts)
    return any(one.term in pair.term.split() and len(pair.use.posts) >= enough for pair in pairs)


def _is_name(one: Candidate, posts: Sequence[Written], finder: Finder) -> bool:
    """Whether it is a name in most of the posts that are looked at; a hashtag alone makes no name."""
    mark = key(one.use.spelling)
    looked_at = [posts[number] for number in sorted(one.use.posts)[:LOOKED_AT]]
    names = 0
    for post in looked_at:
        found = finder.find(post.text, post.language)
        names += any(key(name.name) == mark and not _tagged(name, post.text) for name in found)
    return names > NAMED * len(looked_at)


def _tagged(name: Found, text: str) -> bool:
    return text[name.start - 1 : name.start] == "#"


def _suggestion(theme: str, one: Candidate, posts: Sequence[Written], of_theme: set[int]) -> Suggestion:
    new = one.use.posts - of_theme
    examples: dict[int, str] = {}  # the newest of each author, those first that lack the theme
    for number in sorted(one.use.posts, key=lambda number: (number not in new, -number)):
        examples.setdefault(posts[number].author, posts[number].key)
    return Suggestion(
        theme=theme,
        language=one.use.language,
        keyword=one.use.spelling,
        score=one.score,
        posts=len(one.use.posts),
        authors=one.use.authors,
        new_posts=one.new,
        examples=tuple(islice(examples.values(), EXAMPLES)),
    )
