"""How good the tags are: scored against labels that people gave (``backchannel evaluate``).

Truth and tags are compared as tables of posts by classes, so that one way of counting serves posts with one
label (sentiment, question, language) and posts with several or none (themes). Small sets are not to be
over-read: every figure that decides something has its 95 % interval.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.labels import KINDS, Row, Task, read_labels
from analysis.pipeline import build, tag_texts, themes_by, version
from analysis.scores import Bools, compare, rounded, table, wilson
from analysis.texts import fold, read
from archive.errors import UsageError
from archive.vocabulary import NONE, NOTHING, Learned, Meeting, Tagging, Tier, Untagged

if TYPE_CHECKING:
    from spacy.language import Language

Table = tuple[str, list[str], list[list[str]]]

SHORT = 40  # characters of reading text; a language is harder to tell below


def evaluate(
    task: Task, meeting: Meeting, labels: Path, *, tier: Tier = "accurate", learned: Learned = NOTHING
) -> dict[str, Any]:
    """Tag the labelled posts and compare, ready for JSON.

    ``{"task", "labels", "tier", "posts", "left_out", "before", "now"}``; ``now`` is ``{"version", "all",
    "languages"}`` (for the task language ``"short"`` instead), each with ``posts, accuracy, macro_f1,
    macro_recall, classes, confusion`` and intervals (``…_95``). Means are over the classes that occur in the
    labels; for themes without the class none, and accuracy is the share of posts whose themes are all right.
    Where people corrected themes (``learned``), ``before`` is the same without what they taught; posts that
    they corrected are left out. Raises UsageError for labels that cannot be used.
    """
    rows = read_labels(labels, task, meeting)
    taught = learned if task == "themes" else NOTHING
    kept = _without(rows, taught)
    if not kept:
        raise UsageError(f"{labels.name}: every post in it was corrected in the archive; label other posts")
    posts = [Untagged(n, str(n), "", row.text, None, None) for n, row in enumerate(kept)]
    nlp = build(meeting, tier=tier)
    taggings = tag_texts(nlp, posts)
    now, before = _result(task, meeting, kept, taggings, nlp), None
    if taught.version:
        posts = [replace(post, vector=found.vector) for post, found in zip(posts, taggings, strict=True)]
        nlp = build(meeting, tier=tier, learned=taught)
        now, before = _result(task, meeting, kept, tag_texts(nlp, posts), nlp), now
    return {
        "task": task,
        "labels": labels.name,
        "tier": tier,
        "posts": len(kept),
        "left_out": len(rows) - len(kept),
        "before": before,
        "now": now,
    }


def _without(rows: Sequence[Row], learned: Learned) -> list[Row]:
    """The rows that nobody corrected: what was taught is no test of what was learned."""
    taught = {_words(correction.text) for correction in learned.corrections}
    return [row for row in rows if _words(row.text) not in taught] if taught else list(rows)


def _words(text: str) -> str:
    return " ".join(fold(word) for word in read(text).words())


def _result(
    task: Task, meeting: Meeting, rows: Sequence[Row], taggings: Sequence[Tagging], nlp: Language
) -> dict[str, Any]:
    def scored(chosen: Sequence[int]) -> dict[str, Any]:
        return _scores(task, meeting, [rows[n] for n in chosen], [taggings[n] for n in chosen])

    everything = range(len(rows))
    named = themes_by(nlp) if task == "themes" else version(nlp)
    result = {"version": named, "all": scored(everything)}
    if task == "language":
        short = [n for n in everything if len(read(rows[n].text).text.strip()) < SHORT]
        return {**result, "short": scored(short) if short else None}
    languages = sorted({row.language for row in rows if row.language is not None})
    cuts = {code: [n for n in everything if rows[n].language == code] for code in languages}
    return {**result, "languages": {code: scored(chosen) for code, chosen in cuts.items()}}


def _scores(task: Task, meeting: Meeting, rows: Sequence[Row], taggings: Sequence[Tagging]) -> dict[str, Any]:
    kind = KINDS[task]
    given = [kind.found(tagging) for tagging in taggings]
    known = kind.classes(meeting)
    strange = frozenset[str]().union(*(row.truth for row in rows), *given).difference(known)
    classes = [*known, *sorted(strange)]
    truth, found = table([row.truth for row in rows], classes), table(given, classes)
    counted = truth.any(axis=0) & np.array([task != "themes" or name != NONE for name in classes])
    scores = compare(truth, found, classes, counted)
    if task == "themes":
        return {**scores, "map": _mean_average_precision(truth, taggings, classes, counted)}
    if task == "sentiment":
        sure = np.array([bool(tagging.sure) for tagging in taggings])
        return {**scores, "sure": _sure(sure, (truth == found).all(axis=1))}
    return scores


def _mean_average_precision(
    truth: Bools, taggings: Sequence[Tagging], classes: Sequence[str], counted: Bools
) -> float | None:
    """How well each theme's scores order the posts, whatever the threshold; the mean over themes."""
    from sklearn.metrics import average_precision_score

    scores = np.array([[tagging.theme_scores.get(name, 0.0) for name in classes] for tagging in taggings])
    found = [average_precision_score(truth[:, n], scores[:, n]) for n in np.flatnonzero(counted)]
    return rounded(np.mean(found)) if found else None


