"""Why a post has its tags, in plain words: what fired, what else was weighed, who said otherwise and when.

Components and models of any version wrote the evidence: whatever of it cannot be read is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from archive.evidence import StoredTag, TaggedPost
from archive.vocabulary import NONE, NOT_SURE, SENTIMENTS

#: The components in the order of the page, as they are called there.
TITLES = {
    "theme": "Theme",
    "sentiment": "Sentiment",
    "question": "Question",
    "logistics": "Logistics",
    "name": "Mentions",
    "language": "Language",
}
METHODS = {
    "words": "By its words alone: nothing here knew its meaning.",
    "learned": "With what corrections taught.",
}
TIERS = {"fast": "the quick reading; a closer one may follow", "accurate": "the close reading"}
PUT = {"convention", "asked in the Q&A channel"}  # the signs by which an author puts a question to the chair
SILENT = {("logistics", "no"), ("name", NONE)}  # of which nothing need be said
WORDS = 12  # words of a kind that are shown
SHORT = 24  # characters of a sign's own words beyond which its rule says enough
CLOSEST = 5
ALSO = 3


@dataclass(frozen=True, slots=True)
class Around:
    """What the reasons of a post need to know beside its tags.

    ``label`` names a component's label, ``when`` writes a stored time, ``language`` is the source's mark.
    """

    label: Callable[[str, str], str]
    when: Callable[[str], str]
    to_chair: bool = False
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the reasons: what it says, then words, which are the post's own where they ``fired``."""

    said: str
    words: tuple[str, ...] = ()
    fired: bool = False

    def as_json(self) -> list[Any]:
        return [self.said, list(self.words), self.fired]


def reasons(tagged: TaggedPost | None, around: Around) -> dict[str, Any]:
    """What the opened post says of its tags: ``why``, ``history`` and ``failure``."""
    tags = tagged.tags if tagged else ()
    current = [tag for tag in tags if tag.superseded_at is None]
    shown = [tag for tag in current if (tag.component, tag.label) not in SILENT or tag.set_by]
    shown.sort(key=lambda tag: (_place(tag.component), tag.set_by is None))
    by_people = {(tag.component, tag.label) for tag in current if tag.set_by}
    why = [
        {**_reason(found, around), "outvoted": _outvoted(found[0], by_people)} for found in _together(shown)
    ]
    return {
        "why": list(_noted_once(why)),
        "history": list(_history(tags, around)),
        "failure": f"Tagging it failed: {tagged.failure}" if tagged and tagged.failure else None,
    }


def _place(component: str) -> int:
    known = list(TITLES)
    return known.index(component) if component in known else len(known)


def _together(tags: Iterable[StoredTag]) -> Iterator[list[StoredTag]]:
    """What a person said in one breath is one reason; of the machine's tags each has its own."""
    for said, group in groupby(tags, key=lambda tag: tag.set_by and (tag.component, tag.set_by, tag.seen_at)):
        some = list(group)
        yield from [some] if said else [[tag] for tag in some]


