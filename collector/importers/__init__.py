"""The formats that archives and exports come in: one module each, found by the content of the file.

A new one is a module with the names of ``base.Importer`` and its line in ``IMPORTERS``, whose order is
the order of looking: the particular before the plain.
"""

from __future__ import annotations

from collections.abc import Sequence

from archive.errors import UsageError
from collector.importers import (
    base,
    jetstream,
    mastodon,
    native,
    plain_csv,
    plain_log,
    rtweet,
    slido,
    tags,
    teams,
    teams_qa,
    twarc1,
    twarc2,
    twitter_r,
    webex,
    webex_qa,
    youtube,
    zoom,
    zoom_qa,
)

IMPORTERS: Sequence[base.Importer] = (
    native,
    rtweet,
    twitter_r,
    tags,
    jetstream,
    mastodon,
    youtube,
    twarc1,
    twarc2,
    zoom,
    zoom_qa,
    teams_qa,
    webex_qa,
    slido,
    teams,
    webex,
    plain_log,
    plain_csv,
)


def find(name: str) -> base.Importer:
    """The importer that ``--format`` names; UsageError lists those there are."""
    for importer in IMPORTERS:
        if importer.NAME.casefold() == name.casefold():
            return importer
    known = ", ".join(importer.NAME for importer in IMPORTERS)
    raise UsageError(f"there is no format named {name!r}; the formats are: {known}")