def _sure(sure: Bools, right: Bools) -> dict[str, Any]:
    """How many posts the tagger is sure of, and how often it is right then."""
    posts, hits = int(sure.sum()), int((sure & right).sum())
    return {
        "share": rounded(posts / len(sure)),
        "share_95": wilson(posts, len(sure)),
        "accuracy": rounded(hits / posts) if posts else None,
        "accuracy_95": wilson(hits, posts) if posts else None,
    }


# For people.


def tables(report: Mapping[str, Any]) -> Iterator[Table]:
    """The report as tables: title, columns, rows."""
    before, now = report["before"], report["now"]
    if before:
        yield "what the corrections change", ["", "before", "now"], _changes(before["all"], now["all"])
    cuts = {"all": now["all"], **now.get("languages", {})}
    if now.get("short"):
        cuts[f"under {SHORT} characters"] = now["short"]
    columns = ["posts", "accuracy", "macro-F1", "macro-recall", *_extra_columns(now["all"])]
    yield "figures (95 % interval)", ["", *columns], [[name, *_figures(cuts[name])] for name in cuts]
    columns = ["precision", "recall", "F1", "support"]
    labelled = {name: of for name, of in now["all"]["classes"].items() if of["support"]}
    yield "classes", ["", *columns], [[name, *_class(of)] for name, of in labelled.items()]
    confusion = now["all"]["confusion"]
    columns = list(dict.fromkeys([*confusion, *(name for row in confusion.values() for name in row)]))
    rows = [[name, *(str(row.get(other, "")) for other in columns)] for name, row in confusion.items()]
    yield "true class by row, found by column", ["", *columns], rows


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[list[str]]:
    names = {"macro_f1": "macro-F1", "accuracy": "accuracy", "map": "mAP"}
    rows = [[shown, _share(before[name]), _share(now[name])] for name, shown in names.items()]
    for name in now["classes"]:
        values = [_share(result["classes"][name]["f1"]) for result in (before, now)]
        rows.append([f"F1 {name}", *values])
    return rows


def _extra_columns(scores: Mapping[str, Any]) -> list[str]:
    if "map" in scores:
        return ["mAP", "F1 none"]
    return ["sure", "accuracy when sure"] if "sure" in scores else []


def _figures(scores: Mapping[str, Any]) -> list[str]:
    shown = [str(scores["posts"])]
    for name in ("accuracy", "macro_f1", "macro_recall"):
        shown.append(_with_interval(scores[name], scores[f"{name}_95"]))
    if "map" in scores:
        shown += [_share(scores["map"]), _share(scores["classes"][NONE]["f1"])]
    elif "sure" in scores:
        sure = scores["sure"]
        shown += [_with_interval(sure[name], sure[f"{name}_95"]) for name in ("share", "accuracy")]
    return shown


def _class(scores: Mapping[str, Any]) -> list[str]:
    f1 = _with_interval(scores["f1"], scores["f1_95"])
    return [_share(scores["precision"]), _share(scores["recall"]), f1, str(scores["support"])]


def _with_interval(value: float | None, interval: Sequence[float] | None) -> str:
    if value is None or interval is None:
        return _share(value)
    return f"{value:.3f} ({interval[0]:.2f}–{interval[1]:.2f})"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
