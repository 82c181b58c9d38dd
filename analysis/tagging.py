"""Working through what is untagged, while posts keep coming.

The archive is the queue: a post without tags is work. A kill loses the batch under way and nothing
else; ``Archive.save_tags`` leaves alone what was edited, deleted or tagged meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from analysis.pipeline import BATCH, tag_texts, version
from archive.store import Archive
from archive.vocabulary import Tagging, Untagged

if TYPE_CHECKING:
    from spacy.language import Language

Result = tuple[Untagged, Tagging]


def tag(
    archive: Archive,
    nlp: Language,
    *,
    batch: int = BATCH,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[int], None] = lambda done: None,
    forever: bool = False,
    wait: Callable[[], object] = lambda: None,
) -> int:
    """Tag untagged posts, newest first, until none is left; returns how many were tagged.

    ``stop`` is asked between batches; ``progress`` hears the number tagged so far. With ``forever`` an
    empty list means calling ``wait`` (which decides how long) and looking again, until ``stop``.
    """
    done = 0
    while not stop():
        posts = archive.untagged(batch, newest_first=True)
        if posts:
            done += tag_batch(archive, nlp, posts)
            progress(done)
        elif forever:
            wait()
        else:
            break
    return done


def tag_batch(archive: Archive, nlp: Language, posts: Sequence[Untagged]) -> int:
    """Tag these posts; one that cannot be tagged is noted with its reason and holds up no other."""
    results, failures = _attempt(nlp, posts)
    for post, reason in failures:
        archive.tag_failed(post, reason)
    return archive.save_tags(results, version=version(nlp)) if results else 0


def _attempt(nlp: Language, posts: Sequence[Untagged]) -> tuple[list[Result], list[tuple[Untagged, str]]]:
    """Tag what can be tagged: a batch that raises is halved down to the one post that is to blame."""
    try:
        return list(zip(posts, tag_texts(nlp, posts), strict=True)), []
    except MemoryError:
        raise
    except Exception as error:  # whatever a component may raise on a hostile text
        if len(posts) == 1:
            return [], [(posts[0], f"{type(error).__name__}: {error}"[:500])]
    middle = len(posts) // 2
    results, failures = _attempt(nlp, posts[:middle])
    more_results, more_failures = _attempt(nlp, posts[middle:])
    return results + more_results, failures + more_failures
