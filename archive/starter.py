"""A meeting file to begin with: commented, valid as it is, with the sessions of an agenda if there is one."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from archive.agenda import Agenda, Slot, slugs
from archive.errors import UsageError
from archive.meeting import FILE_NAME

TEMPLATE = """\
# The meeting file of Backchannel. Lines that begin with # are comments.
# Fill in [meeting], then run: backchannel check .
# Every key is explained in docs/first-meeting.md; unknown keys are errors.

[meeting]
slug = {slug}                  # a-z, 0-9 and -; names the archive: <slug>.db
title = {title}
hashtags = [{hashtag}]         # without '#'; several allowed; case and accents do not matter
starts = {starts}       # local time of the meeting
ends = {ends}
timezone = {timezone}                  # as in the IANA list, e.g. "America/Mexico_City"
languages = ["en", "es", "fr"]      # of the posts
interface = "en"                    # of the dashboard and the report: en, es or fr
lag = 0                             # how long after it was said a post is written, e.g. "2m"

# [attendance]                      # denominators; leave out what is not known
# registered = 120
# room = 80
# remote = 40
# by_country = {{ MX = 30, FR = 12 }}
# by_group = {{ government = 60, business = 20 }}

# [[themes]]                        # what posts are tagged with; as many as you like
# slug = "open-data"
# title = "Promote open data to open governments"
# description = "One to three sentences, as on the agenda."
# keywords = {{ en = ["open data", "transparency"], es = ["datos abiertos"] }}

{sessions}
# Where posts come from while the meeting runs; as many tables as you like (docs/collecting.md). Secrets
# stand in the environment or in a file .env beside this one, as lines NAME=value; never in here.

# [[sources]]
# kind = "x"
# token_env = "X_BEARER_TOKEN"      # the variable that holds the token; never the token itself
# max_posts = 20000                 # every post read from X costs money: with this many it stops

# [[sources]]
# kind = "mastodon"                 # one instance; for another one, another table
# base_url = "https://mastodon.example"
# token_env = "MASTODON_TOKEN"      # of an account there, with the right read:statuses

# [[sources]]
# kind = "bluesky"                  # needs no account

# [[sources]]
# kind = "folder"                   # the meeting's own tool: saved chats, exports of questions
# path = "zoom/"                    # a folder or a file, from here
# arm = "remote"                    # room, remote or public

# [[sources]]
# kind = "webhook"                  # other programs post to us, with a token in BACKCHANNEL_WEBHOOK_TOKEN
# listen = "127.0.0.1:8600"

# [participants]                    # only people who agreed to be matched
# roster = "roster.csv"             # name,country,group,attendance(room|remote),accounts

# [moderation]
# show = "approved"                 # on the Wall: everything, approved or automatic

# [privacy]
# retain_until = {retain}
# quotes = "names"                  # in the report: names, pseudonyms or none
"""

EXAMPLE_SESSION = """\
# [[sessions]]                      # the agenda; without it the whole meeting is one session
# slug = "s1"
# title = "Opening"
# starts = {starts}
# ends = {ends}
# kind = "session"                  # or "break"
# track = "main"                    # sessions of one track must not overlap
# themes = ["open-data"]
"""


def write_starter(folder: Path, agenda: Agenda | None, *, today: datetime) -> Path:
    """Write ``meeting.toml`` into a folder, which is made if need be; never over an existing one.

    ``today`` (aware) dates the example. Raises ``UsageError`` where there is a meeting file already.
    """
    path = folder / FILE_NAME
    text = starter(folder.absolute().name, agenda, today=today)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path}: is there already and is never overwritten; name another folder") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror})") from None
    return path


def starter(name: str, agenda: Agenda | None, *, today: datetime) -> str:
    """The text of a meeting file for a meeting called ``name``."""
    zone = _zone(agenda)
    if agenda:
        times = [(_local(slot.starts, zone), _local(slot.ends, zone)) for slot in agenda.slots]
        starts, ends = min(start for start, _ in times), max(end for _, end in times)
        sessions = _sessions(agenda.slots, zone)
    else:
        starts = today.replace(hour=9, minute=0, second=0, microsecond=0, tzinfo=None) + timedelta(days=7)
        ends = starts.replace(hour=18)
        sessions = EXAMPLE_SESSION.format(starts=_toml(starts), ends=_toml(starts.replace(hour=10)))
    slug = _slug(name)
    return TEMPLATE.format(
        slug=_quoted(slug),
        title=_quoted((agenda and agenda.title) or name or "My meeting"),
        hashtag=_quoted(slug.replace("-", "")),
        starts=_toml(starts),
        ends=_toml(ends),
        timezone=_quoted(zone.key),
        sessions=sessions,
        retain=(ends + timedelta(days=365)).date().isoformat(),
    )


def _zone(agenda: Agenda | None) -> ZoneInfo:
    try:
        return ZoneInfo((agenda and agenda.timezone) or "UTC")
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None) if moment.tzinfo else moment


def _sessions(slots: Sequence[Slot], zone: ZoneInfo) -> str:
    """One ``[[sessions]]`` per slot; of two that overlap in one room the later gets a track of its own."""
    tables = []
    reached: dict[str, datetime] = {}
    for slug, slot in zip(slugs(tuple(slots)), slots, strict=True):
        starts, ends = _local(slot.starts, zone), _local(slot.ends, zone)
        track, number = slot.track[:280], 1
        while starts < reached.get(track, starts):
            number += 1
            track = f"{slot.track[:280]} ({number})"
        reached[track] = ends
        lines = [
            "[[sessions]]",
            f"slug = {_quoted(slug)}",
            f"title = {_quoted(slot.title[:300])}",
            f"starts = {_toml(starts)}",
            f"ends = {_toml(ends)}",
            f'kind = "{"break" if slot.is_break else "session"}"',
            f"track = {_quoted(track)}",
        ]
        if slot.speakers:
            lines.append(f"speakers = [{', '.join(_quoted(name[:300]) for name in slot.speakers)}]")
        tables.append("\n".join(lines) + "\n")
    return "\n".join(tables)


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain))[:64].strip("-") or "my-meeting"


def _quoted(text: str) -> str:
    # JSON's strings are TOML's basic strings, but for DEL, which TOML wants escaped.
    whole = text.encode("utf-8", "replace").decode()  # half a surrogate pair cannot be written
    return json.dumps(whole, ensure_ascii=False).replace("\x7f", "\\u007f")


def _toml(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
