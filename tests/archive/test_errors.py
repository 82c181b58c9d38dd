from __future__ import annotations

from pathlib import Path

from archive import errors
from archive.errors import MeetingFileError, Problem


def test_every_mistake_is_in_the_message() -> None:
    error = MeetingFileError(
        Path("a/meeting.toml"),
        [
            Problem("meeting.slug", "'A B'", "write a-z, 0-9 and -", 3),
            Problem("meeting.title", "nothing", "add it"),
        ],
    )
    assert str(error).splitlines() == [
        "meeting.toml, line 3: meeting.slug: found 'A B'; write a-z, 0-9 and -",
        "meeting.toml: meeting.title: found nothing; add it",
    ]


def test_exit_codes_follow_what_the_caller_can_do() -> None:
    codes = {
        cls.__name__: cls.exit_code
        for cls in vars(errors).values()
        if isinstance(cls, type) and issubclass(cls, errors.BackchannelError)
    }
    assert {name for name, code in codes.items() if code == 2} == {
        "UsageError",
        "MeetingFileError",
        "InputError",
    }
    assert codes["DamagedArchive"] == codes["SearchError"] == 1


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    names = {name for name, cls in vars(errors).items() if isinstance(cls, type) and name != "Problem"}
    names -= {"Sequence", "Path"}
    assert all(name in (errors.__doc__ or "") for name in names)
