"""Conversation: who talks with whom, what is passed on, and who is heard."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from analysis.measures.networks import Network, Networks, components
from analysis.measures.window import AUTHORED, Window

TOP_REPOSTED = 10


def conversation(window: Window, networks: Networks) -> dict[str, Any]:
    """Everything under Conversation in measures.md."""
    counted: dict[str, Any] = {}
    for name in ("reply", "mention", "repost"):
        network = {"reply": networks.replies, "mention": networks.mentions, "repost": networks.reposts}[name]
        counted[f"{name}_pairs"] = len(network.pairs) if network else None
        counted[f"{name}_posts"] = network.posts if network else None
    return {
        **counted,
        "reciprocity": reciprocity(networks.replies),
        **connectedness(window, networks),
        "dialogue_share": dialogue_share(window),
        **use(window),
        "most_reposted": most_reposted(window),
        "visibility": visibility(window, networks),
    }


def reciprocity(replies: Network | None) -> float | None:
    """The share of reply pairs whose reverse is there too."""
    if replies is None or not replies.pairs:
        return None
    returned = sum((to, from_) in replies.pairs for from_, to in replies.pairs)
    return returned / len(replies.pairs)


def connectedness(window: Window, networks: Networks) -> dict[str, Any]:
    """Components and isolates of the undirected reply and mention network over the window's authors.

    An author without any link to another author is a component of its own, and an isolate.
    """
    replies, mentions = networks.replies, networks.mentions
    numbers = [row[0] for row in window.rows("SELECT DISTINCT author_id FROM chosen")]
    if replies is None or mentions is None or not numbers:
        return {"components": None, "largest_component_share": None, "isolates": None}
    nodes = {networks.accounts.author(number) for number in numbers}
    parts = components(nodes, [*replies.pairs, *mentions.pairs])
    return {
        "components": len(parts),
        "largest_component_share": len(parts[0]) / len(nodes),
        "isolates": sum(len(part) == 1 for part in parts),
    }


def dialogue_share(window: Window) -> float | None:
    """The share of authored posts in a thread with at least two authors.

    A thread is what answers lead from post to post, also over a post that is not in the archive.
    """
    replies, authored = window.kinds.of("reply"), window.kinds.authored
    if replies is None or not authored:
        return None
    links = window.rows(
        "SELECT c.key, ifnull(a.key, c.reply_to) FROM chosen c LEFT JOIN aliases a ON a.alias = c.reply_to "
        f"WHERE c.{AUTHORED} AND c.reply_to IS NOT NULL"
    )
    if replies and not links:
        return None
    linked = {key for link in links for key in link}
    authors: dict[str, int] = {
        key: author
        for key, author in window.rows(f"SELECT key, author_id FROM chosen WHERE {AUTHORED}")
        if key in linked
    }
    threads = components(linked, ((one, other) for one, other in links))
    in_dialogue = 0
    for thread in threads:
        present = [authors[key] for key in thread if key in authors]
        if len(set(present)) > 1:
            in_dialogue += len(present)
    return in_dialogue / authored


def use(window: Window) -> dict[str, float | None]:
    """What the channel is used for: passing on information, or talking with each other."""
    posts, kinds = window.kinds.posts, window.kinds
    informational = conversational = None
    if posts and kinds.reposts is not None:
        informational = window.value("SELECT sum(kind IS 'repost' OR has_link) FROM chosen") / posts
        if kinds.of("reply") is not None:
            talking = window.value(
                "SELECT count(*) FROM chosen c WHERE kind IS 'reply' OR (kind IS NOT 'repost' AND "
                "EXISTS (SELECT 1 FROM post_mentions m WHERE m.post_id = c.id))"
            )
            conversational = talking / posts
    return {"informational_share": informational, "conversational_share": conversational}


def most_reposted(window: Window) -> list[list[Any]] | None:
    """The ten posts with most reposts in the archive, ties by key; ``None`` where no repost says of what."""
    reposts = window.kinds.reposts
    if reposts is None:
        return None
    rows = window.rows(
        "SELECT ifnull(a.key, c.repost_of) AS post, count(*) FROM chosen c "
        "LEFT JOIN aliases a ON a.alias = c.repost_of WHERE c.kind = 'repost' AND c.repost_of IS NOT NULL "
        f"GROUP BY post ORDER BY count(*) DESC, post LIMIT {TOP_REPOSTED}"
    )
    return None if reposts and not rows else [list(row) for row in rows]


def visibility(window: Window, networks: Networks) -> dict[str, dict[str, int | None]] | None:
    """Per author of the window: mentions, replies and reposts received; who received none is absent."""
    parts = {"mentions": networks.mentions, "replies": networks.replies, "reposts": networks.reposts}
    if all(network is None for network in parts.values()):
        return None
    received = {name: network.received() if network else None for name, network in parts.items()}
    authors = {
        networks.accounts.author(row[0]) for row in window.rows("SELECT DISTINCT author_id FROM chosen")
    }
    heard: dict[str, dict[str, int | None]] = defaultdict(dict)
    for author in sorted(authors):
        if any(counter and author in counter for counter in received.values()):
            for name, counter in received.items():
                heard[author][name] = None if counter is None else counter[author]
    return dict(heard)
