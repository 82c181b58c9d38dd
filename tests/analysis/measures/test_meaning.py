from __future__ import annotations

from collections.abc import Callable

import pytest

from analysis.measures.meaning import meaning
from analysis.measures.window import Window
from archive.store import Archive
from archive.vocabulary import Meeting, Received

Receive = Callable[..., Received]
Windows = Callable[..., Window]
Tag = Callable[..., None]


@pytest.mark.usefixtures("tagged_discussion")
def test_themes_have_posts_people_and_mood(window: Windows, meeting: Meeting) -> None:
    for found in (meaning(window(), meeting)["themes"], meaning(window(source="x"), meeting)["themes"]):
        assert list(found) == ["open-data", "agility", "defragment"]
        theme = found["open-data"]
        assert (theme["posts"], theme["authored"], theme["authors"]) == (3, 2, 2)
        assert theme["share"] == 3 / 5
        assert theme["sentiment"]["positive"]["share"] == 0.5
        assert theme["abstained"] == 0
        assert found["agility"]["abstained"] == 1
        assert found["defragment"]["posts"] == 0


@pytest.mark.usefixtures("tagged_discussion")
def test_sentiment_is_over_authored_posts_with_abstaining(window: Windows, meeting: Meeting) -> None:
    found = meaning(window(), meeting)["sentiment"]
    assert found["n"] == 4
    shown = {label: found[label]["posts"] for label in ("positive", "neutral", "negative", "not_sure")}
    assert shown == {"positive": 1, "neutral": 0, "negative": 1, "not_sure": 2}
    assert found["untagged"] == 1
    assert found == meaning(window(source="x"), meeting)["sentiment"]


@pytest.mark.usefixtures("tagged_discussion")
def test_a_repost_of_a_question_asks_nothing_new(window: Windows, meeting: Meeting) -> None:
    found = meaning(window(), meeting)["questions"]
    assert (found["found"], found["by_arm"], found["by_source"]) == (1, {"remote": 1}, {"x": 1})
    assert found["answered"] is found["grouped"] is found["median_s_to_answer"] is None


def test_questions_that_ask_the_same_are_one_group(
    archive: Archive, receive: Receive, window: Windows, meeting: Meeting, tag: Tag
) -> None:
    archive.write([receive(1), receive(2, arm="remote"), receive(3), receive(4, kind="repost"), receive(5)])
    for number in (1, 2, 3, 4):
        tag(number, question=True)
    ids = [question.id for question in archive.questions("")]
    archive.save_groups({ids[0]: ids[0], ids[1]: ids[0]})
    assert meaning(window(), meeting)["questions"]["grouped"] is None, "one waits for its group"
    archive.save_groups({ids[2]: ids[2]})
    found = meaning(window(), meeting)["questions"]
    assert (found["found"], found["grouped"]) == (3, 2)
    assert meaning(window(arm="remote"), meeting)["questions"]["grouped"] == 1


def test_untagged_archives_have_no_meaning_yet(
    archive: Archive, receive: Receive, window: Windows, meeting: Meeting
) -> None:
    archive.write([receive(1)])
    found = meaning(window(), meeting)
    assert found["themes"] is found["sentiment"] is found["questions"]["found"] is None


def test_moods_are_unknown_where_reposts_cannot_be_told(
    archive: Archive, receive: Receive, window: Windows, meeting: Meeting, tag: Tag
) -> None:
    archive.write([receive(1, kind=None)])
    tag(1, themes=("agility",))
    found = meaning(window(), meeting)
    assert found["sentiment"] is found["themes"]["agility"]["sentiment"] is None
    assert found["themes"]["agility"]["posts"] == 1
