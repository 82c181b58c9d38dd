"""The command line: each command is a thin call into a room, and the only place that prints.

Progress goes to stderr, results to stdout. Exit codes: 0 done, 1 failed, 2 asked for something that
cannot be. Rooms are imported inside the commands, so that ``--help`` answers at once.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, replace
from datetime import date, datetime
from enum import StrEnum
from itertools import chain
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archive.errors import BackchannelError, UsageError
from archive.shown import printable

if TYPE_CHECKING:
    from spacy.language import Language

    from archive.filters import Filters
    from archive.store import Archive
    from archive.vocabulary import Correction, Counts, Learned, Meeting
    from collector.loop import Settings

DEMO_SPEED = 288.0  # a day in five minutes
FOLLOW_SECONDS = 0.01  # how long the tagger rests when there is nothing to tag
MODEL_SECONDS = 10.0  # and when a model is missing that it cannot do without

app = typer.Typer(
    rich_markup_mode=None,  # importing rich's renderers costs more than all the rest of --help
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    help="Who takes part in a meeting from outside the room, and what they say.\n\n"
    "Begin with:  backchannel demo   or:  backchannel init my-meeting\n\n"
    "MEETING is a meeting file (meeting.toml) or its folder.",
)


class Tier(StrEnum):
    """How thoroughly to tag."""

    fast = "fast"
    accurate = "accurate"


class Answer(StrEnum):
    """To a question that has two answers."""

    yes = "yes"
    no = "no"


class Task(StrEnum):
    """What can be evaluated."""

    themes = "themes"
    sentiment = "sentiment"
    questions = "questions"
    language = "language"


class Engine(StrEnum):
    """How tagging is shared out."""

    embedded = "embedded"


MeetingPath = Annotated[Path, typer.Argument(metavar="MEETING", help="A meeting file or its folder.")]
Files = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="Archives or exports, also .gz and .zip.")
]
ArchivePath = Annotated[
    Path | None,
    typer.Option("--archive", metavar="PATH", help="The archive; else <slug>.db beside the meeting file."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for scripts.")]
Port = Annotated[int | None, typer.Option("--port", metavar="P", min=1, max=65535, help="Port to listen on.")]
By = Annotated[
    str | None,
    typer.Option("--by", metavar="NAME", help="Who says so; else your login name."),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from", metavar="TIME", help="Posts from this time on, e.g. 2012-03-26T09:00 (the meeting's clock)."
    ),
]
To = Annotated[str | None, typer.Option("--to", metavar="TIME", help="Posts before this time.")]
OfSession = Annotated[
    str | None,
    typer.Option("--session", metavar="SLUG", help="Posts of a session, or none, before, between, after."),
]
OfTrack = Annotated[
    str | None, typer.Option("--track", metavar="NAME", help="Posts of the sessions of a track.")
]
OfTheme = Annotated[
    str | None, typer.Option("--theme", metavar="SLUG", help="Posts with a theme, or none, or untagged.")
]
OfSource = Annotated[
    str | None, typer.Option("--source", metavar="LABEL", help="Posts of a network: x, mastodon, zoom, ...")
]
OfArm = Annotated[str | None, typer.Option("--arm", metavar="ARM", help="room, remote or public.")]
OfGroup = Annotated[str | None, typer.Option("--group", metavar="GROUP", help="A group of the roster.")]
OfLanguage = Annotated[
    str | None, typer.Option("--language", metavar="CODE", help="Posts in a language, e.g. es, or unknown.")
]
OfKind = Annotated[
    str | None, typer.Option("--kind", metavar="KIND", help="repost, reply, quote or original.")
]


@app.command()
def demo(
    speed: Annotated[
        float,
        typer.Option(
            metavar="N", min=1, max=100_000, help="Times as fast as it was; 288 is a day in 5 minutes."
        ),
    ] = DEMO_SPEED,
    port: Port = None,
    browser: Annotated[
        bool, typer.Option(help="Open the dashboard in a browser where there is a screen.")
    ] = True,
    directory: Annotated[
        Path | None,
        typer.Option("--dir", metavar="DIR", help="Work in this folder and keep it; else a temporary one."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Begin here; else half an hour before the meeting does."),
    ] = None,
) -> None:
    """Replay the sample meeting, tag it, and open the dashboard.

    Everybody and every post in it is fictional. Ctrl-C ends it.

    \b
    Example:  backchannel demo --speed 1000
    """
    from tempfile import mkdtemp

    folder = directory or Path(mkdtemp(prefix="backchannel-demo-"))
    try:
        _demo(folder, speed, _free_port(port or 8501), start, browser=browser)
    finally:
        if directory is None:
            shutil.rmtree(folder, ignore_errors=True)


@app.command()
def init(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder to make; its name becomes the slug.")
    ],
    agenda: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Sessions from an iCal file or pretalx's schedule.json."),
    ] = None,
) -> None:
    """Write a commented meeting file to fill in.

    \b
    Example:  backchannel init my-meeting --agenda programme.ics
    """
    from archive.agenda import read_agenda
    from archive.starter import write_starter
    from archive.times import utc_now

    found = read_agenda(agenda) if agenda else None
    path = write_starter(directory, found, today=utc_now())
    if found:
        _say(f"{len(found.slots)} sessions from {agenda}")
    print(path)
    _say("Fill in its first table, then run: backchannel check", str(directory))


@app.command()
def check(
    meeting_path: MeetingPath,
    offline: Annotated[bool, typer.Option("--offline", help="Do not try to reach any source.")] = False,
    archive: ArchivePath = None,
) -> None:
    """Say whether the meeting file is right and can run here.

    Without --offline every source is asked whether it accepts us, and what we may do there.

    \b
    Example:  backchannel check my-meeting
    """
    from analysis.models import check_models
    from archive import checkup
    from archive.times import utc_now
    from collector.checking import check_sources

    meeting, path = _meeting(meeting_path, archive)
    folder, now = _folder(meeting_path), utc_now()
    failed = False
    for finding in chain(
        checkup.check_meeting(meeting),
        check_sources(meeting, path, _settings(folder), offline=offline),
        check_models(meeting),
        checkup.check_machine(folder, now, meeting),
        [checkup.check_archive(path, meeting, now)],
    ):
        print(f"{finding.state:8} {printable(finding.about)}: {printable(finding.text)}", flush=True)
        failed = failed or finding.state == "failed"
    if failed:
        raise typer.Exit(1)


@app.command()
def live(
    meeting_path: MeetingPath,
    port: Port = None,
    browser: Annotated[
        bool, typer.Option(help="Open the dashboard in a browser where there is a screen.")
    ] = True,
    archive: ArchivePath = None,
) -> None:
    """Collect, tag and serve the dashboard until stopped.

    Three processes under one roof: what dies is started again. Ctrl-C ends them all.

    \b
    Example:  backchannel live my-meeting --port 8600
    """
    from archive.store import Archive
    from collector.loop import chosen

    meeting, path = _meeting(meeting_path, archive)
    chosen(meeting, None)
    Archive.open(path, meeting).close()
    _live(meeting_path, path, _free_port(port or 8501), meeting, browser=browser)


@app.command()
def collect(
    meeting_path: MeetingPath,
    for_: Annotated[
        float | None, typer.Option("--for", metavar="SECONDS", min=0, help="End after so many seconds.")
    ] = None,
    source: Annotated[
        str | None, typer.Option("--source", metavar="NAME", help="Only this source of the meeting file.")
    ] = None,
    archive: ArchivePath = None,
) -> None:
    """Listen to the sources of the meeting file until stopped.

    Everything is stored as it comes; what a source said while nobody listened is asked for again,
    and what cannot be had is a recorded gap. Ctrl-C ends it in order.

    \b
    Example:  backchannel collect my-meeting --source mastodon
    """
    from archive.store import Archive
    from collector.loop import chosen
    from collector.loop import collect as listen

    meeting, path = _meeting(meeting_path, archive)
    chosen(meeting, source)
    stop = _stopped_by_signal()
    with Archive.open(path, meeting) as opened, _collect_progress() as progress:
        settings = _settings(_folder(meeting_path), progress)
        counts = listen(opened, meeting, settings, stop=stop, seconds=for_, only=source)
    print(f"{path}: {_counted(counts)}")


@app.command()
def refresh(
    meeting_path: MeetingPath,
    source: Annotated[
        str | None, typer.Option("--source", metavar="NAME", help="Only this source of the meeting file.")
    ] = None,
    from_: From = None,
    archive: ArchivePath = None,
) -> None:
    """Ask the sources again for edits and deletions of what is stored.

    Networks want deletions honoured; on X nothing else tells of them. May run while collecting.

    \b
    Example:  backchannel refresh my-meeting
    """
    from archive.store import Archive
    from collector.loop import chosen
    from collector.refreshing import refresh as ask

    meeting, path = _meeting(meeting_path, archive)
    chosen(meeting, source)
    since = _moment(from_, meeting, "--from")
    stop = _stopped_by_signal()
    failed = False
    with Archive.open(path, meeting) as opened, _collect_progress() as progress:
        settings = _settings(_folder(meeting_path), progress)
        for result in ask(opened, meeting, settings, stop=stop, only=source, since=since):
            failed = failed or result.failed
            note = f"; {result.note}" if result.note else ""
            print(f"{result.name}: {_counted(result.counts)}{printable(note)}")
    if stop.is_set():
        raise typer.Exit(130)
    if failed:
        raise typer.Exit(1)


@app.command("import")
def import_(
    meeting_path: MeetingPath,
    files: Files,
    format: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The format, where its content does not tell (docs/importing.md)."),
    ] = None,
    date: Annotated[
        str | None, typer.Option(metavar="D", help="The day of a chat that has only times, e.g. 2012-03-26.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(metavar="Z", help="The zone of the file's clock, e.g. America/New_York.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 if any record could not be read.")] = False,
    as_json: AsJson = False,
    archive: ArchivePath = None,
) -> None:
    """Bring archives and exports of posts into the archive.

    Every post of a file is kept, whatever its time or hashtag.
    The format is found by the content. Importing a file twice changes nothing; an interrupted import
    goes on where it stopped. Direct messages are counted, never stored. The folder of a full export
    of ours is imported as a whole.

    \b
    Example:  backchannel import my-meeting tweets.csv chat.txt --date 2012-03-26
    """
    from archive.errors import InputError
    from archive.store import Archive
    from archive.vocabulary import Counts
    from collector.importing import files_of, import_file

    day, zone = _date(date), _zone(timezone)
    meeting, path = _meeting(meeting_path, archive)
    total = Counts()
    unusable = 0
    with Archive.open(path, meeting) as opened:
        for file in (file for named in files for file in files_of(named)):
            try:
                with _byte_progress(file.name) as progress:
                    result = import_file(
                        opened, meeting, file, format=format, zone=zone, date=day, progress=progress
                    )
            except InputError as error:  # the other files are good for all that
                _say(printable(str(error), keep="\n"))
                unusable = error.exit_code
                continue
            total.add(result.counts)
            _say(*(printable(f"{file.name}: {note}") for note in result.notes), sep="\n")
            if not as_json:
                print(f"{printable(file.name)} ({result.format}): {_counted(result.counts)}")
    if as_json:
        _print_json(total.as_json())
    if unusable or (strict and total.quarantined):
        raise typer.Exit(unusable or 1)


@app.command()
def replay(
    meeting_path: MeetingPath,
    files: Files,
    speed: Annotated[float, typer.Option(metavar="N", help="Times as fast as it was.")] = 1.0,
    start: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Begin here; else with the first post (the meeting's clock)."),
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="An empty file; else <slug>.replay.db beside the meeting file."),
    ] = None,
) -> None:
    """Play an archived discussion as though it were live.

    It goes into an archive of its own, whose dashboard can pause it and change its speed. Ctrl-C ends it.

    \b
    Example:  backchannel replay my-meeting tweets.csv --speed 60
    """
    from archive.checkup import refuse_for_replay
    from archive.meeting import load
    from archive.playback import checked_speed
    from archive.store import Archive
    from collector.replay import replay as play

    meeting = load(meeting_path)
    path = archive or _folder(meeting_path) / f"{meeting.slug}.replay.db"
    begin = _moment(start, meeting, "--start")
    checked_speed(speed)
    refuse_for_replay(path)
    stop = _stopped_by_signal()
    with Archive.open(path, meeting) as opened, _clock_progress(meeting) as progress:
        counts = play(
            opened,
            meeting,
            files,
            speed=speed,
            start=begin,
            wait=stop.wait,
            stop=stop.is_set,
            progress=progress,
        )
    print(f"{path}: {_counted(counts)}")
    if stop.is_set():
        raise typer.Exit(130)


@app.command()
def tag(
    meeting_path: MeetingPath,
    retag: Annotated[
        bool, typer.Option("--retag", help="Tag everything anew; old tags are kept as history.")
    ] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Wait for posts to come, until stopped.")] = False,
    tier: Annotated[
        Tier, typer.Option("--tier", help="accurate: refine the sentiment when there is time; fast: do not.")
    ] = Tier.accurate,
    engine: Annotated[
        Engine, typer.Option(help="embedded: in this process, the only one so far.")
    ] = Engine.embedded,
    archive: ArchivePath = None,
) -> None:
    """Tag what is untagged, and make better what can be better.

    Language, themes, sentiment, logistics, questions and names, all at once; then the themes are fitted to
    what people corrected, like questions are grouped, and the accurate tier judges sentiment again.

    \b
    Example:  backchannel tag my-meeting
    """
    from analysis import tagging
    from archive.store import Archive
    from archive.vocabulary import ATTEMPTS

    meeting, path = _meeting(meeting_path, archive)
    stop = _stopped_by_signal()
    with Archive.open(path, meeting) as opened, _work_progress() as progress:
        nlp = _tagger(opened.meeting, stop if follow else None)
        if nlp is None:
            return
        if retag:
            opened.retag()
        before = _set_aside(opened.conn)
        done = tagging.tag(
            opened,
            nlp,
            progress=progress,
            told=lambda sentence: _say(printable(sentence)),
            stop=stop.is_set,
            forever=follow,
            wait=lambda: stop.wait(FOLLOW_SECONDS),
            accurate=tier is Tier.accurate,
        )
        aside = _set_aside(opened.conn)
    tagged = done.pop(tagging.TAGGING, 0)
    print(f"{tagged:,} posts tagged")
    for what, count in done.items():
        print(f"{what}: {count:,}")
    if aside:
        why = f"the table tag_failures of {printable(path.name)} says why"
        again = "`backchannel status` counts them, `--retag` tries them again"
        _say(f"set aside after {ATTEMPTS} failures each: {aside:,}; {why}, {again}")
    if stop.is_set() and not follow:
        raise typer.Exit(130)
    if aside > before and not tagged and not follow:  # not one bad post among good ones: it failed
        raise typer.Exit(1)


@app.command()
def classify(
    meeting_path: MeetingPath,
    tier: Annotated[
        Tier, typer.Option("--tier", help="How thoroughly the sentiment is judged: fast or accurate.")
    ] = Tier.accurate,
) -> None:
    """Tag lines of JSON from stdin; nothing is stored.

    One line out for each line in, in the same order.

    \b
    In:   {"id": "1", "text": "Is the data open?"}
    Out:  {"id": "1", "language": "en", "sentiment": "neutral", "themes": ["open-data"], ...}
    Example:  backchannel classify my-meeting < posts.ndjson > tags.ndjson
    """
    from analysis import classify as classifying
    from analysis import pipeline
    from archive.meeting import load

    meeting = load(meeting_path)
    nlp = pipeline.build(meeting, tier=tier.value)
    for line in classifying.classify(nlp, meeting, sys.stdin.buffer):
        print(line)


@app.command()
def measures(
    meeting_path: MeetingPath,
    as_json: AsJson = False,
    from_: From = None,
    to: To = None,
    session: OfSession = None,
    track: OfTrack = None,
    theme: OfTheme = None,
    source: OfSource = None,
    arm: OfArm = None,
    group: OfGroup = None,
    language: OfLanguage = None,
    kind: OfKind = None,
    archive: ArchivePath = None,
) -> None:
    """Show every figure, by the names of docs/measures.md.

    \b
    Example:  backchannel measures my-meeting --json --session s1
    """
    from analysis.measures import measures as measure
    from archive.times import utc_now

    meeting, path = _meeting(meeting_path, archive)
    filters = _filters(meeting, from_, to, session, track, theme, source, arm, group, language, kind)
    with _reading(path, meeting) as conn:
        _check_language(conn, meeting, language)
        figures = measure(conn, filters, now=utc_now())
    if as_json:
        _print_json(figures)
    else:
        _print_table(("measure", "value"), [(name, _brief(value)) for name, value in figures.items()])


@app.command()
def status(meeting_path: MeetingPath, as_json: AsJson = False, archive: ArchivePath = None) -> None:
    """Say what is listened to, with which gaps, and what waits.

    \b
    Example:  backchannel status my-meeting --json
    """
    from analysis.measures.honesty import status as state
    from archive.times import utc_now

    meeting, path = _meeting(meeting_path, archive)
    with _reading(path, meeting) as conn:
        found = state(conn, utc_now())
    if as_json:
        _print_json(found)
        return
    columns = ("name", "source", "state", "since", "reason", "last_post", "lag_s", "gaps")
    rows = [{**source, "gaps": len(source["gaps"])} for source in found["sources"]]
    _print_table(columns, [tuple(_brief(row[name]) for name in columns) for row in rows])
    print(", ".join(f"{name} {count:,}" for name, count in found["queues"].items()))


@app.command()
def why(
    meeting_path: MeetingPath,
    key: Annotated[str, typer.Argument(metavar="KEY", help="A post's key, such as x:9000000000000000001.")],
    archive: ArchivePath = None,
) -> None:
    """Say why a post has its tags, in JSON.

    Component, version, the words that fired, scores; older tags too.

    \b
    Example:  backchannel why my-meeting x:9000000000000000001
    """
    from analysis.why import why as explain

    meeting, path = _meeting(meeting_path, archive)
    with _reading(path, meeting) as conn:
        _print_json(explain(conn, key))


@app.command()
def correct(
    meeting_path: MeetingPath,
    key: Annotated[str, typer.Argument(metavar="KEY", help="A post's key, such as x:9000000000000000001.")],
    theme: Annotated[
        list[str] | None,
        typer.Option("--theme", metavar="SLUG", help="Its theme; again for another; none: it has none."),
    ] = None,
    sentiment: Annotated[
        str | None, typer.Option(metavar="LABEL", help="positive, neutral or negative.")
    ] = None,
    question: Annotated[Answer | None, typer.Option(help="Does it ask something? yes or no.")] = None,
    language: Annotated[
        str | None, typer.Option(metavar="CODE", help="A language of the meeting, or unknown.")
    ] = None,
    by: By = None,
    note: Annotated[str, typer.Option(metavar="TEXT", help="Why.")] = "",
    archive: ArchivePath = None,
) -> None:
    """Correct the tags of a post.

    What you say counts at once and stays, whatever is tagged anew; what the machine said stays beside it.
    From three corrections on, a theme learns from them; from eight on it shows. A further correction takes
    the place of this one.

    \b
    Example:  backchannel correct my-meeting x:9000000000000000001 --theme open-data --sentiment negative
    """
    from archive.vocabulary import NONE, Correction

    meeting, path = _meeting(meeting_path, archive)
    themes = tuple(theme or ())
    correction = Correction(
        by=_signed(by),
        note=note,
        themes=() if themes == (NONE,) else themes or None,
        sentiment=sentiment,  # type: ignore[arg-type]  # checked by the archive
        question=None if question is None else question is Answer.yes,
        language=language,
    )
    with _existing(path, meeting) as opened:
        opened.correct(key, correction)
    print(printable(f"{key}: corrected: {', '.join(_stands(correction))}"))


@app.command()
def suggest(
    meeting_path: MeetingPath,
    accept: Annotated[
        list[str] | None,
        typer.Option(metavar="THEME:LANGUAGE:KEYWORD", help="Let this keyword find the theme, from now on."),
    ] = None,
    reject: Annotated[
        list[str] | None,
        typer.Option(metavar="THEME:LANGUAGE:KEYWORD", help="Do not suggest this keyword any more."),
    ] = None,
    by: By = None,
    as_json: AsJson = False,
    archive: ArchivePath = None,
) -> None:
    """Suggest keywords for the themes, from the posts' own words.

    Nothing is applied by itself: accept what fits and reject the rest, here or on the dashboard.

    \b
    Example:  backchannel suggest my-meeting --accept open-data:es:"datos abiertos"
    """
    from analysis.measures.learning import check_keyword
    from analysis.suggest import suggest as find

    meeting, path = _meeting(meeting_path, archive)
    decisions = [(_keyword(word), True) for word in accept or ()]
    decisions += [(_keyword(word), False) for word in reject or ()]
    with _existing(path, meeting) as opened:
        for (_, _, keyword), accepted in decisions:
            if accepted:
                check_keyword(opened.meeting, keyword)
        if decisions:
            opened.decide_all(decisions, by=_signed(by))
        for (theme, _, keyword), accepted in decisions:
            _say(printable(f"{theme}: {keyword!r} is {'accepted' if accepted else 'rejected'}"))
        found = find(opened.conn, opened.meeting)
    if as_json:
        _print_json([asdict(one) for one in found])
        return
    if not found:
        print("Nothing to suggest yet.")
        return
    columns = ("theme", "language", "keyword", "score", "posts", "authors", "new_posts")
    _print_table(columns, [[_brief(getattr(one, name)) for name in columns] for one in found])


@app.command()
def evaluate(
    task: Annotated[Task, typer.Argument(metavar="TASK", help="themes, sentiment, questions or language.")],
    meeting_path: MeetingPath,
    labels: Annotated[
        Path, typer.Option("--labels", metavar="FILE", help="Labelled posts, an object of JSON a line.")
    ],
    tier: Annotated[
        Tier, typer.Option("--tier", help="How thoroughly the sentiment is judged: fast or accurate.")
    ] = Tier.accurate,
    as_json: AsJson = False,
    archive: ArchivePath = None,
) -> None:
    """Say how good the tags are, against labels that people gave.

    Where themes were corrected in the archive, also what was gained by it.

    \b
    Example:  backchannel evaluate themes my-meeting --labels labels.ndjson
    """
    from analysis.evaluate import evaluate as score
    from analysis.evaluate import tables
    from archive.vocabulary import NOTHING

    meeting, path = _meeting(meeting_path, archive)
    # Before anything was collected there is nothing to have learned from; a path that was typed is meant.
    learned = _learned(path, meeting) if archive or path.is_file() else NOTHING
    report = score(task.value, meeting, labels, tier=tier.value, learned=learned)
    if as_json:
        _print_json(report)
        return
    for title, columns, rows in tables(report):
        print(printable(title))
        _print_table(columns, rows)


@app.command()
def export(
    meeting_path: MeetingPath,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to write into.")],
    format: Annotated[
        str, typer.Option(metavar="LIST", help="csv, ndjson or both with a comma between.")
    ] = "csv",
    full: Annotated[
        bool,
        typer.Option("--full", help="Also raw payloads, versions and tombstones: enough to import it again."),
    ] = False,
    from_: From = None,
    to: To = None,
    session: OfSession = None,
    track: OfTrack = None,
    theme: OfTheme = None,
    source: OfSource = None,
    arm: OfArm = None,
    group: OfGroup = None,
    language: OfLanguage = None,
    kind: OfKind = None,
    archive: ArchivePath = None,
) -> None:
    """Write the archive as files, one per table.

    \b
    Example:  backchannel export my-meeting tables --format csv,ndjson --theme open-data
    """
    from archive.export import export as write

    meeting, path = _meeting(meeting_path, archive)
    filters = _filters(meeting, from_, to, session, track, theme, source, arm, group, language, kind)
    formats = [name.strip().casefold() for name in format.split(",") if name.strip()]
    with _reading(path, meeting) as conn:
        _check_language(conn, meeting, language)
    for written in write(path, directory, formats, filters, full=full):
        print(f"{written.path}: {written.rows:,} rows")


@app.command()
def dashboard(
    meeting_path: Annotated[
        Path,
        typer.Argument(metavar="[MEETING]", help="A meeting file or its folder; else the present folder."),
    ] = Path(),
    port: Port = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Nobody can change anything, not even pause a replay.")
    ] = False,
    archive: ArchivePath = None,
) -> None:
    """Serve the dashboard on this machine until stopped.

    \b
    Example:  backchannel dashboard my-meeting --port 8600
    """
    from archive.store import Archive
    from views import serve, settings

    if archive is None or not archive.exists():
        meeting, path = _meeting(meeting_path, archive)
        if not path.exists():
            Archive.open(path, meeting).close()
    else:
        path = archive
    if read_only:
        os.environ[settings.READ_ONLY] = "1"
    serve.run(path, port=port, ready=lambda address: print(f"Dashboard: {address}", flush=True))


@app.command()
def verify(meeting_path: MeetingPath, archive: ArchivePath = None) -> None:
    """Check the archive: is it whole, and are its counts right.

    \b
    Example:  backchannel verify my-meeting
    """
    from archive.integrity import verify as find_problems

    meeting, path = _meeting(meeting_path, archive)
    problems = find_problems(path, meeting)
    for problem in problems:
        print(printable(problem))
    if problems:
        raise typer.Exit(1)
    print(f"{path}: nothing wrong")


@app.command()
def backup(
    meeting_path: MeetingPath,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The copy to make; never overwritten.")],
    archive: ArchivePath = None,
) -> None:
    """Copy the archive, also while it is being written.

    \b
    Example:  backchannel backup my-meeting copy.db
    """
    from archive.integrity import backup as copy

    meeting, path = _meeting(meeting_path, archive)
    with _reading(path, meeting):
        print(f"{file}: {copy(path, file):,} bytes")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit; what a user can cause never shows a traceback."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    for stream in (sys.stdout, sys.stderr):
        # Half a surrogate pair in a post must not end a command.
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    try:
        app(arguments, prog_name="backchannel")
    except BackchannelError as error:
        _say(printable(str(error), keep="\n"))
        sys.exit(error.exit_code)
    except OSError as error:
        _say(f"{error.filename or 'the system'}: {error.strerror or error}")
        sys.exit(1)
    except sqlite3.Error as error:  # damage that was met in the middle of reading
        _say(f"the archive cannot be used: {error}; backchannel verify says more")
        sys.exit(1)


def _stop(number: int, frame: FrameType | None) -> None:
    # Everything stored so far was committed; open transactions roll back on the way out.
    sys.exit(128 + number)


def _stopped_by_signal() -> threading.Event:
    """An event that the first Ctrl-C sets, so that work ends in order; the second ends it at once."""
    event = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        event.set()
        signal.signal(number, _stop)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    return event


# -- what the arguments mean ---------------------------------------------------------------------------


def _folder(meeting_path: Path) -> Path:
    return meeting_path if meeting_path.is_dir() else meeting_path.parent


def _meeting(meeting_path: Path, archive: Path | None) -> tuple[Meeting, Path]:
    """The meeting and the path of its archive."""
    from archive.meeting import load

    meeting = load(meeting_path)
    return meeting, archive or _folder(meeting_path) / f"{meeting.slug}.db"


def _settings(folder: Path, progress: Callable[[Counts], None] | None = None) -> Settings:
    """What the collector is told beside the meeting; secrets come from the environment, then from .env."""
    from archive.checkup import read_env
    from collector.loop import Settings

    secrets = {**read_env(folder / ".env"), **{name: value for name, value in os.environ.items() if value}}
    settings = Settings(folder=folder, secrets=secrets, report=_report)
    return settings if progress is None else replace(settings, progress=progress)


def _report(name: str, text: str) -> None:
    """A change of a source's state, as a line of a log."""
    _say(f"{datetime.now().astimezone():%H:%M:%S} {printable(name)}: {printable(text)}")


