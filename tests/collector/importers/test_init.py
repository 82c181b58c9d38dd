from __future__ import annotations

from pathlib import Path

import pytest

from archive.errors import UsageError
from collector.importers import IMPORTERS, find
from collector.importers.base import head_of
from tests.collector import golden


def test_every_importer_offers_what_the_contract_asks() -> None:
    names = [importer.NAME for importer in IMPORTERS]
    assert len(set(names)) == len(names)
    for importer in IMPORTERS:
        assert importer.TITLE
        assert isinstance(importer.TRIED, bool)
        assert callable(importer.sniff)
        assert callable(importer.read)


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"{", b"[]", b"hello\n", b"a,b\n1,2\n", b"\xff\xfe", b"\0" * 99]
)
def test_no_importer_takes_what_is_nothing(data: bytes) -> None:
    assert [importer.NAME for importer in IMPORTERS if importer.sniff(head_of(data))] == []


def test_formats_are_found_by_name() -> None:
    assert find("RTweet").NAME == "rtweet"
    with pytest.raises(UsageError, match=r"no format named 'word'; the formats are: .*plain-csv"):
        find("word")


@pytest.mark.parametrize("folder", sorted(golden.TESTDATA.iterdir()), ids=lambda folder: folder.name)
def test_every_golden_file_is_found_by_its_content(folder: Path) -> None:
    for case in golden.cases(folder.name):
        head = head_of((folder / case).read_bytes())
        assert [importer.NAME for importer in IMPORTERS if importer.sniff(head)][:1] == [folder.name]
