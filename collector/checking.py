"""Whether every source can be listened to: what ``backchannel check`` finds out about them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from archive.checkup import Finding, credentials
from archive.errors import UsageError
from archive.vocabulary import Meeting
from collector.loop import Settings, open_feed
from collector.sources.base import SourceError

LOCAL = ("folder", "webhook")  # kinds that need no network to be looked at


def check_sources(meeting: Meeting, path: Path, settings: Settings, *, offline: bool) -> Iterator[Finding]:
    """Credentials and, unless ``offline``, whether the servers are reached, accept us and let us listen.

    ``path`` is the archive's. A source that fails in a way of its own takes no other with it.
    """
    if not meeting.sources:
        yield Finding("sources", "warning", "the meeting file has no [[sources]]: nothing will be collected")
    for spec in meeting.sources:
        about = f"source {spec.name}"
        missing = list(credentials(spec, settings.secrets))
        yield from missing
        if missing:
            continue
        if offline and spec.kind not in LOCAL:
            yield Finding(about, "ok", f"{spec.kind}, {spec.arm} arm; not asked (--offline)")
            continue
        try:
            feed = open_feed(spec, meeting, path, settings)
        except UsageError as error:
            yield Finding(about, "failed", str(error))
            continue
        try:
            yield from feed.check()
        except SourceError as error:
            yield Finding(about, "failed", str(error))
        except Exception as error:  # a library's own; the other sources are to be looked at all the same
            yield Finding(about, "failed", f"{type(error).__name__} while asking; check base_url")
        finally:
            with suppress(Exception):
                feed.close()