def _filters(meeting: Meeting, from_: str | None, to: str | None, *values: str | None) -> Filters:
    """The filters of the command line; ``values`` in the order of the options after ``--to``."""
    from archive.filters import Filters
    from archive.vocabulary import ARMS, GROUPS, KINDS, SOURCE_LABELS

    names = ("session", "track", "theme", "source", "arm", "group", "language", "kind")
    chosen = dict(zip(names, values, strict=True))
    allowed = {
        "session": [*(session.slug for session in meeting.sessions), "none", "before", "between", "after"],
        "track": sorted({session.track for session in meeting.sessions}),
        "theme": [*(theme.slug for theme in meeting.themes), "none", "untagged"],
        "source": SOURCE_LABELS,
        "arm": ARMS,
        "kind": KINDS,
        "group": sorted({*GROUPS, *(name.casefold() for name in meeting.attendance.by_group)}),
    }
    if group := chosen["group"]:
        if not meeting.participants:
            raise UsageError(f"--group {group}: groups are known from a roster; name one in [participants]")
        chosen["group"] = group.casefold()
    if not meeting.sessions:
        allowed["session"] = ["meeting", *allowed["session"]]
    for name, known in allowed.items():
        if chosen[name] is not None and chosen[name] not in known:
            raise UsageError(f"--{name} {chosen[name]}: not known; there are {', '.join(known) or 'none'}")
    return Filters(from_=_moment(from_, meeting, "--from"), to=_moment(to, meeting, "--to"), **chosen)


