"""The tagger's work, a batch at a time, while posts keep coming.

The archive is the queue. Posts without tags always come first, then what people taught since, then themes
chosen before they did, then questions without a group, then posts that only the fast tier has judged, the
newest first each time; what takes seconds is done a part at a time. A kill loses the batch under way and
nothing else; the archive leaves alone what was edited, deleted or tagged meanwhile.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, TypeVar

from analysis.encoder import VERSION as ENCODER
from analysis.encoder import unpack
from analysis.pipeline import (
    BATCH,
    add_accurate,
    judge_texts,
    learned_version,
    refines,
    tag_texts,
    teach,
    theme_texts,
    themes_by,
    version,
)
from analysis.question_groups import Groups, Question
from analysis.sentiment_model import ModelError
from analysis.suggest import suggesting
from archive.errors import ArchiveError
from archive.grouping import Asked
from archive.store import Archive
from archive.suggestions import Suggestion
from archive.vocabulary import Learned, Untagged

if TYPE_CHECKING:
    from spacy.language import Language

#: What the tagger does, as it is shown to people.
TAGGING, LEARNING, THEMES = "tagging", "learning", "themes anew"
GROUPING, REFINING, SUGGESTING = "grouping questions", "refining sentiment", "suggesting keywords"

FIRST = 16  # posts tagged at once after a rest, so that the first of a burst need not wait for the last
REFINED = 8  # posts refined at once: a new one waits for them a tenth of a second at most
GROUPED = 200  # questions taken in at once, for the same reason
SUGGESTIONS_EVERY = 60.0  # seconds
MODEL_EVERY = 10.0  # seconds after which a missing model of the accurate tier is looked for again
MOMENT = 0.02  # seconds of looking for suggestions after which it is seen whether there are new posts
SUGGESTIONS_SHARE = 100  # times as long as they took there is a rest at least

Found = TypeVar("Found")


def tag(
    archive: Archive,
    nlp: Language,
    *,
    batch: int = BATCH,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[str, int], None] = lambda doing, done: None,
    told: Callable[[str], None] = lambda sentence: None,
    forever: bool = False,
    wait: Callable[[], object] = lambda: None,
    accurate: bool = False,
) -> Counter[str]:
    """Work until nothing is left to do; returns to how many posts what was done.

    Sentiment is refined where ``nlp`` was built with the accurate tier, or with ``accurate``, which loads
    that tier once posts have their first tags, and as soon as it is there. ``stop`` is asked between batches;
    ``progress`` hears what is being done and to how many posts so far, ``told`` a sentence on what has to be
    left out. With ``forever`` an empty list means calling ``wait`` (which decides how long) and looking again
    once somebody has written, until ``stop``.
    """
    work = _Work(archive, nlp, batch, progress, told, accurate)
    archive.chosen_by(themes_by(nlp))
    work.learn()
    while not stop():
        seen = archive.writes()
        if work.next():
            continue
        if not forever:
            break
        while not stop() and archive.writes() == seen and not work.is_due():
            wait()
    return work.done


@dataclass(slots=True)
class _Work:
    """What the tagger does next, and how much of each it has done."""

    archive: Archive
    nlp: Language
    batch: int
    progress: Callable[[str, int], None]
    told: Callable[[str], None]
    accurate: bool
    done: Counter[str] = field(default_factory=Counter)
    groups: Groups = field(default_factory=Groups)
    unknown: list[int] = field(default_factory=list)  # questions still to be grouped
    edits: list[int] = field(default_factory=list)  # as the archive marked them when all were compared
    size: int = FIRST
    changes: int | None = None
    broken: set[str] = field(default_factory=set)
    news: bool = False  # for suggestions: was anything tagged since the last ones
    next_suggestions: float = 0.0
    suggesting: Iterator[list[Suggestion] | None] | None = None
    suggested_for: float = 0.0  # seconds
    next_look: float = 0.0  # for the accurate tier's model, where it is missing
    missing: str = ""

    def next(self) -> bool:
        """Do one batch of the most urgent work; False where there is none."""
        steps = (self.tag, self.learn, self.theme, self.group, self.refine, self.suggest)
        return any(step() for step in steps)

    def tag(self) -> bool:
        posts = self.archive.untagged(min(self.size, self.batch), encoder=ENCODER)
        self.size = min(self.batch, 4 * self.size) if posts else FIRST
        return self._do(TAGGING, posts, self._tag)

    def _tag(self, posts: Sequence[Untagged]) -> int:
        return tag_batch(self.archive, self.nlp, posts)

    def learn(self) -> bool:
        """Fit the themes to what people taught, where that changed; what failed before may now succeed."""
        changes = self.archive.changes()
        if changes == self.changes:
            return False
        self.changes = changes
        self.broken.discard(LEARNING)
        learned = self.archive.learned(ENCODER)
        if learned.version == learned_version(self.nlp):
            return False
        return self._tried(LEARNING, lambda: self._learn(learned))

    def _learn(self, learned: Learned) -> int:
        began = perf_counter()
        teach(self.nlp, learned)
        self.archive.fitted(learned, perf_counter() - began)
        self.archive.chosen_by(themes_by(self.nlp))
        return len(learned.corrections) + len(learned.keywords)

    def theme(self) -> bool:
        """Choose themes anew, unless a tagger that began later, on a changed meeting file, chooses."""
        if self.archive.chooser() != themes_by(self.nlp):
            return False
        posts = self.archive.stale_themes(self.batch, themes_by(self.nlp), encoder=ENCODER)
        return self._do(THEMES, posts, self._theme)

    def _theme(self, posts: Sequence[Untagged]) -> int:
        results, failures = attempt(lambda some: theme_texts(self.nlp, some), posts)
        self._set_aside(failures)
        return self.archive.save_themes(results, themes_by=themes_by(self.nlp))

    def group(self) -> bool:
        """Find the questions that say the same, where there is a new one."""
        return bool(self.archive.ungrouped()) and self._tried(GROUPING, self._group)

    def _group(self) -> int | None:
        """Some at a time; nothing is saved but what is right for all questions there are now."""
        waiting = self.archive.ungrouped()
        compared = not self.unknown
        if compared:
            self.unknown = self._compare(waiting)
        some, self.unknown = self.unknown[:GROUPED], self.unknown[GROUPED:]
        self.groups.add(map(_question, self.archive.questions(ENCODER, some)))
        if self.unknown or not compared:
            return None
        self.archive.save_groups(self.groups.representatives({*waiting, *self.groups.changed}))
        self.groups.changed.clear()
        return len(self.groups.said)

    def _compare(self, waiting: Sequence[int]) -> list[int]:
        """The questions still to be taken in; those that are gone or read otherwise are let go of."""
        count, *edits = self.archive.questions_mark()
        known = self.groups.said
        new = known.keys().isdisjoint(waiting)
        if new and edits == self.edits and count == len(known) + len(waiting):
            return list(waiting)
        said, self.edits = self.archive.said(), edits
        self.groups.forget([one for one, what in known.items() if said.get(one) != what])
        return sorted(said.keys() - known.keys())

    def refine(self) -> bool:
        if not refines(self.nlp) and not self._loaded():
            return False
        posts = self.archive.to_refine(REFINED, encoder=ENCODER)
        return self._do(REFINING, posts, self._refine)

    def _loaded(self) -> bool:
        """Load the accurate tier, where it is wanted; what is missing is said once."""
        if not self.accurate or monotonic() < self.next_look:
            return False
        try:
            add_accurate(self.nlp)
        except ModelError as error:
            self.next_look = monotonic() + MODEL_EVERY
            if str(error) != self.missing:
                self.missing = str(error)
                self.told(f"{error}; sentiment stays as the fast tier has it")
            return False
        return True

    def _refine(self, posts: Sequence[Untagged]) -> int:
        results, failures = attempt(lambda some: judge_texts(self.nlp, some), posts)
        self._set_aside(failures, refining=True)
        return self.archive.refine(results)

    def suggest(self) -> bool:
        """Look for keywords to suggest, now and then, a moment at a time: it takes seconds in all."""
        return (self.suggesting is not None or self.is_due()) and self._tried(SUGGESTING, self._suggest)

    def is_due(self) -> bool:
        """Is it time for new suggestions?"""
        return self.news and SUGGESTING not in self.broken and monotonic() >= self.next_suggestions

    def _suggest(self) -> int | None:
        began = monotonic()
        if self.suggesting is None:
            self.suggesting = suggesting(self.archive.conn, self.archive.meeting)
            self.suggested_for, self.news = 0.0, False
        for found in self.suggesting:
            if found is not None or monotonic() >= began + MOMENT:
                break
        self.suggested_for += monotonic() - began
        if found is None:
            return None
        self.archive.save_suggestions(found)
        self.suggesting = None
        self.next_suggestions = began + max(SUGGESTIONS_EVERY, SUGGESTIONS_SHARE * self.suggested_for)
        return len(found)

    def _do(self, what: str, posts: Sequence[Untagged], do: Callable[[Sequence[Untagged]], int]) -> bool:
        if not posts:
            return False
        self.done[what] += do(posts)
        self.news = True
        self.progress(what, self.done[what])
        return True

    def _tried(self, what: str, do: Callable[[], int | None]) -> bool:
        """Do what concerns no single post, or, where that says ``None``, a part of it.

        Where it fails it is left out from now on: tagging goes on.
        """
        if what in self.broken:
            return False
        try:
            done = do()
        except (MemoryError, ArchiveError, sqlite3.Error):
            raise
        except Exception as error:  # whatever hostile posts may cause
            self.broken.add(what)
            self.told(f"{what} failed and is left out: {type(error).__name__}: {error}"[:500])
            return False
        if done is not None:
            self.done[what] += 1
            self.progress(what, done)
        return True

    def _set_aside(self, failures: Sequence[tuple[Untagged, str]], *, refining: bool = False) -> None:
        for post, reason in failures:
            self.archive.tag_failed(post, reason, tagged=True, refining=refining)


def _question(asked: Asked) -> Question:
    vector = None if asked.vector is None else unpack(asked.vector)
    return Question(asked.id, asked.created_at, asked.key, asked.text, vector)


def tag_batch(archive: Archive, nlp: Language, posts: Sequence[Untagged]) -> int:
    """Tag these posts; one that cannot be tagged is noted with its reason and holds up no other."""
    results, failures = attempt(lambda some: tag_texts(nlp, some, tier="fast"), posts)
    for post, reason in failures:
        archive.tag_failed(post, reason)
    return archive.save_tags(results, version=version(nlp)) if results else 0


def attempt(
    find: Callable[[Sequence[Untagged]], Sequence[Found]], posts: Sequence[Untagged]
) -> tuple[list[tuple[Untagged, Found]], list[tuple[Untagged, str]]]:
    """What ``find`` finds of each post; a batch that raises is halved down to the one to blame.

    What the machine lacks, memory or a file, is no post's fault: it is raised.
    """
    try:
        return list(zip(posts, find(posts), strict=True)), []
    except (MemoryError, OSError, ModelError):
        raise
    except Exception as error:  # whatever a component may raise on a hostile text
        if len(posts) == 1:
            return [], [(posts[0], f"{type(error).__name__}: {error}"[:500])]
    middle = len(posts) // 2
    results, failures = attempt(find, posts[:middle])
    more_results, more_failures = attempt(find, posts[middle:])
    return results + more_results, failures + more_failures
