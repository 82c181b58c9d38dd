"""Mastodon pages: two servers, other ids for the same address, markup, an edit seen by one."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from random import Random

from data.sample import write_mastodon
from data.sample.people import HOSTS
from data.sample.story import Draft


def statuses(drafts: list[Draft]) -> dict[str, list[dict[str, object]]]:
    return {name: json.loads(text) for name, text in write_mastodon.pages(Random(99), drafts)}


def test_servers_show_their_own_and_half_of_the_others(draft: Callable[..., Draft]) -> None:
    pages = statuses([draft(number, "mastodon") for number in range(90)])
    assert all(len(page) <= write_mastodon.PAGE for page in pages.values())
    seen: dict[str, set[object]] = {}
    for page in pages.values():
        for status in page:
            seen.setdefault(str(status["uri"]), set()).add(status["id"])
    assert len(seen) == 90
    assert 20 < sum(len(ids) == 2 for ids in seen.values()) < 70


def test_markup_is_escaped_and_linked(draft: Callable[..., Draft]) -> None:
    post = draft(1, "mastodon", "1 < 2 & http://example.org/a #eleaders2012")
    reply = draft(2, "mastodon", "Yes #eleaders2012", parent=post)
    pages = statuses([post, reply])
    found = {str(status["uri"]): status for page in pages.values() for status in page}
    content = str(
        found[f"https://{post.author.host}/users/{post.author.handle}/statuses/{post.id}"]["content"]
    )
    assert "1 &lt; 2 &amp; <a href=" in content and 'class="mention hashtag"' in content
    answer = found[f"https://{reply.author.host}/users/{reply.author.handle}/statuses/{reply.id}"]
    assert answer["mentions"] and answer["in_reply_to_account_id"] == post.author.user_id


def test_only_the_second_server_knows_of_the_edit(draft: Callable[..., Draft]) -> None:
    post = draft(1, "mastodon", "Old #eleaders2012")
    post.edited_text, post.edited_at = "New #eleaders2012", post.at + timedelta(minutes=8)
    pages = statuses([post])
    first, second = (pages[f"{host.partition('.')[0]}-1.json"][0] for host in HOSTS)
    assert first["edited_at"] is None and "Old" in str(first["content"])
    assert second["edited_at"] is not None and "New" in str(second["content"])
    assert first["uri"] == second["uri"] and first["id"] != second["id"]
