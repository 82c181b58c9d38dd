"""What every test may use: a meeting, an archive, posts at will, and the real archives where they are."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import backchannel
from archive.store import Archive
from archive.vocabulary import Author, Meeting, Post, Received, Session, Theme, hashtags_in
from tests.command import Said

ROOT = Path(__file__).parent.parent
START = datetime(2012, 3, 26, 15, 0, tzinfo=UTC)

# How long one example takes says more of what else the machine does than of the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real archives; its absence is a failure under CI, and said in the summary elsewhere."""
    folder = Path(os.environ.get("BACKCHANNEL_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "archives").is_dir():
        message = f"no real archives at {folder}: set BACKCHANNEL_TEST_DATA"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture
def meeting() -> Meeting:
    """Two sessions with a break between them, three themes, all on one morning in Mexico City."""
    return Meeting(
        slug="sample",
        title="A sample meeting",
        hashtags=("sample2012",),
        starts=START,
        ends=START + timedelta(hours=4),
        timezone="America/Mexico_City",
        languages=("en", "es", "fr"),
        themes=(
            Theme(
                slug="open-data",
                title="Open data to open governments",
                keywords={"en": ("open data", "transparency"), "es": ("datos abiertos",)},
            ),
            Theme(slug="agility", title="Improve agility", keywords={"en": ("agility", "agile")}),
            Theme(slug="defragment", title="Defragment government", keywords={"en": ("silos",)}),
        ),
        sessions=(
            Session(slug="s1", title="Opening", starts=START, ends=START + timedelta(minutes=90)),
            Session(
                slug="coffee",
                title="Coffee",
                kind="break",
                starts=START + timedelta(minutes=90),
                ends=START + timedelta(minutes=120),
            ),
            Session(
                slug="s2",
                title="Open data",
                starts=START + timedelta(minutes=120),
                ends=START + timedelta(minutes=240),
                themes=("open-data",),
            ),
        ),
    )


@pytest.fixture
def archive(tmp_path: Path, meeting: Meeting) -> Iterator[Archive]:
    """A new archive of the meeting."""
    with Archive.open(tmp_path / "sample.db", meeting) as opened:
        yield opened


@pytest.fixture
def make_post() -> Callable[..., Post]:
    """Posts by number: ``make_post(3, text="…")`` is the post of minute 3 with the id 9…03."""

    def make(number: int = 0, **fields: object) -> Post:
        platform_id = f"9{number:018d}"
        author = fields.pop("author", "ana")
        if isinstance(author, str):
            author = Author(key=f"x:{author}", source="x", handle=f"bc_{author}", name=author.title())
        text = str(fields.pop("text", f"Post number {number} #sample2012"))
        values: dict[str, object] = {
            "key": f"x:{platform_id}",
            "source": "x",
            "platform_id": platform_id,
            "created_at": START + timedelta(minutes=number),
            "kind": "original",
            "hashtags": hashtags_in(text),
            **fields,
        }
        return Post(author=author, text=text, **values)  # type: ignore[arg-type]

    return make


@pytest.fixture
def receive(make_post: Callable[..., Post]) -> Callable[..., Received]:
    """The same, as a source hands it over, with its payload."""

    def make(number: int = 0, **fields: object) -> Received:
        observed_at = fields.pop("observed_at", None)
        received_at = fields.pop("received_at", None)
        post = make_post(number, **fields)
        raw = f'{{"id": "{post.platform_id}", "text": {post.text!r}, "seen": "{observed_at}"}}'
        return Received(post, raw, observed_at, received_at)  # type: ignore[arg-type]

    return make


@pytest.fixture
def _signals_and_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("BACKCHANNEL_READ_ONLY", "")
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], _signals_and_environment: None) -> Callable[..., Said]:
    def run(*arguments: object) -> Said:
        with pytest.raises(SystemExit) as ended:
            backchannel.main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        code = ended.value.code
        assert "Traceback" not in said.err
        return Said(code if isinstance(code, int) else 0, said.out, said.err)

    return run
