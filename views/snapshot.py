"""What the Live page shows at one moment: taken once, shared by every viewer, told apart by difference."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from analysis.charts import DARK, LIGHT, theme_colour
from analysis.measures import latest, live
from analysis.measures.learning import learning
from analysis.measures.marks import marks_of
from archive.errors import ArchiveError, NewerArchive, NotAnArchive
from archive.playback import playback
from archive.reading import load_meeting
from archive.shown import account
from archive.times import short, to_text, utc_now
from archive.vocabulary import Meeting
from views import learned
from views.heard import Heard, alarm
from views.postcard import asked

SHOWN = 40  # posts in the list
TEXT = 600  # characters of a post; the Archive page has all of it
PATIENCE = 60.0  # seconds of real time after which untagged posts say that the tagger has stopped
BEHIND = 5.0  # seconds of real time, or so many posts, before anything is said of them
MANY = 500

LONG_AGO = 3600.0  # seconds
REASON = 1000  # characters of what a server said
CAUSES = 3  # of one gap
STALLED = 15.0  # seconds without a move after which a replay has been stopped

#: JSON: ``meeting``, ``now``, ``figures``, ``feeds``, ``gaps``, ``tagger``, ``alarm``, ``heard``, ``posts``,
#: ``empty``; or ``trouble``.
Snapshot = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Clock:
    """The meeting's clock: the wall's, or that of a replay that is going on."""

    now: datetime
    speed: float = 1.0  # meeting seconds a second; 0 while paused
    replay: dict[str, Any] | None = None

    def phase(self, meeting: Meeting) -> str:
        """``before``, ``during`` or ``after``."""
        if self.now < meeting.starts:
            return "before"
        return "during" if self.now < meeting.ends else "after"


def clock_of(conn: sqlite3.Connection, wall: datetime | None = None) -> Clock:
    """The replay's position where one is going on, else the wall clock."""
    wall = wall or utc_now()
    played = playback(conn)
    if played is None or played.finished:
        return Clock(wall)
    stopped = (wall - played.seen_at).total_seconds() > STALLED and not played.paused
    replay = {
        "starts": short(to_text(played.starts)),
        "ends": short(to_text(played.ends)),
        "speed": played.speed,
        "paused": played.paused,
        "stopped": stopped,
    }
    return Clock(played.position, 0.0 if played.paused or stopped else played.speed, replay)


def take(conn: sqlite3.Connection, wall: datetime | None = None, *, heard: Heard | None = None) -> Snapshot:
    """The snapshot of an archive; reads rollups and short index ranges only.

    ``heard`` is what views.heard found at its last look.
    """
    meeting = load_meeting(conn)
    clock = clock_of(conn, wall)
    figures = live.key_figures(conn, clock.now, meeting)
    over = clock.phase(meeting) == "after"
    health = live.feed_health(conn, clock.now, meeting)
    return {
        "meeting": about(meeting),
        "now": {
            "at": short(to_text(clock.now)),
            "speed": clock.speed,
            "replay": clock.replay,
            "phase": clock.phase(meeting),
        },
        "figures": key_figures(figures, clock, over=over),
        "feeds": [feed(one, over=over) for one in health],
        "gaps": {one["name"]: gaps_of(one) for one in health},
        "tagger": tagger(conn, figures, clock, over=over) or teaching(conn, meeting),
        "alarm": None if over else alarm(conn, clock),
        "heard": heard,
        "posts": posts_of(conn),
        "empty": _nothing_yet(meeting, clock),
    }


def trouble(error: ArchiveError) -> Snapshot:
    """The snapshot of an archive that cannot be read: what is the matter."""
    if isinstance(error, NewerArchive):
        heading = "This archive needs a newer Backchannel"
    elif isinstance(error, NotAnArchive):
        heading = "There is no archive to show"
    else:
        heading = "This archive cannot be read"
    return {"trouble": {"heading": heading, "text": str(error)}}


