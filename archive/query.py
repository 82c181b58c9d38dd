"""What somebody typed in the search box, as an FTS5 query that cannot fail.

Words are joined by AND; ``"a phrase"``, ``OR``, ``NOT`` (upper case), ``word*`` and ``from:handle`` are
understood, everything else is quoted. NOT binds tightest, OR loosest. What cannot be meant is a SearchError.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from archive.errors import SearchError

LONGEST = 300  # characters
MOST_TERMS = 32
SHORTEST_PREFIX = 3  # letters: "a*" of a million posts takes seconds
OPERATORS = ("AND", "OR", "NOT")

_ITEM = re.compile(
    r'(?P<author>from:@?)(?:"(?P<named>[^"]*)"|(?P<handle>[^\s"]*))'
    r'|"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+)'
)
_QUOTES = str.maketrans({c: '"' for c in "“”„«»"})
_TOKEN = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Query:
    """``match`` is an FTS5 expression, or None where any text will do; ``authors`` are case-folded
    handles or names of which the author must be one, or empty."""

    match: str | None = None
    authors: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.match is not None or bool(self.authors)


@dataclass(slots=True)
class _Group:
    """What stands between two ORs."""

    wanted: list[str] = field(default_factory=list)
    unwanted: list[str] = field(default_factory=list)

    def expression(self) -> str:
        if not self.wanted:
            raise SearchError(
                "NOT takes posts away, so it needs something to take them from: "
                "write a word before it, for example  budget NOT lunch"
            )
        wanted = " AND ".join(self.wanted)
        return f"({wanted})" + "".join(f" NOT {term}" for term in self.unwanted)


def parse(typed: str) -> Query:
    """The query behind what was typed. Raises SearchError, whose text says how to write it."""
    typed = _clean(typed)
    if len(typed) > LONGEST:
        raise SearchError(f"The search has {len(typed)} characters; at most {LONGEST} are understood.")
    if typed.count('"') % 2:
        raise SearchError('A quotation mark is missing: a phrase stands between two, like "open data".')
    groups, authors = _read(typed)
    if not groups and not authors and typed:
        raise SearchError("There is no letter or digit to look for.")
    if sum(len(g.wanted) + len(g.unwanted) for g in groups) > MOST_TERMS:
        raise SearchError(f"At most {MOST_TERMS} words and phrases can be looked for at once.")
    if len(groups) > 1 and re.search(r"(^|\s)\(|\)(\s|$)", typed):
        raise SearchError(
            "Brackets are not understood beside OR. OR comes last by itself: "
            "for  (open OR free) data  write  open data OR free data"
        )
    return Query(" OR ".join(group.expression() for group in groups) or None, authors)


def _clean(typed: str) -> str:
    text = typed.translate(_QUOTES).encode("utf-8", "replace").decode()
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _read(typed: str) -> tuple[list[_Group], tuple[str, ...]]:
    groups = [_Group()]
    authors: list[str] = []
    previous = ""  # an operator that still waits for its right side
    started = False
    for word, item in _items(typed):
        if word in OPERATORS:
            if word != "NOT" and (previous or not started):
                raise _one_sided(word)
            if previous == "NOT":
                raise _one_sided("NOT")
            if word == "OR":
                groups.append(_Group())
            previous = word
            continue
        if isinstance(item, _Author):
            if previous in ("OR", "NOT"):
                raise SearchError(f"from: narrows the whole search and cannot stand after {previous}.")
            authors.append(item.name)
        elif item:
            group = groups[-1]
            (group.unwanted if previous == "NOT" else group.wanted).append(item)
        previous, started = "", True
    if previous:
        raise _one_sided(previous)
    filled = [group for group in groups if group.wanted or group.unwanted]
    return filled, tuple(dict.fromkeys(authors))


@dataclass(frozen=True, slots=True)
class _Author:
    name: str


def _items(typed: str) -> Iterator[tuple[str, str | _Author]]:
    """Each item as it was typed, with its FTS5 term ('' where nothing of it can be looked for)."""
    for found in _ITEM.finditer(typed):
        phrase, word = found["phrase"], found["word"]
        if found["author"]:
            name = (found["named"] or found["handle"] or "").strip().casefold()
            if not name:
                raise SearchError("After from: comes the handle of an author, like  from:@ana")
            yield "", _Author(name)
        elif phrase is not None:
            yield "", _quoted(phrase)
        elif word in OPERATORS:
            yield word, ""
        elif word.endswith("*") and _TOKEN.search(word):
            yield word, _prefix(word)
        else:
            yield word, _quoted(word)


def _quoted(text: str) -> str:
    return f'"{text}"' if _TOKEN.search(text) else ""


def _prefix(word: str) -> str:
    stem = word.rstrip("*")
    if len(_TOKEN.findall(stem)[-1]) < SHORTEST_PREFIX:
        raise SearchError(
            f"{word} begins too many words: give at least {SHORTEST_PREFIX} letters before the asterisk."
        )
    return f'"{stem}"*'


def _one_sided(operator: str) -> SearchError:
    if operator == "NOT":
        return SearchError("After NOT comes the word that posts must not have, like  budget NOT lunch")
    return SearchError(
        f"{operator} stands between two words, like  budget {operator} health. "
        f'To look for the word itself write "{operator.lower()}".'
    )