def _noted_once(why: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """A note on several tags stands with the first of them."""
    noted = set()
    for reason in why:
        word = (reason["person"], reason["by"])
        yield {**reason, "lines": []} if reason["person"] and word in noted else reason
        noted.add(word)


def _outvoted(tag: StoredTag, by_people: Collection[tuple[str, str]]) -> bool:
    about = {component for component, _ in by_people}
    return tag.set_by is None and tag.component in about and (tag.component, tag.label) not in by_people


def _reason(tags: Sequence[StoredTag], around: Around) -> dict[str, Any]:
    tag = tags[0]
    evidence = tag.evidence or {}
    seen = around.when(tag.seen_at)
    unsure = tag.component == "sentiment" and tag.set_by is None and evidence.get("sure") is False
    return {
        "component": tag.component,
        "title": TITLES.get(tag.component, tag.component),
        "labels": [[NOT_SURE, "not sure"]]
        if unsure
        else [[one.label, _named_so(one, around)] for one in tags],
        "score": tag.score if tag.component != "sentiment" else None,
        "person": tag.set_by,
        "chances": chances(evidence) if tag.component == "sentiment" else None,
        "lines": [line.as_json() for line in _lines(tag, evidence, around)],
        "by": f"{tag.version} · {seen}" if tag.set_by is None else seen,
    }


def _named_so(tag: StoredTag, around: Around) -> str:
    kind = (tag.evidence or {}).get("kind")
    named = around.label(tag.component, tag.label)
    return f"{named} ({kind})" if tag.component == "name" and isinstance(kind, str) else named


def _lines(tag: StoredTag, evidence: Mapping[str, Any], around: Around) -> Iterator[Line]:
    """What is to be said of one tag beside its label."""
    if tag.set_by is not None:
        if note := evidence.get("note"):
            yield Line(f"“{note}”")
        return
    yield from _OF.get(tag.component, _of_anything)(tag, evidence, around)
    if isinstance(read := evidence.get("read"), int):
        yield Line(f"Only its first {read:,} characters were read.")


def _of_theme(tag: StoredTag, evidence: Mapping[str, Any], around: Around) -> Iterator[Line]:
    if words := fired(evidence):
        yield Line("Words of the theme, marked above:", words, True)
    if near := _named(evidence.get("near"))[:CLOSEST]:
        yield Line("Closest in meaning:", tuple(name for name, _ in near))
    others = [(slug, score) for slug, score in _named(evidence.get("alternatives")) if slug != tag.label]
    if others:
        weighed = sorted(others, key=lambda pair: -(pair[1] or 0))[:ALSO]
        said = " · ".join(_scored(around.label("theme", slug), score) for slug, score in weighed)
        yield Line(f"No theme is likelier than not: {said}" if tag.label == NONE else f"Also weighed: {said}")
    if method := METHODS.get(str(evidence.get("method"))):
        before = evidence.get("before")
        yield Line(f"{method} Without: {before:.2f}." if isinstance(before, int | float) else method)


def _of_sentiment(tag: StoredTag, evidence: Mapping[str, Any], around: Around) -> Iterator[Line]:
    if evidence.get("sure") is False:
        why = (
            "No words beside hashtags, links and mentions"
            if evidence.get("no_words")
            else "Not likely enough"
        )
        yield Line(f"{why}: counted as not sure.")
    yield from _for_and_against(_named(evidence.get("words")), f"Speaks for {tag.label}:")
    yield from _for_and_against(_named(evidence.get("fast_words")), "The quick reading went by:")
    if tier := TIERS.get(str(evidence.get("tier", "fast"))):
        yield Line(f"By {tier}.")


def _of_question(tag: StoredTag, evidence: Mapping[str, Any], around: Around) -> Iterator[Line]:
    signs = _mappings(evidence.get("fired"))
    yield from _for_and_against([_sign(one) for one in signs], "Speaks for a question:")
    if tag.label != "yes":
        return
    if not around.to_chair:
        yield Line("Not to the chair: it is on no theme, or about stream, sound or room.")
    elif any(one.get("rule") in PUT for one in signs):
        yield Line("To the chair: its author put it so.")
    else:
        yield Line("To the chair: it is on a theme.")


def _of_language(tag: StoredTag, evidence: Mapping[str, Any], around: Around) -> Iterator[Line]:
    if around.language:
        same = around.language.split("-")[0] == tag.label
        yield Line(f"Its source says {'so too' if same else around.label('language', around.language)}.")


def _of_anything(tag: StoredTag, evidence: Mapping[str, Any], around: Around) -> Iterator[Line]:
    if signs := [_sign(one) for one in _mappings(evidence.get("fired"))]:
        yield from _for_and_against(signs, "Speaks for it:")
    elif words := fired(evidence):
        yield Line("Found:", words, True)


_OF: dict[str, Callable[[StoredTag, Mapping[str, Any], Around], Iterator[Line]]] = {
    "theme": _of_theme,
    "sentiment": _of_sentiment,
    "question": _of_question,
    "language": _of_language,
}


def _for_and_against(words: Sequence[tuple[str, float | None]], said: str) -> Iterator[Line]:
    """Words by what they weigh; one without a weight decides."""
    for sign, line in ((1, said), (-1, "Speaks against it:")):
        those = [word for word, weight in words if word and (1 if weight is None else weight) * sign > 0]
        if those:
            yield Line(line, tuple(dict.fromkeys(those))[:WORDS], True)


def _sign(found: Mapping[str, Any]) -> tuple[str, float | None]:
    """What a rule found, with the words of the post where they are few, and its weight."""
    rule, text, weight = (found.get(name) for name in ("rule", "text", "weight"))
    rule, text = str(rule or ""), str(text or "")
    number = float(weight) if isinstance(weight, int | float) else None
    if rule and (not text or len(text) > SHORT):
        return rule, number
    return (text if rule.casefold() in ("", text.casefold()) else f"{rule}: {text}"), number


def _scored(name: str, score: float | None) -> str:
    return name if score is None else f"{name} {score:.2f}"


def chances(evidence: Mapping[str, Any]) -> list[list[Any]] | None:
    """The three probabilities as ``[label, share]`` in the order of the bar; None where they are not told."""
    told = evidence.get("probabilities")
    if not isinstance(told, Mapping):
        return None
    shares = [told.get(one) for one in SENTIMENTS]
    if not all(isinstance(share, int | float) and 0 <= share <= 1 for share in shares):
        return None
    return [[one, share] for one, share in zip(SENTIMENTS, shares, strict=True)]


def fired(evidence: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The words of the post that an evidence names, each once."""
    found = evidence or {}
    words = [span.get("text") for name in ("spans", "fired") for span in _mappings(found.get(name))]
    return tuple(dict.fromkeys(str(word) for word in words if word))[:WORDS]


def _mappings(found: object) -> list[Mapping[str, Any]]:
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list | tuple) else []


def _named(found: object) -> list[tuple[str, float | None]]:
    """Names with their weights, from ``{name: weight}`` or a list of ``[name, weight]``, of objects with one
    text and one number, or of names alone."""
    if isinstance(found, Mapping):
        found = list(found.items())
    named: list[tuple[str, float | None]] = []
    for one in found if isinstance(found, list | tuple) else []:
        parts = (
            [one] if isinstance(one, str) else list(one.values() if isinstance(one, Mapping) else _list(one))
        )
        texts = [part for part in parts if isinstance(part, str)]
        numbers = [float(part) for part in parts if isinstance(part, int | float)]
        if texts:
            named.append((texts[0], numbers[0] if numbers else None))
    return named


def _list(found: object) -> Sequence[Any]:
    return found if isinstance(found, list | tuple) else ()


def marked(text: str, tags: Sequence[StoredTag]) -> list[list[Any]]:
    """A text as ``[piece, slug or False]``: the words by which it has its themes, under each theme's slug.

    Where the words of several themes overlap, the first theme has them.
    """
    taken: list[tuple[int, int, str]] = []
    for tag in tags:
        if tag.component != "theme" or tag.superseded_at is not None:
            continue
        for span in _mappings((tag.evidence or {}).get("spans")):
            start, end = span.get("start"), span.get("end")
            if isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(text):
                taken.append((start, end, tag.label))
    pieces: list[list[Any]] = []
    at = 0
    for start, end, slug in sorted(taken):
        if start < at:
            continue
        pieces += [[text[at:start], False]] if start > at else []
        pieces.append([text[start:end], slug])
        at = end
    return pieces + ([[text[at:], False]] if at < len(text) else [])


def _history(tags: Sequence[StoredTag], around: Around) -> Iterator[dict[str, Any]]:
    """Who said what, newest first; nothing where the first reading still stands and nobody added to it."""
    ordered = sorted(tags, key=lambda tag: (tag.seen_at, tag.set_by or ""), reverse=True)
    entries = [list(group) for _, group in groupby(ordered, key=lambda tag: (tag.seen_at, tag.set_by or ""))]
    if len(entries) < 2:
        return
    for entry in entries:
        notes = dict.fromkeys(str((tag.evidence or {}).get("note") or "") for tag in entry if tag.set_by)
        spoken = [tag for tag in entry if (tag.component, tag.label) not in SILENT or tag.set_by]
        by_title = groupby(
            sorted(spoken, key=lambda tag: _place(tag.component)), key=lambda tag: tag.component
        )
        said = [
            f"{TITLES.get(component, component).lower()}: "
            + ", ".join(around.label(component, tag.label) for tag in group)
            for component, group in by_title
        ]
        if said:
            yield {
                "who": entry[0].set_by or "the tagger",
                "person": entry[0].set_by is not None,
                "when": around.when(entry[0].seen_at),
                "said": said,
                "note": " ".join(note for note in notes if note),
                "past": all(tag.superseded_at is not None for tag in entry),
            }