def difference(old: Snapshot, new: Snapshot) -> dict[str, Any]:
    """What of ``new`` a viewer of ``old`` has to be told; empty where nothing is different."""
    if old.get("meeting") != new.get("meeting") or "trouble" in new:
        return {} if old == new else dict(new)
    parts = ("feeds", "tagger", "alarm", "heard", "empty")
    update = {name: new[name] for name in parts if old[name] != new[name]}
    gaps = {name: listed for name, listed in new["gaps"].items() if old["gaps"].get(name) != listed}
    update |= {"gaps": gaps} if gaps else {}
    figures = [one for one in new["figures"] if one not in old["figures"]]
    update |= {"figures": figures} if figures else {}
    before = {post["id"]: post for post in old["posts"]}
    after = {post["id"]: post for post in new["posts"]}
    changed = [post for post in new["posts"] if before.get(post["id"]) != post]
    # A post that newer ones pushed out needs no word: viewers keep the newest SHOWN by themselves.
    last = min((post["rank"] for post in new["posts"]), default="")
    full = len(new["posts"]) >= SHOWN
    gone = [
        post["id"] for post in old["posts"] if post["id"] not in after and not (full and post["rank"] < last)
    ]
    update |= {"posts": changed} if changed else {}
    update |= {"gone": gone} if gone else {}
    if update or _leaps(old["now"], new["now"]):
        update["now"] = new["now"]
    return update


def _leaps(old: dict[str, Any], new: dict[str, Any]) -> bool:
    # The viewer's own clock runs on; only what it cannot know is sent.
    return bool(new["speed"] != 1.0 or any(old[name] != new[name] for name in ("speed", "replay", "phase")))


def about(meeting: Meeting) -> dict[str, Any]:
    """What never changes while the meeting runs."""
    return {
        "title": meeting.title,
        "hashtags": list(meeting.hashtags),
        "timezone": meeting.timezone,
        "starts": short(to_text(meeting.starts)),
        "ends": short(to_text(meeting.ends)),
        "days": _days(meeting),
        "themes": [
            {
                "slug": theme.slug,
                "title": theme.title,
                "colours": [theme_colour(place, LIGHT), theme_colour(place, DARK)],
            }
            for place, theme in enumerate(meeting.themes)
        ],
        "sessions": [
            {
                "title": session.title,
                "starts": short(to_text(session.starts)),
                "ends": short(to_text(session.ends)),
            }
            for session in meeting.sessions
        ],
    }


def _days(meeting: Meeting) -> int:
    first, last = (moment.astimezone(meeting.zone).date() for moment in (meeting.starts, meeting.ends))
    return (last - first).days + 1


def posts_of(conn: sqlite3.Connection) -> list[dict[str, Any]]:
    """The newest posts as they are sent to browsers."""
    posts = latest.latest(conn, SHOWN)
    marks = marks_of(conn, [post["id"] for post in posts])
    return [shown({**post, **marks.get(post["id"], {})}) for post in posts]


def shown(post: dict[str, Any]) -> dict[str, Any]:
    """A post as it is sent to browsers; what is not true of it is left out."""
    text = post["text"]
    more = {
        "to_chair": post.get("to_chair"),
        "asked": asked(post.get("group")),
        "logistics": post.get("logistics"),
    }
    return {
        "id": post["id"],
        "key": post["key"],
        "rank": post["rank"],
        "author": account(post["handle"], post["name"]),
        "text": text if len(text) <= TEXT else text[: TEXT - 1] + "…",
        "at": post["created_at"],
        "source": post["source"],
        "kind": post["kind"],
        "language": post["language"],
        "tagged": post["tagged"],
        "themes": post["themes"],
        "sentiment": post["sentiment"] if post["tagged"] else None,
        "question": post["question"],
        **{name: value for name, value in more.items() if value},
    }


def feed(health: dict[str, Any], *, over: bool = False) -> dict[str, Any]:
    """The health of one source: what it does, since and until when, why, and its gaps in words.

    Beside the states of the ledger there are ``imported``, ``unstarted`` and, once the meeting is ``over``,
    ``ended``: a source that nobody hears any more is not deaf then.
    """
    state, note, seconds = health["state"], health["reason"] or "", health["age_s"]
    if state == "stopped" and health["since"] is None:
        state, note = "unstarted", ""
    elif over and state in ("deaf", "stopped") and seconds is not None and seconds > LONG_AGO:
        state, note = "ended", ""
    elif state == "catching_up":
        note = " · ".join(filter(None, (_refilling(health["outages"]["pending"]), note)))
    elif note == state:
        note = ""  # stopped by us: the word says it
    return {
        "name": health["name"],
        "source": health["source"],
        "state": state,
        "note": _cut(note),
        "since": health["since"],
        "until": health["until"],
        "post": health["last_post"],
        "lag": health["lag_s"],
        "heard": health["last_heard"],
        "gaps": gap_words(health["outages"], catching_up=state == "catching_up"),
    }


