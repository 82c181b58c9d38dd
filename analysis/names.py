"""Names in the text of a post: those of the lists, and what is written as names are.

The latter are told by capitals inside a sentence, acronyms and CamelCase hashtags. No statistics, and no
accounts: a mention is not a name, and nobody is matched to one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from analysis.name_lists import Known, everywhere, folded, key
from analysis.terms import stop_words
from analysis.texts import LONGEST, fold, hashtags_folded
from archive.vocabulary import NameKind

LANGUAGES = ("en", "es", "fr", "de", "it", "pt")
LONGEST_ACRONYM = 6
SHORT_ACRONYM = 3  # such a hashtag is one only in capitals: #US is not #us
MOST_WORDS = 5  # capitalised words of a name; more are a headline
LONGEST_NAME = 80  # characters
LONGEST_HASHTAG = 30
NO_NAME = ""  # of the agenda's phrases: they take their place in a text, and are not told
NOUNS_CAPITAL = ("de", "lb")  # languages that write every noun with a capital
HEADLINE = 0.6  # share of capitalised words of a sentence above which capitals say nothing,
ALL_BUT_FEW = 0.85  # and where no small word has one
SHOUTED = 0.5  # the same of words all in capitals

_TOKEN = re.compile(
    r"(?P<link>\b(?:https?://|www\.)\S+)"
    r"|(?P<mention>(?<![\w@])@\w+(?:[.@-]\w+)*:?)"
    r"|(?<![\w&])\#(?P<hashtag>\w+)"
    r"|(?P<word>(?:[^\W\d_]\.){2,}|[^\W\d_]\w*(?:['’-][^\W\d_]\w*)*)"
    r"|(?P<number>\w+)"
    r"|(?P<gap>[,()\[\]/%€$£*+=<>&]|-(?=\w)|\.(?=\w))"
    r"|(?P<end>[^\s\w])"
    r"|(?P<line>\n)"
)
_PASSED_ON = re.compile(r"\s*RT\s+@\w+:?")
_ELIDED = re.compile(r"(?:[cdjlmnst]|qu|dell|nell|dall|all|sull|un)['’](?=[^\W\d_])", re.IGNORECASE)
_POSSESSIVE = re.compile(r"['’]s\Z")
_CAMEL = re.compile(r"[a-zß-ÿ\d][A-ZÀ-Þ]|[A-ZÀ-Þ]{2}[a-zß-ÿ]")
_PARTICLES = frozenset(
    ("of", "de", "du", "des", "del", "della", "delle", "dei", "di", "da", "do", "dos", "das", "van", "von")
).union(("der", "den", "la", "las", "los", "le"))
_AFTER_A_HEAD = frozenset(("for", "and", "y", "et", "e", "für", "und", "per", "para", "pour", "the"))


@dataclass(frozen=True, slots=True)
class Found:
    """A name at ``[start, end)`` of the post's own text; ``known`` where a list has it."""

    kind: NameKind
    name: str
    start: int
    end: int
    known: bool


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a post: its text without ``l'`` and ``'s``, folded, and how it stands."""

    text: str
    folded: str
    start: int
    end: int
    opens: bool  # a sentence
    joined: bool  # nothing but blanks before it, after another word

    @property
    def capital(self) -> bool:
        return self.text[0].isupper()

    @property
    def telling(self) -> bool:
        """Written as no other word is, wherever it stands: OECD, GitHub."""
        return is_acronym(self.text) or bool(_CAMEL.search(self.text))


def is_acronym(word: str) -> bool:
    """Two to six capitals, digits among them: ``OECD``, ``COP26``, ``U.S.``."""
    bare = word.replace(".", "")
    letters = sum(c.isalpha() for c in bare)
    return letters >= 2 and bare.isupper() and len(bare) <= LONGEST_ACRONYM


class Finder:
    """Finds names in posts.

    ``known`` are the meeting's own; ``agenda`` are phrases that are themes and no names.
    """

    def __init__(
        self, known: Iterable[Known], own_hashtags: Iterable[str] = (), agenda: Iterable[str] = ()
    ) -> None:
        self._own = hashtags_folded(own_hashtags)
        self._phrases: dict[str, list[tuple[tuple[str, ...], str, Known]]] = {}
        self._keys: dict[str, Known] = {}
        self._stop = stop_words(LANGUAGES)
        self._never = folded("never")
        self._openers = self._stop | folded("never", "openers")
        self._roles = folded("never", "people")
        for one in (*known, *everywhere(), Known("other", NO_NAME, tuple(agenda))):
            for phrase in one.phrases:
                self._add(phrase, one)

    def _add(self, phrase: str, one: Known) -> None:
        words = tuple(word.folded for word in split(phrase)[0])
        if words:
            self._keys.setdefault(key(phrase), one)
            self._phrases.setdefault(words[0], []).append((words, phrase, one))

    def find(self, text: str, language: str | None = None) -> list[Found]:
        """The names of a post, each once, in order of appearance."""
        text = text[:LONGEST]
        words, hashtags = split(text)
        found = [*self._listed(words, language), *self._hashtags(hashtags)]
        for sentence in _sentences(words):
            found += self._capitalised(sentence, language)
        return list(_distinct(_outermost(found)))

    # -- lists ---------------------------------------------------------------------------------------

    def _listed(self, words: Sequence[Word], language: str | None) -> Iterator[Found]:
        shouted = _shouted(words)
        stop = stop_words((language,)) if language and language != "en" else ()
        for at, word in enumerate(words):
            for phrase, spelling, one in self._phrases.get(word.folded, ()):
                here = words[at : at + len(phrase)]
                if tuple(w.folded for w in here) != phrase or not all(w.joined for w in here[1:]):
                    continue
                if len(phrase) == 1 and not _meant(word, spelling, shouted, stop):
                    continue
                if len(phrase) == 1 and one.kind == "person" and (word.opens or not self._may_be(word.text)):
                    continue
                yield Found(one.kind, one.name, word.start, here[-1].end, True)

    def _hashtags(self, hashtags: Iterable[tuple[str, int]]) -> Iterator[Found]:
        for tag, start in hashtags:
            if len(tag) > LONGEST_HASHTAG or fold(tag) in self._own:
                continue
            one = self._keys.get(key(tag))
            if one and (len(tag) > SHORT_ACRONYM or tag.isupper()):
                yield Found(one.kind, one.name, start, start + len(tag), True)
            elif (is_acronym(tag) or _CAMEL.search(tag)) and self._may_be(tag):
                yield Found("other", tag.replace("_", " ").strip(), start, start + len(tag), False)

    # -- the stream ----------------------------------------------------------------------------------

    def _capitalised(self, sentence: Sequence[Word], language: str | None) -> Iterator[Found]:
        if _shouted(sentence):
            return
        headline = self._headline(sentence)
        strict = language in NOUNS_CAPITAL
        for run in self._runs(sentence, strict=strict):
            trimmed = self._trimmed(run, strict=strict)
            if not trimmed:
                continue
            alone = len(trimmed) == 1
            told = any(word.telling for word in trimmed)
            if alone and not self._may_be(trimmed[0].text):
                continue
            if alone and not told and (trimmed[0].opens or strict):
                continue
            if headline and not (alone and is_acronym(trimmed[0].text)):
                continue
            name = " ".join(word.text for word in trimmed)
            if len(name) <= LONGEST_NAME:
                one = self._keys.get(key(name))
                kind = one.kind if one else _kind(trimmed)
                yield Found(
                    kind, one.name if one else name, trimmed[0].start, trimmed[-1].end, one is not None
                )

    def _runs(self, sentence: Sequence[Word], *, strict: bool) -> Iterator[list[Word]]:
        """Capitalised words in a row, with the particles between them (``strict``: after a head only)."""
        run: list[Word] = []
        waiting: list[Word] = []
        for word in sentence:
            if run and not word.joined:
                yield run
                run, waiting = [], []
            if word.capital and (word.telling or word.folded not in self._stop or (word.opens and not run)):
                run += [*waiting, word]
                waiting = []
            elif run and len(waiting) < 2 and _joins(word, run, strict=strict):
                waiting.append(word)
            elif run:
                yield run
                run, waiting = [], []
        if run:
            yield run

    def _trimmed(self, run: Sequence[Word], *, strict: bool) -> list[Word]:
        """A run without what only opens the sentence, roles before a name, and days or months at its ends."""
        left, right = 0, len(run)
        while left < right and self._leads(run[left], strict=strict):
            left += 1
        while left < right and (run[right - 1].folded in self._never or not run[right - 1].capital):
            right -= 1
        kept = list(run[left:right])
        if len(kept) > 1 and all(word.text.isupper() for word in kept):
            return []  # shouted
        return kept if sum(word.capital for word in kept) <= MOST_WORDS else []

    def _leads(self, word: Word, *, strict: bool) -> bool:
        opener = word.opens and not word.telling and (strict or word.folded in self._openers)
        if opener or not word.capital:
            return True
        return word.folded in self._roles

    def _may_be(self, word: str) -> bool:
        """Whether a single word may be a name at all."""
        plain = fold(word).replace(".", "")
        if sum(c.isalpha() for c in plain) < 2 or plain in self._never:
            return False
        return plain not in self._stop and plain not in folded("heads")

    def _headline(self, sentence: Sequence[Word]) -> bool:
        """Whether capitals say nothing: most words have one, and small words too, or nearly all."""
        long = [word for word in sentence if len(word.text) > 2]
        capital = [word for word in long if word.capital]
        small = any(word.folded in self._stop and not word.opens for word in capital)
        return len(long) >= 5 and len(capital) > (HEADLINE if small else ALL_BUT_FEW) * len(long)


def split(text: str) -> tuple[list[Word], list[tuple[str, int]]]:
    """The words of a text, and its hashtags with their places; hashtags stand between words, and are none."""
    words: list[Word] = []
    hashtags: list[tuple[str, int]] = []
    passed_on = _PASSED_ON.match(text)
    opens, last = True, -1
    for match in _TOKEN.finditer(text, passed_on.end() if passed_on else 0):
        what = match.lastgroup
        start, end = match.span()
        if what == "word":
            words.append(_word(match["word"], start, last, opens=opens, text=text))
            opens, last = False, end
            continue
        if what == "hashtag":
            hashtags.append((match["hashtag"], start + 1))
        last = -1
        opens = what in ("end", "line", "link") or (opens and what in ("mention", "hashtag"))
    return words, hashtags


def _word(written: str, start: int, last: int, *, opens: bool, text: str) -> Word:
    joined = last >= 0 and text[last:start] in (" ", "  ")
    if "'" in written or "’" in written:
        elided = _ELIDED.match(written)
        if elided and (opens or written[0].islower()):
            written, start = written[elided.end() :], start + elided.end()
        written = _POSSESSIVE.sub("", written)
    return Word(written, fold(written).replace("’", "'"), start, start + len(written), opens, joined)


def _sentences(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    starts = [0, *(at for at, word in enumerate(words) if word.opens and at), len(words)]
    for start, end in pairwise(starts):
        yield words[start:end]


def _shouted(words: Sequence[Word]) -> bool:
    long = [word for word in words if len(word.text) > 1]
    return len(long) >= 3 and sum(word.text.isupper() for word in long) > SHOUTED * len(long)


def _meant(word: Word, spelling: str, shouted: bool, stop: Collection[str]) -> bool:
    """Whether a single word of a list is meant: capitals count, where the script has any."""
    if is_acronym(spelling):
        return is_acronym(word.text) and not shouted and word.folded not in stop
    return word.capital or word.text[0].lower() == word.text[0].upper()


def _joins(word: Word, run: Sequence[Word], *, strict: bool) -> bool:
    """Whether a small word may stand inside a name: Banco de México, Center for Open Science."""
    heads = folded("heads")
    headed = any(one.folded in heads for one in run)
    return (word.folded in _PARTICLES and (headed or not strict)) or (headed and word.folded in _AFTER_A_HEAD)


def _kind(words: Sequence[Word]) -> NameKind:
    """By the word at either end, or before a particle: Ministry of …, … Act, Real Academia de …."""
    if len(words) == 1:
        return "other"
    kinds: tuple[NameKind, ...] = ("organisation", "document", "place")
    before_particles = (one for one, after in pairwise(words) if not after.capital)
    for word in (words[0], words[-1], *before_particles):
        for kind in kinds:
            if word.folded in folded("heads", kind):
                return kind
    return "other"


def _outermost(found: Iterable[Found]) -> Iterator[Found]:
    """Names by position: of two that overlap the longer one, of two alike that of a list."""
    end = 0
    for one in sorted(found, key=lambda f: (f.start, -f.end, not f.known)):
        if one.start >= end:
            yield one
            end = one.end


def _distinct(found: Iterable[Found]) -> Iterator[Found]:
    seen = {NO_NAME}
    for one in found:
        if key(one.name) not in seen:
            seen.add(key(one.name))
            yield one
