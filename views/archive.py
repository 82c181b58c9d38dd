"""The Archive page: search, narrow, read a post with its thread and its evidence, take it along as CSV.

The address is the state: every control writes a parameter of it, and the page is drawn from them alone.
"""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from analysis.measures.learning import learning
from analysis.measures.marks import marks_of
from archive.errors import ArchiveError, BackchannelError, SearchError, UsageError
from archive.export import write_csv
from archive.export_tables import POST_COLUMNS
from archive.facets import DIMENSIONS, Selection
from archive.reading import explained, load_meeting, open_readonly
from archive.search import PAGE, Found, Order, Searcher, rows_in_order
from archive.store import Archive
from archive.vocabulary import SENTIMENTS, Correction, Meeting
from views import components, learned, postcard, settings
from views.style import asset

PARAMETERS = ("q", *DIMENSIONS, "from", "to", "order", "post")
CORRECTED = ("themes", "sentiment", "question", "language")
LOOK = 3.0  # seconds between two looks at what the tagger does
UNSAVED = {"number": 0, "key": None, "said": "", "problem": None}  # what became of the last correction
MOST_SHOWN = 200  # posts on one page; a search that finds more is better narrowed or taken along
EXAMPLES = 'Try  "open data" budget,  health OR education,  budget NOT lunch,  transpar*,  from:@handle'

_PAGE = st.components.v2.component(
    "backchannel_archive",
    html=asset("archive.html"),
    css=asset("base.css") + asset("archive.css"),
    js=asset("dom.js") + asset("archive.js"),
    isolate_styles=True,
)


@st.cache_resource(max_entries=4, show_spinner=False)
def searcher(path: Path, file: int) -> Searcher:
    """The shared searcher of an archive; ``file`` tells a replaced file from the old one."""
    del file
    return Searcher(open_readonly(path))


def page(path: Path) -> None:
    """Draw the page for the archive at ``path``."""
    try:
        with settings.reading(path) as conn:
            meeting = load_meeting(conn)
            searching = searcher(path, path.stat().st_ino)
            opened = st.query_params.get("post")
            post = postcard.opened(conn, opened, meeting) if opened else None
    except ArchiveError as error:
        components.message("This archive cannot be read", [str(error)])
        return
    except sqlite3.Error as error:
        components.message("This archive cannot be read", [str(explained(error, path))])
        return
    _draw(path, searching, meeting, post)


def _draw(path: Path, searching: Searcher, meeting: Meeting, post: dict[str, Any] | None) -> None:
    parameters = st.query_params.to_dict()
    found, problem, marks = None, None, postcard.NO_MARKS
    try:
        selection = selected(parameters, meeting)
        asked, order = parameters.get("q", ""), order_of(parameters)
        found = searching.find(asked, selection, order=order, limit=_shown(), offset=_offset(meeting))
        with settings.reading(path) as conn:
            marks = marks_of(conn, [hit.id for hit in found.hits])
    except SearchError as error:
        problem = str(error)
    except ArchiveError as error:
        components.message("This archive cannot be searched", [str(error)])
        return
    except sqlite3.Error as error:
        components.message("This archive cannot be searched", [str(explained(error, path))])
        return
    st.html(f"<style>{asset('archive_page.css')}</style>")
    st.html(postcard.heading(meeting))
    st.fragment(_learned, run_every=LOOK)(path, meeting)
    _bar(meeting, bool(found and found.total), lambda: as_csv(path, parameters))
    data = described(found, problem, parameters, meeting, marks)
    _PAGE(
        key="archive",
        data={
            **data,
            "open": post,
            "correcting": None if settings.read_only() else postcard.correcting(meeting),
            "saved": st.session_state.get("archive_saved", UNSAVED),
        },
        on_act_change=lambda: _act(path),
    )


