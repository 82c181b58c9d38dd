"""Where posts come from while the meeting runs: one module each.

A new one is a module with the names of ``base.Source`` and its line in ``SOURCES``.
"""

from __future__ import annotations

from collector.sources import base, bluesky, folder, mastodon, webhook, x

SOURCES: base.Sources = (x, mastodon, bluesky, folder, webhook)


def find(kind: str) -> base.Source:
    """The source of a kind that the meeting file has checked."""
    return next(source for source in SOURCES if kind == source.KIND)