def _refilling(gaps: int) -> str:
    return f"refilling {_number(gaps, 'gap')}" if gaps else "looking for earlier posts"


def gap_words(outages: dict[str, Any], *, catching_up: bool = False) -> dict[str, Any]:
    """What to say of a source's gaps: how many there were (``total``) and, in words, how many are worth
    a word (``said``) and what is ``missing``; ``bad`` where something is.

    A gap that was wholly refilled is none; one that is being refilled this moment is not worth a word.
    """
    being_refilled = outages["pending"] if catching_up else 0
    bad = outages["total"] - outages["refilled"] - being_refilled
    unknown = outages["unknown"] + outages["pending"] - being_refilled
    missing = outages["missing"]
    said = {"total": outages["total"], "bad": bad > 0, "said": "", "missing": ""}
    if bad:
        said["said"] = _number(bad, "other gap" if being_refilled else "gap")
        said["missing"] = _missing(missing, unknown)
    elif outages["refilled"]:
        said["said"] = f"{_number(outages['refilled'], 'gap')} refilled"
    return said


def _missing(known: int, unknown: int) -> str:
    if unknown:
        return f"{_number(known, 'post')} or more missing" if known else "unknown number missing"
    return f"about {_number(known, 'post')} missing" if known else "nothing thought missing"


def gaps_of(health: dict[str, Any]) -> list[dict[str, Any]]:
    """The newest gaps of one source as they are sent to browsers, newest first.

    Each has ``from``, ``to``, ``cause``, what became of it (``fate``) and whether that is bad news (``bad``).
    """
    catching_up = health["state"] == "catching_up"
    return [
        {
            "from": gap["from"],
            "to": gap["to"],
            "cause": _cut(_causes(gap["causes"])),
            "fate": _cut(_fate(gap, catching_up=catching_up)),
            "bad": not catching_up if gap["pending"] else gap["missing"] != 0,
        }
        for gap in health["outages"]["newest"]
    ]


def _causes(causes: list[str]) -> str:
    more = ["and more"] if len(causes) > CAUSES else []
    return "; ".join(causes[:CAUSES] + more) or "cause not recorded"


def _fate(gap: dict[str, Any], *, catching_up: bool) -> str:
    if gap["to"] is None:
        return ""
    if gap["pending"]:
        return "being refilled" if catching_up else "not refilled yet"
    by = [one.partition("; ") for one in gap["refilled"]]
    means = dict.fromkeys(name for name, _, _ in by if name != "nothing")
    lost = dict.fromkeys(text for _, _, text in by if text)
    said = [f"refilled by {' and '.join(means)}" if means else "not refilled", *lost]
    missing = gap["missing"]
    if missing is None:
        said.append("an unknown number of posts is missing")
    elif missing:
        said.append(f"about {_number(missing, 'post')} missing")
    return " · ".join(said)


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _cut(text: str) -> str:
    return text if len(text) <= REASON else f"{text[: REASON - 1]}…"


def tagger(
    conn: sqlite3.Connection, figures: dict[str, Any], clock: Clock, *, over: bool = False
) -> dict[str, Any] | None:
    """What to say about posts without tags; None where there are none, or only those of this moment."""
    untagged = figures["untagged"]
    since = latest.waiting_since(conn) if untagged else None
    if since is None:
        return None
    waited = (clock.now - since).total_seconds()
    if waited / (clock.speed or 1.0) < BEHIND and untagged < MANY:
        return None
    posts = _number(untagged, "post")
    if waited / (clock.speed or 1.0) <= PATIENCE:
        return {"state": "catching_up", "note": f"{posts} to go"}
    if over:
        return {"state": "waiting", "note": f"{posts} to go: run backchannel tag"}
    return {"state": "deaf", "note": f"stopped · {posts} waiting, oldest {age(waited)}"}


