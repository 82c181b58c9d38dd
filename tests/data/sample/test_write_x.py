"""X pages: newest first, includes for reposts, one duplicate, edit chains, cut entities left out."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

from data.sample import write_x
from data.sample.story import Draft


def test_pages_are_newest_first_and_overlap_by_one(draft: Callable[..., Draft]) -> None:
    pages = [json.loads(line) for line in write_x.pages([draft(number) for number in range(150)])]
    ids = [post["id"] for page in pages for post in page["data"]]
    assert [len(page["data"]) for page in pages] == [100, 51]
    assert ids[99] == ids[100] and sorted(set(ids), reverse=True) == list(dict.fromkeys(ids))
    assert pages[0]["meta"] == {"newest_id": ids[0], "oldest_id": ids[99], "result_count": 100}


def test_a_repost_brings_its_original_along(draft: Callable[..., Draft]) -> None:
    original = draft(1, text="Long words http://example.org/abc #eleaders2012")
    repost = draft(2, text="RT @x: Long words http://exam…", repost_of=original)
    (page,) = (json.loads(line) for line in write_x.pages([repost]))
    (post,) = page["data"]
    assert post["referenced_tweets"] == [{"type": "retweeted", "id": original.id}]
    assert "urls" not in post["entities"]
    assert page["includes"]["tweets"][0]["entities"]["urls"][0]["expanded_url"] == "http://example.org/abc"
    assert {user["id"] for user in page["includes"]["users"]} == {
        original.author.user_id,
        repost.author.user_id,
    }


def test_a_reply_names_its_parent_and_thread(draft: Callable[..., Draft]) -> None:
    root = draft(1)
    reply = draft(2, parent=root)
    deeper = draft(3, parent=reply)
    (page,) = (json.loads(line) for line in write_x.pages([root, reply, deeper]))
    post = page["data"][0]
    assert post["text"].startswith(f"@{reply.author.handle} ")
    assert post["conversation_id"] == root.id
    assert post["in_reply_to_user_id"] == reply.author.user_id


def test_an_edit_is_a_chain_of_two(draft: Callable[..., Draft]) -> None:
    edited = draft(1, edited_text="Better #eleaders2012", edited_at=draft(1).at + timedelta(minutes=4))
    (page,) = (json.loads(line) for line in write_x.pages([edited]))
    newer, older = page["data"][0], page["data"][-1]
    assert newer["edit_history_tweet_ids"] == [older["id"], newer["id"]]
    assert newer["text"] == "Better #eleaders2012" and older["edit_history_tweet_ids"] == [older["id"]]


def test_early_rows_quote_what_holds_a_comma() -> None:
    lines = list(write_x.early_rows([("9", "2012-03-24 10:00:00", "el12_a", "yes, of course")]))
    assert lines == ["id,datetime,user,text", '9,2012-03-24 10:00:00,el12_a,"yes, of course"']