def _learned(path: Path, meeting: Meeting) -> None:
    """What the themes have learned; when the last post has been re-tagged the page is drawn anew."""
    try:
        with settings.reading(path) as conn:
            found = learning(conn)
    except (ArchiveError, sqlite3.Error):
        return  # whatever is the matter, the page as a whole says so
    said = learned.line(found, meeting)
    if said:
        st.html(f'<p class="learned">{escape(said[:1].upper() + said[1:])}</p>')
    mark = found and (found["fitted_at"], found["waiting"] == 0)
    seen = st.session_state.get("archive_learned", mark)
    st.session_state["archive_learned"] = mark
    if mark != seen:
        st.rerun()


def as_csv(path: Path, parameters: Mapping[str, str]) -> bytes:
    """Every post of the search that an address names, in its order, with the columns of an export."""
    with settings.reading(path) as conn:
        selection = selected(parameters, load_meeting(conn))
        searching = searcher(path, path.stat().st_ino)
        ids = searching.all_ids(parameters.get("q", ""), selection, order=order_of(parameters))
        file = io.StringIO(newline="")
        write_csv(file, POST_COLUMNS, rows_in_order(conn, ids))
    return file.getvalue().encode("utf-8-sig")  # with the mark by which spreadsheets know UTF-8


def order_of(parameters: Mapping[str, str]) -> Order:
    """The order that an address names."""
    return "oldest" if parameters.get("order") == "oldest" else "newest"


def _bar(meeting: Meeting, anything: bool, csv: Callable[[], bytes]) -> None:
    """The search box, and the search as a file."""
    st.session_state["archive_q"] = st.query_params.get("q", "")
    with st.container(key="archive-bar", horizontal=True, vertical_alignment="center", gap="small"):
        st.text_input(
            "Search the posts",
            key="archive_q",
            type="search",
            icon=":material/search:",
            placeholder='Search the posts:  budget,  "open data",  health OR education,  transpar*',
            label_visibility="collapsed",
            on_change=_asked,
        )
        st.download_button(
            "Download CSV",
            data=csv,
            file_name=f"{meeting.slug}.csv",
            mime="text/csv",
            on_click="ignore",
            disabled=not anything,
        )


def _asked() -> None:
    _set({"q": st.session_state["archive_q"].strip() or None})


def _act(path: Path) -> None:
    """What was clicked: parameters to set, more posts to show, or a correction to keep."""
    wish = st.session_state["archive"].get("act") or {}
    before = st.session_state.get("archive_saved", UNSAVED)
    if isinstance(wish.get("set"), dict):
        _set(wish["set"])
        st.session_state["archive_saved"] = {**UNSAVED, "number": before["number"]}
    if "more" in wish:
        st.session_state["archive_shown"] = (_view(), _shown() + PAGE)
    if isinstance(wish.get("correct"), dict):
        outcome = correct(path, wish["correct"])
        st.session_state["archive_saved"] = {"number": before["number"] + 1, **outcome}


