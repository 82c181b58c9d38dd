"""What is told of a post gives it back, whichever of its observations comes first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from archive.canonical import canonical
from archive.observations import of_key, of_post
from archive.store import Archive
from archive.vocabulary import Author, Engagement, Meeting, Received
from tests.conftest import START

numbers = count()

observation = st.fixed_dictionaries(
    {
        "text": st.sampled_from(["one", "two #tag"]),
        "edited": st.sampled_from([None, 1, 2]),
        "observed": st.sampled_from([None, 1, 2, 3]),
        "likes": st.sampled_from([None, 1, 2]),
        "followers": st.sampled_from([None, 10, 20]),
        "raw": st.sampled_from([None, "{}", '{"a":1}', '{"b":2}', '{"c":3}']),
    }
)


#: One payload read in two ways, as two versions of a mapping may.
TIE = [
    dict.fromkeys(("edited", "observed", "likes", "followers")) | {"text": text, "raw": "{}"}
    for text in ("one", "two #tag")
]


def moment(hours: int | None) -> datetime | None:
    return None if hours is None else START + timedelta(hours=hours)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@example(TIE, Random(0)).via("the wording decides")
@example(TIE, Random(1)).via("the wording decides")
@given(st.lists(observation, min_size=1, max_size=5), st.randoms())
def test_any_history_comes_back(
    tmp_path: Path,
    meeting: Meeting,
    make_post: Callable[..., object],
    history: list[dict[str, object]],
    random: object,
) -> None:
    def received(seen: dict[str, object]) -> Received:
        author = Author(key="x:ana", source="x", handle="bc_ana", followers=seen["followers"])  # type: ignore[arg-type]
        likes = seen["likes"]
        engagement = None if likes is None else Engagement(likes=likes)  # type: ignore[arg-type]
        post = make_post(
            1,
            text=seen["text"],
            edited_at=moment(seen["edited"]),
            author=author,
            engagement=engagement,  # type: ignore[arg-type]
        )
        return Received(post, seen["raw"], moment(seen["observed"]))  # type: ignore[arg-type]

    number = next(numbers)
    with Archive.open(tmp_path / f"{number}.db", meeting) as archive:
        for seen in history:
            archive.write([received(seen)])
        told = list(of_post(archive.conn, 1))
        assert len(of_key(archive.conn, told[0].post.key)) == len(told)
        original = list(canonical(archive.path))
    random.shuffle(told)  # type: ignore[attr-defined]
    with Archive.open(tmp_path / f"{number}-again.db", meeting) as again:
        for item in told:
            again.write([item])
        assert list(canonical(again.path)) == original