def _check_language(conn: sqlite3.Connection, meeting: Meeting, code: str | None) -> None:
    """Refuse a language that neither the meeting nor any post of the archive has."""
    from archive.filters import languages
    from archive.vocabulary import UNKNOWN, UNTAGGED

    known = list(dict.fromkeys([*meeting.languages, *languages(conn), UNKNOWN, UNTAGGED]))
    if code is not None and code not in known:
        raise UsageError(f"--language {code}: not known; there are {', '.join(known)}")


def _moment(text: str | None, meeting: Meeting, option: str) -> datetime | None:
    """A time as typed: without an offset it is the meeting's clock."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text}: not a time; write it like 2012-03-26T09:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=meeting.zone)


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise UsageError(f"--date {text}: not a date; write it like 2012-03-26") from None


def _zone(name: str | None) -> Any:
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        raise UsageError(f"--timezone {name}: no such zone; write it like America/New_York") from None


@contextmanager
def _reading(path: Path, meeting: Meeting) -> Iterator[sqlite3.Connection]:
    """The archive of a meeting, read-only."""
    from archive.reading import open_readonly

    with closing(open_readonly(path, meeting)) as conn:
        yield conn


@contextmanager
def _existing(path: Path, meeting: Meeting) -> Iterator[Archive]:
    """The archive of a meeting, where there is one."""
    from archive.errors import NotAnArchive
    from archive.store import Archive

    if not path.is_file():
        raise NotAnArchive(f"{path}: there is no archive here yet; import something, or start collecting")
    with Archive.open(path, meeting) as opened:
        yield opened


def _signed(by: str | None) -> str:
    from getpass import getuser

    if by is not None:
        return by
    try:
        return getuser()
    except (KeyError, OSError):  # a container's user without a name
        raise UsageError("say who you are: --by NAME") from None


def _stands(correction: Correction) -> Iterator[str]:
    """What a correction puts in force, in words."""
    from archive.vocabulary import NONE

    if correction.themes is not None:
        slugs = sorted(set(correction.themes)) or [NONE]
        yield f"{'themes' if len(slugs) > 1 else 'theme'} {' and '.join(slugs)}"
    if correction.sentiment is not None:
        yield f"sentiment {correction.sentiment}"
    if correction.question is not None:
        yield f"question {'yes' if correction.question else 'no'}"
    if correction.language is not None:
        yield f"language {correction.language}"


def _keyword(text: str) -> tuple[str, str, str]:
    theme, _, rest = text.partition(":")
    language, colon, keyword = rest.partition(":")
    if not colon:
        raise UsageError(f"{text}: write it like open-data:es:datos abiertos (theme, language, keyword)")
    return theme, language, keyword


def _learned(path: Path, meeting: Meeting) -> Learned:
    """What people taught the themes of an archive."""
    from analysis.encoder import VERSION
    from archive.correcting import learned

    with _reading(path, meeting) as conn:
        return learned(conn, VERSION)


def _set_aside(conn: sqlite3.Connection) -> int:
    """How many posts the tagger has given up, as ``status`` counts them."""
    from analysis.measures.honesty import status as state
    from archive.times import utc_now

    count: int = state(conn, utc_now())["queues"]["set_aside"]
    return count


def _tagger(meeting: Meeting, stop: threading.Event | None) -> Language | None:
    """The pipeline of the fast tier. Without the encoder it does without; without a model it waits for it
    until ``stop``, where that is given: posts are collected meanwhile, and tagged later."""
    from analysis import encoder, pipeline
    from analysis.sentiment_model import ModelError

    try:
        encoder.load()
    except encoder.EncoderMissing as error:
        _say(printable(str(error)))
    said = ""
    while True:
        try:
            return pipeline.build(meeting)
        except ModelError as error:
            if stop is None:
                raise
            if str(error) != said:
                said = str(error)
                _say(f"{printable(said)}; posts are collected meanwhile, and tagged as soon as it is there")
            if stop.wait(MODEL_SECONDS):
                return None


# -- the demo ------------------------------------------------------------------------------------------


def _demo(folder: Path, speed: float, port: int, start: str | None, *, browser: bool) -> None:
    from archive.meeting import load
    from archive.store import Archive
    from collector.supervisor import Child, supervise
    from data import sample

    shutil.copytree(sample.MEETING, folder, dirs_exist_ok=True)
    meeting = load(folder)
    path = folder / f"{meeting.slug}.replay.db"
    if path.exists():
        raise UsageError(f"{path}: a demo ran here already; remove it, or name another --dir")
    Archive.open(path, meeting).close()
    begin = start or f"{meeting.starts.astimezone(meeting.zone):%Y-%m-%dT08:30}"
    files = [str(file) for file in (*sample.post_files(folder), folder / sample.COVERAGE.name)]
    own = [sys.executable, str(Path(__file__).resolve())]
    common = [str(folder), "--archive", str(path)]
    children = [
        Child("dashboard", [*own, "dashboard", *common, "--port", str(port)], folder / "dashboard.log"),
        Child("tagger", [*own, "tag", *common, "--follow"], folder / "tagger.log"),
        Child(
            "replay",
            [*own, "replay", *common, *files, "--speed", str(speed), "--start", begin],
            folder / "replay.log",
            may_end=True,
        ),
    ]
    stop = _stopped_by_signal()
    signal.signal(signal.SIGHUP, lambda *_: stop.set())
    _say(f"{meeting.title}: {speed:g} times as fast as it was, in {folder}")
    supervise(children, stop, tick=_announcer(f"http://127.0.0.1:{port}", port, browser=browser))
    _say("ended")


# -- the meeting, live ---------------------------------------------------------------------------------


def _live(meeting_path: Path, path: Path, port: int, meeting: Meeting, *, browser: bool) -> None:
    from collector.supervisor import Child, supervise

    own = [sys.executable, str(Path(__file__).resolve())]
    common = [str(meeting_path), "--archive", str(path)]
    folder = _folder(meeting_path)
    children = [
        Child(name, [*own, *command], folder / f"{name}.log", restarts=True)
        for name, command in (
            ("collector", ["collect", *common]),
            ("tagger", ["tag", *common, "--follow"]),
            ("dashboard", ["dashboard", *common, "--port", str(port)]),
        )
    ]
    stop = _stopped_by_signal()
    signal.signal(signal.SIGHUP, lambda *_: stop.set())
    _say(f"{meeting.title}: everything goes into {path}")
    announce, watch = _announcer(f"http://127.0.0.1:{port}", port, browser=browser), _watcher(path)

    def tick() -> None:
        announce()
        watch()

    supervise(children, stop, tick=tick, told=_say)
    _say("ended")


def _watcher(path: Path) -> Callable[[], None]:
    """Says every change of a source's state, as the archive has it."""
    from time import monotonic

    from analysis.measures.honesty import status as state
    from archive.reading import open_readonly
    from archive.times import utc_now

    known: dict[str, tuple[str, str | None]] = {}
    looked_at = 0.0  # once a second is soon enough

    def tick() -> None:
        nonlocal looked_at
        if monotonic() - looked_at < 1:
            return
        looked_at = monotonic()
        try:
            with closing(open_readonly(path)) as conn:
                sources = state(conn, utc_now())["sources"]
        except (BackchannelError, sqlite3.Error):  # locked for a moment, or damaged: the collector says so
            return
        for source in sources:
            now = source["state"], source["reason"]
            if known.get(source["name"]) != now:
                known[source["name"]] = now
                _report(source["name"], now[0].replace("_", " ") + (f": {now[1]}" if now[1] else ""))

    return tick


