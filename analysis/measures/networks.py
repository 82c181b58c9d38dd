"""Who answers, names and passes on whom: directed pairs of accounts, without self.

Accounts are compared by case-folded handle; a bare account id becomes its handle where an author of
the archive has it. The same handle on two networks is two accounts.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from analysis.measures.window import AUTHORED, Window

Pair = tuple[str, str]


class Accounts:
    """One spelling for each account: ``<source>:<handle, case-folded>``, else ``<source>:<account id>``."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._by_id: dict[int, str] = {}
        self._by_key: dict[str, str] = {}
        for number, key, source, handle in conn.execute("SELECT id, key, source, handle FROM authors"):
            name = f"{source}:{fold(handle)}" if handle else f"{source}:{fold(key.partition(':')[2])}"
            self._by_id[number] = name
            self._by_key[key.casefold()] = name
        self._names = frozenset(self._by_id.values())

    def author(self, number: int) -> str:
        """The spelling of the author with this row number."""
        return self._by_id[number]

    def named(self, author: int, account: str) -> str:
        """The spelling of an account that a post of this author names, by handle or bare id."""
        source = self._by_id[author].partition(":")[0]
        name = f"{source}:{fold(account)}"
        return name if name in self._names else self._by_key.get(name, name)


def fold(handle: str) -> str:
    """A handle as it is compared: without ``@`` before it, case-folded."""
    return handle.removeprefix("@").casefold()


@dataclass(frozen=True)
class Network:
    """Directed pairs with the posts behind each; posts to the own account stand beside them."""

    pairs: Counter[Pair]
    self_posts: int

    @property
    def posts(self) -> int:
        return self.pairs.total()

    def received(self) -> Counter[str]:
        """How often each account was answered, named or passed on."""
        received: Counter[str] = Counter()
        for (_, to), posts in self.pairs.items():
            received[to] += posts
        return received


@dataclass(frozen=True)
class Networks:
    """The three networks of a window; ``None`` where the archive cannot show them."""

    accounts: Accounts
    replies: Network | None
    mentions: Network | None
    reposts: Network | None


def networks(window: Window) -> Networks:
    """Read the networks of a window."""
    accounts = Accounts(window.conn)
    return Networks(
        accounts,
        replies=_by_account(window, accounts, "reply", "reply_to_account"),
        mentions=_mentions(window, accounts),
        reposts=_by_account(window, accounts, "repost", "repost_account"),
    )


def _by_account(window: Window, accounts: Accounts, kind: str, column: str) -> Network | None:
    posts = window.kinds.of(kind)
    if posts is None:
        return None
    rows = window.rows(
        f"SELECT author_id, {column}, count(*) FROM chosen "
        f"WHERE kind = ? AND {column} IS NOT NULL GROUP BY 1, 2",
        kind,
    )
    return None if posts and not rows else _network(accounts, rows)


def _mentions(window: Window, accounts: Accounts) -> Network | None:
    if window.kinds.authored is None:
        return None
    rows = window.rows(
        "SELECT c.author_id, m.account, count(*) FROM chosen c JOIN post_mentions m ON m.post_id = c.id "
        f"WHERE c.{AUTHORED} GROUP BY 1, 2"
    )
    return _network(accounts, rows)


def _network(accounts: Accounts, rows: Iterable[tuple[int, str, int]]) -> Network:
    pairs: Counter[Pair] = Counter()
    self_posts = 0
    for author, account, posts in rows:
        from_, to = accounts.author(author), accounts.named(author, account)
        if from_ == to:
            self_posts += posts
        else:
            pairs[from_, to] += posts
    return Network(pairs, self_posts)


def components(nodes: Iterable[str], edges: Iterable[Pair]) -> list[set[str]]:
    """The connected parts of an undirected graph, the largest first; edges to strangers are left out."""
    parent = {node: node for node in nodes}

    def root(node: str) -> str:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for one, other in edges:
        if one in parent and other in parent:
            parent[root(one)] = root(other)
    parts: dict[str, set[str]] = {}
    for node in parent:
        parts.setdefault(root(node), set()).add(node)
    return sorted(parts.values(), key=len, reverse=True)
