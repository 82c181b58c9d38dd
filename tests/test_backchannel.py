"""The command line as a person or a script meets it: exit codes, stdout, stderr, the promised JSON."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest

import backchannel
from analysis import logistics_model, pipeline, tagging
from analysis.components import refinement
from analysis.sentiment_model import ModelError
from archive.canonical import canonical
from archive.correcting import decided
from archive.meeting import load
from archive.reading import open_readonly
from archive.store import Archive
from archive.suggestions import Suggestion
from archive.vocabulary import Meeting, Received, Untagged
from collector import supervisor
from tests.command import Said

ROOT = Path(__file__).parent.parent
MEETING = """\
[meeting]
slug = "m"
title = "A meeting"
hashtags = ["m2012"]
starts = 2012-03-26T09:00:00
ends = 2012-03-26T18:00:00
timezone = "America/Mexico_City"
[[themes]]
slug = "open-data"
title = "Open data"
keywords = { en = ["open data"] }
[[sessions]]
slug = "s1"
title = "Opening"
starts = 2012-03-26T09:00:00
ends = 2012-03-26T10:00:00
"""
CHAT = (
    "09:00:10\t From Ana Perez : Is the open data really open?\n"
    "09:00:40\t From Luis Gil : Good morning from Lima\n"
    "09:01:00\t From Luis Gil to Ana Perez : (Privately) see you later\n"
    "10:30:00\t From Eva Roth : I love open data, what a great day!\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "meeting.toml").write_text(MEETING, encoding="utf-8")
    (tmp_path / "chat.txt").write_text(CHAT, encoding="utf-8")
    return tmp_path


@pytest.fixture
def imported(run: Callable[..., Said], folder: Path) -> Path:
    assert run("import", folder, folder / "chat.txt", "--date", "2012-03-26").code == 0
    return folder


def test_help_answers_at_once() -> None:
    command = [sys.executable, "-X", "importtime", str(ROOT / "backchannel.py"), "--help"]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "demo" in found.stdout
    for heavy in ("spacy", "streamlit", "pandas", "numpy", "sqlite_utils", "rich.console"):
        assert f" {heavy}\n" not in found.stderr, f"--help imports {heavy}"


def test_usage_errors_are_exit_2(run: Callable[..., Said], folder: Path) -> None:
    assert run("nonsense").code == 2
    assert run("measures").code == 2
    assert run("replay", folder, folder / "chat.txt", "--speed", "fast").code == 2


def test_mistakes_of_the_meeting_file_are_exit_2(run: Callable[..., Said], tmp_path: Path) -> None:
    (tmp_path / "meeting.toml").write_text('[meeting]\nslug = "A"\nlag = "x"\n', encoding="utf-8")
    said = run("measures", tmp_path, "--json")
    assert (said.code, said.out) == (2, "")
    assert said.err.count("meeting.toml, line ") == 7


def test_init_writes_a_file_that_check_likes(run: Callable[..., Said], tmp_path: Path) -> None:
    said = run("init", tmp_path / "new")
    assert (said.code, said.out.strip()) == (0, str(tmp_path / "new" / "meeting.toml"))
    assert "backchannel check" in said.err
    assert run("init", tmp_path / "new").code == 2
    said = run("check", tmp_path / "new", "--offline")
    assert said.code == 0
    assert "ok       models" in said.out


def test_init_takes_an_agenda(run: Callable[..., Said], tmp_path: Path) -> None:
    event = "BEGIN:VEVENT\nDTSTART:20120326T150000Z\nDTEND:20120326T160000Z\nSUMMARY:Opening\nEND:VEVENT\n"
    agenda = tmp_path / "a.ics"
    agenda.write_text(f"BEGIN:VCALENDAR\n{event}END:VCALENDAR\n", encoding="utf-8")
    said = run("init", tmp_path / "new", "--agenda", agenda)
    assert (said.code, "1 sessions" in said.err) == (0, True)
    assert load(tmp_path / "new").sessions[0].slug == "opening"


def test_check_fails_for_a_missing_credential(
    run: Callable[..., Said], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("X_BEARER_TOKEN", raising=False)
    with (folder / "meeting.toml").open("a", encoding="utf-8") as file:
        file.write('[[sources]]\nkind = "x"\n')
    said = run("check", folder, "--offline")
    assert (said.code, "failed   source x: no X_BEARER_TOKEN" in said.out) == (1, True)


def test_import_says_what_became_of_every_record(run: Callable[..., Said], folder: Path) -> None:
    said = run("import", folder, folder / "chat.txt", "--date", "2012-03-26", "--json")
    assert said.json == {
        "read": 4,
        "new": 3,
        "updated": 0,
        "duplicate": 0,
        "private": 1,
        "skipped": 0,
        "quarantined": 0,
    }
    again = run("import", folder, folder / "chat.txt", "--date", "2012-03-26")
    assert "duplicate 3" in again.out


def test_import_of_what_cannot_be_imported(run: Callable[..., Said], folder: Path) -> None:
    (folder / "empty.csv").touch()
    assert run("import", folder, folder / "empty.csv").code == 2
    assert run("import", folder, folder / "absent.csv").code == 2
    assert run("import", folder, folder / "chat.txt", "--format", "telepathy").code == 2
    assert "not a date" in run("import", folder, folder / "chat.txt", "--date", "yesterday").err
    assert "no such zone" in run("import", folder, folder / "chat.txt", "--timezone", "Mars").err


def test_a_chat_without_its_day_keeps_no_other_out(run: Callable[..., Said], folder: Path) -> None:
    text = MEETING.replace("ends = 2012-03-26T18", "ends = 2012-03-27T18")
    (folder / "meeting.toml").write_text(text, encoding="utf-8")
    (folder / "dated.txt").write_text("2012-03-26 09:00:10 From Ana Perez to Everyone:\n\tHola\n")
    said = run("import", folder, folder / "chat.txt", folder / "dated.txt", "--json")
    assert (said.code, "--date" in said.err) == (2, True)
    assert json.loads(said.out)["new"] == 1


def test_one_bad_file_keeps_no_other_out(run: Callable[..., Said], folder: Path) -> None:
    files = (folder / "absent.csv", folder / "chat.txt")
    said = run("import", folder, *files, "--date", "2012-03-26", "--json")
    assert said.code == 2
    assert "absent.csv" in said.err
    assert json.loads(said.out)["new"] > 0


def test_strict_import_fails_for_quarantine(run: Callable[..., Said], folder: Path) -> None:
    lines = ["id,datetime,user,text", "9000000000000000001,2012-03-26 09:00:00,bc_ana,Hello #m2012", "1,,,"]
    (folder / "posts.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    said = run("import", folder, folder / "posts.csv", "--timezone", "UTC", "--strict")
    assert (said.code, "quarantined 1" in said.out) == (1, True)


def test_tag_measures_status_and_why(run: Callable[..., Said], imported: Path) -> None:
    assert run("tag", imported).out.splitlines()[0] == "3 posts tagged"
    assert run("tag", imported).out == "0 posts tagged\n"
    assert run("tag", imported, "--retag", "--tier", "accurate", "--engine", "embedded").out.startswith("3 ")
    figures = run("measures", imported, "--json").json
    assert (figures["posts"], figures["by_theme"]) == (3, {"none": 1, "open-data": 2})
    assert run("measures", imported, "--json", "--session", "s1").json["posts"] == 2
    assert run("measures", imported, "--json", "--from", "2012-03-26T10:00").json["posts"] == 1
    assert "posts" in run("measures", imported).out
    state = run("status", imported, "--json").json
    assert set(state["queues"]) == {"untagged", "set_aside", "quarantined"}
    assert "untagged 0" in run("status", imported).out
    conn = open_readonly(imported / "m.db")
    key = conn.execute("SELECT key FROM posts WHERE question = 1").fetchone()[0]
    conn.close()
    explained = run("why", imported, key).json
    assert "theme" in {tag["component"] for tag in explained["tags"]}
    assert run("why", imported, "x:1").code == 2


def test_a_correction_counts_and_stays(run: Callable[..., Said], imported: Path) -> None:
    run("tag", imported, "--tier", "fast")
    with closing(open_readonly(imported / "m.db")) as conn:
        key = conn.execute("SELECT key FROM posts WHERE question = 1").fetchone()[0]
    said = run(
        *("correct", imported, key, "--theme", "none", "--sentiment", "negative", "--question", "no"),
        *("--language", "fr", "--by", "Eva", "--note", "irony"),
    )
    stands = "theme none, sentiment negative, question no, language fr"
    assert (said.code, said.out) == (0, f"{key}: corrected: {stands}\n")
    said = run("correct", imported, key, "--sentiment", "positive")  # signed with the login's name
    assert (said.code, said.out) == (0, f"{key}: corrected: sentiment positive\n")
    for _ in range(2):
        figures = run("measures", imported, "--json").json
        assert figures["by_theme"] == {"none": 2, "open-data": 1}
        run("tag", imported, "--retag", "--tier", "fast")
    people = [tag for tag in run("why", imported, key).json["tags"] if tag["set_by"] == "Eva"]
    assert {tag["component"]: tag["label"] for tag in people} == {
        "language": "fr",
        "theme": "none",
        "question": "no",
    }
    assert run("verify", imported).code == 0


def test_a_correction_says_which_themes_stand(run: Callable[..., Said], imported: Path) -> None:
    more = '[[themes]]\nslug = "agility"\ntitle = "Agility"\n'
    (imported / "meeting.toml").write_text(MEETING + more, encoding="utf-8")
    with closing(open_readonly(imported / "m.db")) as conn:
        key = conn.execute("SELECT key FROM posts").fetchone()[0]
    said = run("correct", imported, key, *("--theme", "open-data", "--theme", "agility") * 2)
    assert said.out == f"{key}: corrected: themes agility and open-data\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "nothing to correct"),
        (["--theme", "cheese"], "there are open-data, none"),
        (["--theme", "none", "--theme", "open-data"], "stands alone"),
        (["--sentiment", "angry"], "there are positive, neutral, negative"),
        (["--language", "xx"], "there are en, es"),
        (["--question", "perhaps"], "perhaps"),
        (["--question", "yes", "--by", " "], "say who"),
    ],
)
def test_corrections_that_cannot_be_meant(
    run: Callable[..., Said], imported: Path, options: list[str], said: str
) -> None:
    with closing(open_readonly(imported / "m.db")) as conn:
        key = conn.execute("SELECT key FROM posts").fetchone()[0]
    answer = run("correct", imported, key, *options)
    assert (answer.code, answer.out, said in answer.err) == (2, "", True), answer.err
    assert run("correct", imported, "x:1", "--question", "yes").code == 2


def test_a_keyword_is_accepted_or_rejected(run: Callable[..., Said], imported: Path) -> None:
    accept = ("--accept", "open-data:es:datos abiertos", "--reject", "open-data:en:lima: peru")
    said = run("suggest", imported, *accept, "--by", "Eva", "--json")
    assert said.code == 0, said.err
    assert said.json == []
    said = run("suggest", imported)
    assert (said.code, said.out) == (0, "Nothing to suggest yet.\n")
    with closing(open_readonly(imported / "m.db")) as conn:
        assert decided(conn) == {
            ("open-data", "es", "datos abiertos"): True,
            ("open-data", "en", "lima: peru"): False,
        }
    for wrong in ("open-data:es", "cheese:es:queso", "open-data:xx:a", "open-data:es:"):
        said = run("suggest", imported, "--accept", wrong)
        assert (said.code, said.out, len(said.err.splitlines())) == (2, "", 1)


def test_keywords_are_decided_together_or_not_at_all(run: Callable[..., Said], imported: Path) -> None:
    good, bad = ("--accept", "open-data:en:fish quay"), ("--accept", "nope:en:x")
    said = run("suggest", imported, *good, *bad)
    assert (said.code, said.out, said.err) == (2, "", "theme nope: not known; there are open-data\n")
    said = run("suggest", imported, *good, "--reject", "open-data:en:Fish  Quay")
    assert (said.code, said.out) == (2, "")
    assert "both accepted and rejected" in said.err
    said = run("suggest", imported, *good, "--accept", "open-data:en:the")
    assert (said.code, said.out) == (2, "")
    assert "the: stands in posts about anything" in said.err
    with closing(open_readonly(imported / "m.db")) as conn:
        assert decided(conn) == {}
    assert run("suggest", imported, *good, "--reject", "open-data:en:the").code == 0


def test_suggestions_are_shown(
    run: Callable[..., Said], imported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Suggestion(
        theme="open-data", language="en", keyword="quay", score=0.5, posts=3, authors=2, new_posts=1
    )
    monkeypatch.setattr("analysis.suggest.suggest", lambda conn, meeting: [found])
    assert [line.split()[:3] for line in run("suggest", imported).out.splitlines()] == [
        ["theme", "language", "keyword"],
        ["open-data", "en", "quay"],
    ]


def test_evaluate_says_how_good_the_tags_are(run: Callable[..., Said], imported: Path) -> None:
    labels = imported / "labels.jsonl"
    rows = [
        {"text": "When does the meeting begin?", "question": True, "lang": "en"},
        {"text": "Good morning to everybody", "question": False, "lang": "en"},
    ]
    labels.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    report = run("evaluate", "questions", imported, "--labels", labels, "--tier", "fast", "--json").json
    assert (report["task"], report["tier"], report["posts"]) == ("questions", "fast", 2)
    said = run("evaluate", "questions", imported, "--labels", labels, "--tier", "fast")
    assert (said.code, "macro" in said.out) == (0, True), said.out
    labels.write_text("nonsense\n", encoding="utf-8")
    for task, file in (("questions", labels), ("themes", imported / "none.jsonl"), ("taste", labels)):
        said = run("evaluate", task, imported, "--labels", file, "--tier", "fast")
        assert (said.code, said.out) == (2, "")


@pytest.mark.parametrize(
    "filters",
    [
        ("--session", "s2"),
        ("--theme", "x"),
        ("--source", "y"),
        ("--kind", "z"),
        ("--language", "zz"),
        ("--language", "English"),
        ("--arm", "left"),
        ("--from", "noon"),
        ("--group", "business"),  # nobody is on a roster
    ],
)
def test_filters_that_cannot_be_meant(
    run: Callable[..., Said], imported: Path, filters: tuple[str, str]
) -> None:
    said = run("measures", imported, "--json", *filters)
    assert (said.code, said.out) == (2, "")
    assert filters[0] in said.err


def test_a_language_is_known_from_the_meeting_or_the_archive(
    run: Callable[..., Said], imported: Path, receive: Callable[..., Received]
) -> None:
    said = run("export", imported, imported / "out", "--language", "zz")
    assert (said.code, said.out) == (2, "")
    assert "--language zz: not known; there are en, es, " in said.err
    assert not (imported / "out").exists()
    assert run("measures", imported, "--json", "--language", "fr").json["posts"] == 0
    assert run("measures", imported, "--json", "--language", "untagged").json["posts"] == 3
    run("tag", imported, "--tier", "fast")
    with closing(open_readonly(imported / "m.db")) as conn:
        key = conn.execute("SELECT key FROM posts").fetchone()[0]
    run("correct", imported, key, "--language", "unknown")
    figures = run("measures", imported, "--json").json
    assert sum(figures["languages_detected"].values()) == figures["posts"]
    for code, posts in figures["languages_detected"].items():
        assert run("measures", imported, "--json", "--language", code).json["posts"] == posts
    assert figures["languages_detected"]["unknown"] >= 1
    with Archive.open(imported / "m.db") as archive:
        archive.write([receive(1, language="fi")])
    assert run("measures", imported, "--json", "--language", "fi").json["posts"] == 1


def test_the_group_of_a_roster_is_a_filter(run: Callable[..., Said], imported: Path) -> None:
    with (imported / "meeting.toml").open("a", encoding="utf-8") as file:
        file.write('[participants]\nroster = "r.csv"\n[attendance]\nby_group = { Press = 3 }\n')
    roster = "name,country,group,attendance,accounts\nAna,MX,Press,room,zoom:Ana Perez\n"
    (imported / "r.csv").write_text(roster, encoding="utf-8")
    run("import", imported, imported / "chat.txt", "--date", "2012-03-26")  # the archive learns the roster
    assert run("measures", imported, "--json", "--group", "Press").json["posts"] == 1
    assert run("measures", imported, "--json", "--group", "academia").json["posts"] == 0
    said = run("measures", imported, "--json", "--group", "pres")
    assert (said.code, "press" in said.err) == (2, True)


def test_without_an_archive(run: Callable[..., Said], folder: Path) -> None:
    for command in (
        ["measures", folder, "--json"],
        ["status", folder],
        ["verify", folder],
        ["why", folder, "x:1"],
        ["correct", folder, "x:1", "--question", "yes"],
        ["suggest", folder],
    ):
        said = run(*command)
        assert said.code == 1
        assert "no archive here yet" in said.out + said.err


def test_the_archive_of_another_meeting_is_refused(
    run: Callable[..., Said], imported: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "meeting.toml").write_text(MEETING.replace('slug = "m"', 'slug = "o"'), encoding="utf-8")
    (other / "labels.jsonl").write_text('{"text": "Hello", "question": false}\n', encoding="utf-8")
    with closing(open_readonly(imported / "m.db")) as conn:
        key = conn.execute("SELECT key FROM posts").fetchone()[0]
    words = "this archive belongs to the meeting 'm', not to 'o'; name another --archive\n"
    for command in (
        ["tag", other],
        ["correct", other, key, "--question", "yes"],
        ["suggest", other],
        ["measures", other, "--json"],
        ["status", other, "--json"],
        ["why", other, key],
        ["export", other, other / "out"],
        ["backup", other, other / "copy.db"],
        ["evaluate", "questions", other, "--labels", other / "labels.jsonl"],
    ):
        said = run(*command, "--archive", imported / "m.db")
        assert (said.code, said.out, said.err) == (1, "", words), command
    assert sorted(path.name for path in other.iterdir()) == ["labels.jsonl", "meeting.toml"]
    said = run("verify", other, "--archive", imported / "m.db")
    assert (said.code, said.out) == (1, words)


def test_an_archive_that_evaluate_is_told_must_be_there(run: Callable[..., Said], folder: Path) -> None:
    (folder / "labels.jsonl").write_text('{"text": "Hello", "question": false}\n', encoding="utf-8")
    command = ("evaluate", "questions", folder, "--labels", folder / "labels.jsonl", "--tier", "fast")
    said = run(*command, "--archive", folder / "typo.db")
    assert (said.code, said.out, "typo.db: there is no archive here yet" in said.err) == (1, "", True)
    assert run(*command).code == 0, "before anything was collected there is nothing to have learned from"


def test_classify_answers_every_line(
    run: Callable[..., Said], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = b'{"id": "1", "text": "Is open data open?"}\nnonsense\n{"id": 3}\n'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))
    answers = [json.loads(line) for line in run("classify", folder).out.splitlines()]
    assert set(answers[0]) == {
        *("id", "language", "sentiment", "sentiment_score", "sure"),
        *("themes", "theme_scores", "question"),
    }
    assert answers[0]["themes"] == ["open-data"]
    assert "error" in answers[1]
    assert answers[2]["id"] == 3


def test_export_verify_and_backup(run: Callable[..., Said], imported: Path) -> None:
    said = run("export", imported, imported / "out", "--format", "csv,ndjson", "--session", "s1")
    assert f"{imported / 'out' / 'posts.csv'}: 2 rows" in said.out
    assert run("export", imported, imported / "out", "--format", "stone").code == 2
    assert run("verify", imported).out == f"{imported / 'm.db'}: nothing wrong\n"
    assert run("backup", imported, imported / "copy.db").code == 0
    assert run("backup", imported, imported / "copy.db").code == 2
    assert run("verify", imported, "--archive", imported / "copy.db").code == 0
    (imported / "copy.db").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    assert run("verify", imported, "--archive", imported / "copy.db").code == 1
    assert run("measures", imported, "--archive", imported / "copy.db").code == 1


def test_replay_plays_into_an_archive_of_its_own(run: Callable[..., Said], folder: Path) -> None:
    (folder / "posts.csv").write_text(
        "id,datetime,user,text\n9000000000000000001,2012-03-26 15:00:00,bc_ana,Hello #m2012\n",
        encoding="utf-8",
    )
    said = run("replay", folder, folder / "posts.csv", "--speed", "100000", "--start", "2012-03-26T09:00")
    assert said.code == 0, said.err
    assert f"{folder / 'm.replay.db'}: read 1, new 1" in said.out
    assert not (folder / "m.db").exists()
    run("import", folder, folder / "posts.csv", "--timezone", "UTC")
    said = run("replay", folder, folder / "posts.csv", "--archive", folder / "m.db")
    assert (said.code, "no replay brought" in said.err) == (2, True)
    assert run("replay", folder, folder / "posts.csv", "--archive", folder / "n.db", "--speed", "0").code == 2
    assert not (folder / "n.db").exists()


def test_following_ends_with_a_signal(folder: Path) -> None:
    command = [sys.executable, str(ROOT / "backchannel.py"), "tag", str(folder), "--follow"]
    with Archive.open(folder / "m.db", load(folder)):
        following = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        importing = [*command[:2], "import", str(folder), str(folder / "chat.txt"), "--date", "2012-03-26"]
        subprocess.run(importing, check=True, capture_output=True)
        conn = open_readonly(folder / "m.db")
        pause = threading.Event()
        for _ in range(600):
            if conn.execute("SELECT count(*) FROM posts WHERE tagged_at IS NOT NULL").fetchone()[0] == 3:
                break
            pause.wait(0.05)
        conn.close()
        following.send_signal(signal.SIGTERM)
        out, err = following.communicate(timeout=30)
    assert (out.splitlines()[0], err) == ("3 posts tagged", "")
    assert following.returncode == 0


def test_following_waits_for_a_model_that_is_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter([ModelError("a.npz: missing"), ModelError("a.npz: missing"), "the pipeline"])

    def build(meeting: Meeting, **how: object) -> object:
        answer = next(answers)
        if isinstance(answer, ModelError):
            raise answer
        return answer

    monkeypatch.setattr(pipeline, "build", build)
    monkeypatch.setattr(backchannel, "MODEL_SECONDS", 0.01)
    found = backchannel._tagger(load(folder), threading.Event())
    assert found == "the pipeline"  # type: ignore[comparison-overlap]
    assert capsys.readouterr().err.count("a.npz: missing; posts are collected meanwhile") == 1


def test_a_stop_ends_the_wait_for_a_model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "build", _no_model)
    stop = threading.Event()
    stop.set()
    assert backchannel._tagger(load(folder), stop) is None


def _no_model(meeting: Meeting | None, **how: object) -> object:
    raise ModelError("a.npz: missing")


def test_without_a_model_that_it_needs_tag_fails_in_a_line(
    run: Callable[..., Said], imported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "build", _no_model)
    said = run("tag", imported)
    assert (said.code, said.out, said.err) == (1, "", "a.npz: missing\n")


def test_a_missing_file_of_words_is_no_posts_fault(
    run: Callable[..., Said], imported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        without.setattr(logistics_model, "CUES", imported / "logistics.toml")
        told = "logistics.toml: the cues of logistics are missing; install Backchannel again\n"
        assert run("tag", imported) == Said(1, "", told)
        without.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"id": 1, "text": "no sound"}')))
        assert run("classify", imported) == Said(1, "", told)
        said = run("check", imported, "--offline")
        assert (said.code, f"failed   models: {told.strip()}" in said.out) == (1, True)
    assert run("status", imported, "--json").json["queues"]["set_aside"] == 0
    assert run("tag", imported).out.startswith("3 posts tagged\n")


@pytest.mark.parametrize(("poison", "code", "count"), [("Lima", 0, 1), ("", 1, 3)])
def test_what_is_set_aside_is_said(
    run: Callable[..., Said],
    imported: Path,
    monkeypatch: pytest.MonkeyPatch,
    poison: str,
    code: int,
    count: int,
) -> None:
    real = tagging.tag_texts

    def fragile(nlp: object, posts: list[Untagged], **how: object) -> object:
        if any(poison in post.text for post in posts):
            raise RuntimeError("bad taste")
        return real(nlp, posts)  # type: ignore[arg-type]

    with monkeypatch.context() as poisoned:
        poisoned.setattr(tagging, "tag_texts", fragile)
        said = run("tag", imported)
        assert (said.code, said.out.splitlines()[0]) == (code, f"{3 - count} posts tagged")
        assert said.err.startswith(f"set aside after 3 failures each: {count}; ")
        assert "`backchannel status`" in said.err and "tag_failures" in said.err
    again = run("tag", imported)
    assert (again.code, again.out.splitlines()[0], again.err) == (0, "0 posts tagged", said.err)
    cured = run("tag", imported, "--retag")
    assert (cured.code, cured.out.splitlines()[0], cured.err) == (0, "3 posts tagged", "")


def test_without_the_accurate_model_the_fast_tier_goes_on(
    run: Callable[..., Said], imported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refinement, "load", lambda: _no_model(None))
    said = run("tag", imported)
    assert (said.code, said.out.splitlines()[0]) == (0, "3 posts tagged")
    assert said.err == "a.npz: missing; sentiment stays as the fast tier has it\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"{}")))
    assert run("classify", imported).code == 1
    assert run("classify", imported, "--tier", "fast").code == 0


def test_dashboard_serves_the_archive_it_is_told(
    run: Callable[..., Said], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from views import serve

    served = []

    def fake(path: Path, *, port: int | None, ready: Callable[[str], None]) -> None:
        served.append((path, port))
        ready("http://127.0.0.1:8600")

    monkeypatch.setattr(serve, "run", fake)
    said = run("dashboard", folder, "--port", "8600")
    assert said.out == "Dashboard: http://127.0.0.1:8600\n"
    run("dashboard", "--archive", folder / "m.db", "--read-only")
    assert served == [(folder / "m.db", 8600), (folder / "m.db", None)]
    assert os.environ["BACKCHANNEL_READ_ONLY"] == "1"
    monkeypatch.chdir(folder.parent)
    assert run("dashboard", "--archive", folder / "none.db").code == 2


def test_what_the_system_refuses_is_said_in_a_line(run: Callable[..., Said], folder: Path) -> None:
    said = run("measures", folder / "chat.txt" / "deeper")
    assert said.code == 2
    assert len(said.err.splitlines()) == 1


def test_the_first_signal_ends_in_order_and_the_second_at_once() -> None:
    stop = backchannel._stopped_by_signal()
    os.kill(os.getpid(), signal.SIGINT)
    assert stop.wait(5)
    with pytest.raises(SystemExit) as ended:
        os.kill(os.getpid(), signal.SIGINT)
        stop.clear()
        stop.wait(5)
    assert ended.value.code == 130


def test_a_closed_pipe_is_quiet(imported: Path) -> None:
    command = [sys.executable, str(ROOT / "backchannel.py"), "measures", str(imported), "--json"]
    reader, writer = os.pipe()
    os.close(reader)
    found = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert found.stderr == ""


def test_demo_starts_three_processes(
    run: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[supervisor.Child] = []

    def fake(children: list[supervisor.Child], stop: threading.Event, *, tick: Callable[[], None]) -> None:
        started.extend(children)
        tick()
        tick()

    monkeypatch.setattr(supervisor, "supervise", fake)
    monkeypatch.setattr(backchannel, "_answers", lambda port: True)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("webbrowser.open", lambda address: started.append(address))
    said = run("demo", "--dir", tmp_path / "demo", "--port", "8700", "--speed", "1000")
    assert said.code == 0, said.err
    assert said.out == "Dashboard: http://127.0.0.1:8700  (Ctrl-C ends everything)\n"
    opened = started.pop()
    assert opened == "http://127.0.0.1:8700"
    assert [(child.name, child.may_end) for child in started] == [
        ("dashboard", False),
        ("tagger", False),
        ("replay", True),
    ]
    assert "2012-03-26T08:30" in started[2].command
    assert run("demo", "--dir", tmp_path / "demo").code == 2


def test_the_demo_is_seen_and_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    command = [sys.executable, str(ROOT / "backchannel.py"), "demo", "--no-browser", "--dir", str(folder)]
    demo = subprocess.Popen(
        [*command, "--speed", "5000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert demo.stdout is not None
    try:
        line = demo.stdout.readline()
        port = int(line.split("127.0.0.1:")[1].split()[0])
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/")
        assert connection.getresponse().status == 200
        connection.close()
    finally:
        demo.send_signal(signal.SIGINT)
        _, err = demo.communicate(timeout=60)
    assert (demo.returncode, "Traceback" in err) == (0, False), err
    assert _processes_naming(folder) == []


def _processes_naming(folder: Path) -> list[str]:
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [line for line in lines if str(folder) in line]


def test_a_busy_port_gives_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert backchannel._free_port(port) != port
        assert not backchannel._answers(1)


def test_a_full_export_comes_back_as_a_folder_or_file_by_file(
    run: Callable[..., Said], imported: Path, tmp_path: Path
) -> None:
    assert run("export", imported, tmp_path / "full", "--format", "ndjson", "--full").code == 0
    original = list(canonical(next(imported.glob("*.db"))))
    for name, files in (
        ("folder.db", [tmp_path / "full"]),
        ("files.db", sorted((tmp_path / "full").glob("*.ndjson"))),
    ):
        said = run("import", imported, *files, "--archive", tmp_path / name, "--json")
        assert (said.code, said.err) == (0, "")
        copy = list(canonical(tmp_path / name))
        assert [line for line in copy if '"table": "raw"' in line] == [
            line for line in original if '"table": "raw"' in line
        ]
        assert len(copy) == len(original)