def correct(path: Path, said: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what a person says of a post; what became of it: ``key``, ``said``, and ``problem`` or None."""
    key = str(said.get("key"))
    try:
        if settings.read_only():
            raise UsageError("This dashboard is read-only: nothing can be corrected here.")
        correction = _correction(said)
        with Archive.open(path) as archive:
            archive.correct(key, correction)
    except BackchannelError as error:
        return {"key": key, "said": "", "problem": str(error)}
    parts = [name for name in CORRECTED if getattr(correction, name) is not None]
    return {"key": key, "said": f"Saved: {', '.join(parts)}.", "problem": None}


def _correction(said: Mapping[str, Any]) -> Correction:
    """A correction as the form sends it. Raises UsageError for what no form sends."""
    themes, sentiment, question, language = (said.get(name) for name in CORRECTED)
    sound = (
        (themes is None or (isinstance(themes, list) and all(isinstance(one, str) for one in themes)))
        and (sentiment is None or sentiment in SENTIMENTS)
        and (question is None or isinstance(question, bool))
        and (language is None or isinstance(language, str))
    )
    if not sound:
        raise UsageError("This correction cannot be understood: load the page again.")
    return Correction(
        by=str(said.get("by") or "").strip(),
        note=str(said.get("note") or "").strip(),
        themes=None if themes is None else tuple(themes),
        sentiment=sentiment,
        question=question,
        language=language,
    )


def _set(values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if name not in PARAMETERS:
            continue
        if value is None:
            st.query_params.pop(name, None)
        else:
            st.query_params[name] = str(value)


def _view() -> tuple[str | None, ...]:
    """What the list depends on; another view begins with its first posts again."""
    return tuple(st.query_params.get(name) for name in PARAMETERS if name != "post")


def _shown() -> int:
    view, shown = st.session_state.get("archive_shown", (None, PAGE))
    return min(MOST_SHOWN, shown) if view == _view() else PAGE


def _offset(meeting: Meeting) -> int:
    offset = meeting.starts.astimezone(meeting.zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def selected(parameters: Mapping[str, str], meeting: Meeting) -> Selection:
    """The selection that an address names. Raises SearchError for impossible times."""
    chosen: dict[str, Any] = {name: parameters.get(name) or None for name in DIMENSIONS}
    since, until = (_moment(name, parameters.get(name), meeting) for name in ("from", "to"))
    if since and until and until <= since:
        raise SearchError("“to” has to be later than “from”: no post can be between them.")
    return Selection(**chosen, from_=since, to=until)


def _moment(name: str, text: str | None, meeting: Meeting) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=meeting.zone)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise SearchError(
            f"“{name}” is no time: write it like {meeting.starts.astimezone(meeting.zone):%Y-%m-%dT%H:%M}, "
            f"which is taken as the time in {meeting.timezone}."
        ) from None


def described(
    found: Found | None,
    problem: str | None,
    parameters: Mapping[str, str],
    meeting: Meeting,
    marks: postcard.Marks = postcard.NO_MARKS,
) -> dict[str, Any]:
    """Everything below the search box, as the component draws it; texts of others as plain strings."""
    more, rest = _behind(found)
    return {
        "problem": problem,
        "advice": [EXAMPLES] if problem else [],
        "total": found.total if found else 0,
        "order": order_of(parameters),
        "zone": meeting.timezone.replace("_", " "),
        "from": postcard.local_text(parameters.get("from"), meeting),
        "to": postcard.local_text(parameters.get("to"), meeting),
        "themes": postcard.themes(meeting),
        "facets": postcard.facets(found, parameters, meeting),
        "timeline": postcard.timeline(found.timeline, meeting) if found else None,
        "posts": [postcard.post(hit, meeting, marks) for hit in found.hits] if found else [],
        "more": more,
        "rest": rest,
        "empty": _nothing(found, parameters),
    }


def _behind(found: Found | None) -> tuple[str | None, str | None]:
    """What the button below the list says, or the line in its place."""
    if not found or found.after is None:
        return None, None
    left = found.total - len(found.hits)
    if len(found.hits) >= MOST_SHOWN:
        return None, f"{left:,} more: narrow the search, or download all {found.total:,} as CSV."
    return f"Show {min(PAGE, left)} more of {left:,}", None


def _nothing(found: Found | None, parameters: Mapping[str, str]) -> dict[str, Any]:
    narrowed = [name for name in (*DIMENSIONS, "from", "to") if parameters.get(name)]
    if found and not parameters.get("q") and not narrowed:
        return {
            "what": "There are no posts in this archive yet.",
            "do": [
                "backchannel import MEETING FILE brings an archive or an export in.",
                "backchannel live MEETING collects while the meeting runs.",
            ],
        }
    advice = []
    if narrowed:
        advice.append("Take a filter away: the counts beside the others say what they would leave.")
    if parameters.get("q"):
        advice += [
            "Whole words are looked for; transpar* finds every word that begins so. Accents do not matter.",
            EXAMPLES,
        ]
    return {"what": "No post has all of this.", "do": advice}
