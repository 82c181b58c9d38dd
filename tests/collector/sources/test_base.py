from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from archive.vocabulary import Meeting, SourceSpec
from collector.sources.base import Exhausted, Limited, Lost, Refused, Setup, SourceError, Unavailable

NOW = datetime(2012, 3, 26, 15, tzinfo=UTC)


def setup_with(meeting: Meeting, secrets: dict[str, str], **settings: Any) -> Setup:
    spec = SourceSpec(kind="x", name="x", arm="public", settings=settings)
    shelf: Any = None
    return Setup(spec, meeting, Path(), secrets, shelf, lambda: NOW)


def test_a_secret_is_the_value_of_the_variable_that_a_setting_names(meeting: Meeting) -> None:
    setup = setup_with(meeting, {"TOKEN": " t ", "EMPTY": " "}, token_env="TOKEN", app_password_env="EMPTY")
    assert setup.secret("token_env") == "t"
    assert setup.secret("app_password_env") is None
    assert setup.secret("other_env") is None


@pytest.mark.parametrize("kind", [Lost, Unavailable, Limited, Refused, Exhausted])
def test_every_end_of_a_conversation_says_why(kind: type[SourceError]) -> None:
    assert str(kind("the reason")) == "the reason"
    assert Limited("later", NOW).until == NOW
    assert Limited("later").until is None