def _announcer(address: str, port: int, *, browser: bool) -> Callable[[], None]:
    """Says the address once, as soon as it answers."""
    waiting = [True]

    def tick() -> None:
        if waiting and _answers(port):
            waiting.clear()
            print(f"Dashboard: {address}  (Ctrl-C ends everything)", flush=True)
            if browser and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
                import webbrowser

                webbrowser.open(address)

    return tick


def _answers(port: int) -> bool:
    from http.client import HTTPConnection, HTTPException

    try:
        connection = HTTPConnection("127.0.0.1", port, timeout=2)
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False


def _free_port(first: int) -> int:
    import socket

    for port in range(first, min(first + 50, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise UsageError(f"no port from {first} on is free; name another with --port")


# -- printing ------------------------------------------------------------------------------------------


def _say(*words: str, sep: str = " ") -> None:
    """For the person at the terminal: stderr."""
    if words:
        with suppress(OSError):  # a log on a full disk must not end what it tells of
            print(*words, sep=sep, file=sys.stderr, flush=True)


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False))


def _counted(counts: Counts) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.as_json().items())


def _brief(value: Any) -> str:
    if value is None:
        return "unknown"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return printable(text if len(text) <= 120 else text[:119] + "…")


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console(width=None if sys.stdout.isatty() else 180).print(table)


@contextmanager
def _byte_progress(name: str) -> Iterator[Callable[[int, int, Counts], None]]:
    with _progress() as bar:
        task = bar.add_task(name, total=None)
        yield lambda position, size, _: bar.update(task, completed=position, total=size)


@contextmanager
def _collect_progress() -> Iterator[Callable[[Counts], None]]:
    with _progress() as bar:
        task = bar.add_task("posts", total=None)
        yield lambda counts: bar.update(task, completed=counts.new)


@contextmanager
def _work_progress() -> Iterator[Callable[[str, int], None]]:
    with _progress() as bar:
        task = bar.add_task("tagging", total=None)
        yield lambda doing, done: bar.update(task, description=doing, completed=done)


@contextmanager
def _clock_progress(meeting: Meeting) -> Iterator[Callable[[datetime, Counts], None]]:
    with _progress() as bar:
        task = bar.add_task("replay", total=None)

        def tell(moment: datetime, counts: Counts) -> None:
            clock = f"{moment.astimezone(meeting.zone):%Y-%m-%d %H:%M}"
            bar.update(task, description=clock, completed=counts.new)

        yield tell


@contextmanager
def _progress() -> Iterator[Any]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield bar


if __name__ == "__main__":
    main()