def teaching(conn: sqlite3.Connection, meeting: Meeting) -> dict[str, Any] | None:
    """What to say of what people taught the tagger; None where they taught nothing."""
    found = learning(conn)
    said = learned.line(found, meeting)
    if not found or not said:
        return None
    return {"state": "catching_up" if found["waiting"] else "listening", "note": said}


# The five key figures.


def key_figures(figures: dict[str, Any], clock: Clock, *, over: bool = False) -> list[dict[str, Any]]:
    """Posts, authors, languages or countries, open questions, mood: label, value and a line below.

    Once the meeting is ``over`` they are final: nothing is said of the last minutes.
    """
    return [
        _posts(figures, over),
        _authors(figures),
        _countries(figures["countries"]) if figures["countries"] else _languages(figures["languages"]),
        _questions(figures["questions"], clock, over),
        _mood(figures["sentiment"]),
    ]


def _posts(figures: dict[str, Any], over: bool) -> dict[str, Any]:
    recent = figures["posts_5_min"]
    lately = f"+{recent:,} in the last 5 min" if recent else "none in the last 5 min"
    return {"key": "posts", "label": "Posts", "value": figures["posts"], "sub": "in all" if over else lately}


def _authors(figures: dict[str, Any]) -> dict[str, Any]:
    new = figures["new_authors"]
    sub = "in all" if new is None else f"{new:,} new in this session"
    return {"key": "authors", "label": "Authors", "value": figures["authors"], "sub": sub}


def _languages(languages: dict[str, int]) -> dict[str, Any]:
    known = {code: posts for code, posts in languages.items() if code != "und"}
    total = sum(languages.values())
    shares = [f"{code} {posts / total:.0%}" for code, posts in list(known.items())[:4]]
    return {
        "key": "languages",
        "label": "Languages",
        "value": len(known),
        "sub": " · ".join(shares) or "none yet",
    }


def _countries(countries: dict[str, Any]) -> dict[str, Any]:
    missing = countries["missing"]
    more = f" +{len(missing) - 5}" if len(missing) > 5 else ""
    return {
        "key": "countries",
        "label": "Countries heard",
        "value": len(countries["seen"]),
        "of": len(countries["seen"]) + len(missing),
        "sub": f"not heard: {' '.join(missing[:5])}{more}" if missing else "all of the roster",
    }


def _questions(questions: dict[str, Any] | None, clock: Clock, over: bool) -> dict[str, Any]:
    figure: dict[str, Any] = {
        "key": "questions",
        "label": "Open questions",
        "value": None,
        "sub": "no tags yet",
    }
    if questions is None:
        return figure
    figure |= {"value": questions["open"], "sub": "were asked" if over else "none waiting"}
    if not over and questions["open"] and questions["oldest_age_s"] is not None:
        asked = clock.now - timedelta(seconds=questions["oldest_age_s"])
        figure |= {"sub": "oldest", "since": short(to_text(asked))}
    return figure


def _mood(sentiment: dict[str, Any] | None) -> dict[str, Any]:
    figure = {"key": "mood", "label": "Positive / negative", "n": 0, "positive": None, "negative": None}
    if sentiment is None or not sentiment["n"]:
        return figure | {"sub": "no tags yet"}
    neutral, unsure = (sentiment[name]["share"] for name in ("neutral", "not_sure"))
    return figure | {
        "n": sentiment["n"],
        "positive": sentiment["positive"]["share"],
        "negative": sentiment["negative"]["share"],
        "sub": f"of {sentiment['n']:,}; {neutral:.0%} neutral, {unsure:.0%} not sure",
    }


def age(seconds: float) -> str:
    """A length of time in words, as the page's script writes it."""
    for limit, size, unit in ((90, 1, "s"), (5400, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{max(0, round(seconds / size))} {unit}"
    return f"{round(seconds / 86_400)} days"


def _nothing_yet(meeting: Meeting, clock: Clock) -> str:
    tags = " ".join(f"#{tag}" for tag in meeting.hashtags)
    if clock.phase(meeting) == "after":
        return "No posts were kept. Import an archive of the discussion to see it here."
    return f"No posts yet. The first one with {tags} will appear here within a second of its arrival."
