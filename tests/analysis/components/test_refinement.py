"""The accurate tier in the pipeline, with a model that is made up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from analysis.components import refinement
from analysis.pipeline import BATCH, build, judge_texts, refines, tag_texts, version
from analysis.sentiment_model import ModelError, Opinion
from archive.vocabulary import Meeting, Untagged


@dataclass
class Pessimist:
    """Thinks ill of every text in English; else believes the fast tier."""

    version: str = "abc"
    asked: list[str] = field(default_factory=list)

    def judge(
        self, texts: Sequence[str], fast: Sequence[Opinion], languages: Sequence[str | None]
    ) -> list[Opinion]:
        self.asked += texts
        ill = Opinion("negative", (0.8, 0.15, 0.05), True, (("budget", 0.4),))
        return [ill if language == "en" else before for before, language in zip(fast, languages, strict=True)]


@pytest.fixture
def pessimist(monkeypatch: pytest.MonkeyPatch) -> Pessimist:
    model = Pessimist()
    monkeypatch.setattr(refinement, "load", lambda: model)
    return model


def posts(*texts: str) -> list[Untagged]:
    return [Untagged(n, f"x:9{n:018d}", "v", text, None, "original") for n, text in enumerate(texts)]


ENGLISH = "What a wonderful day, I love it https://example.org"
SPANISH = "Qué día tan maravilloso, me encanta"


def test_the_accurate_tier_has_the_last_word(meeting: Meeting, pessimist: Pessimist) -> None:
    nlp = build(meeting, tier="accurate")
    assert refines(nlp)
    english, spanish = tag_texts(nlp, posts(ENGLISH, SPANISH))
    assert (english.sentiment, english.sentiment_score, english.sure) == ("negative", 0.8, True)
    assert english.tier == spanish.tier == "accurate"
    assert "https" not in pessimist.asked[0]
    (tag,) = (tag for tag in english.tags if tag.component == "sentiment")
    assert (tag.label, tag.score, tag.version) == ("negative", 0.8, "accurate 2 abc")
    assert tag.evidence is not None
    assert tag.evidence["tier"] == "accurate"
    assert tag.evidence["fast_words"] == [["budget", 0.4]]
    assert "words" not in tag.evidence
    assert tag.evidence["probabilities"] == {"negative": 0.8, "neutral": 0.15, "positive": 0.05}


def test_a_post_of_hashtags_is_not_sure_in_the_accurate_tier_either(
    meeting: Meeting, pessimist: Pessimist
) -> None:
    nlp = build(meeting, tier="accurate")
    hashtags = posts("#MakeTheCityOurs #BestDayEver")
    (found,), (mood,) = tag_texts(nlp, hashtags), judge_texts(nlp, hashtags)
    assert (found.language, found.sentiment, found.sentiment_score, found.sure) == (
        *("en", "negative", 0.8),
        False,
    )
    assert (mood.sentiment, mood.sure) == ("negative", False)
    assert mood.tag.evidence is not None
    assert (mood.tag.evidence["sure"], mood.tag.evidence["no_words"]) == (False, True)


def test_the_fast_tier_of_the_same_pipeline_is_that_of_a_fast_one(
    meeting: Meeting, pessimist: Pessimist
) -> None:
    both, fast = build(meeting, tier="accurate"), build(meeting)
    some = posts(ENGLISH, SPANISH, "")
    assert tag_texts(both, some, tier="fast") == tag_texts(fast, some)
    assert pessimist.asked == []
    assert version(both) == version(fast)
    assert not refines(fast)


def test_posts_are_judged_again_without_the_rest(meeting: Meeting, pessimist: Pessimist) -> None:
    nlp = build(meeting, tier="accurate")
    some = posts(*[ENGLISH, SPANISH] * BATCH)
    moods, taggings = judge_texts(nlp, some), tag_texts(nlp, some)
    assert [(mood.sentiment, mood.score, mood.sure) for mood in moods] == [
        (tagging.sentiment, tagging.sentiment_score, tagging.sure) for tagging in taggings
    ]
    assert [mood.tag for mood in moods] == [
        next(tag for tag in tagging.tags if tag.component == "sentiment") for tagging in taggings
    ]


def test_a_model_that_cannot_be_read_is_said(meeting: Meeting, monkeypatch: pytest.MonkeyPatch) -> None:
    def load() -> Pessimist:
        raise ModelError("accurate.json: missing")

    monkeypatch.setattr(refinement, "load", load)
    with pytest.raises(ModelError, match="missing"):
        build(meeting, tier="accurate")
    build(meeting)
