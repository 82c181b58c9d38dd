"""The scan must agree with tomllib about what is a key, and know its line."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from archive.toml_lines import line_numbers, nearest

SOURCE = '''# a comment with [brackets] and key = value
top = 1

[meeting]   # the table
slug = "a"
title = """
[themes]
not_a_key = 1
"""
hashtags = [
  "one",  # hashtags = [
  "two"
]
other = { a = 1, b = [2, 3] }
dotted.deep = true

[[themes]]
slug = "x"
[themes.keywords]
en = ["a ] b"]
[[themes]]
"slug" = 'y#'
'''


def test_every_key_and_table_has_its_line():
    places = line_numbers(SOURCE)
    assert places == {
        ("top",): 2,
        ("meeting",): 4,
        ("meeting", "slug"): 5,
        ("meeting", "title"): 6,
        ("meeting", "hashtags"): 10,
        ("meeting", "other"): 14,
        ("meeting", "dotted"): 15,
        ("meeting", "dotted", "deep"): 15,
        ("themes", 0): 17,
        ("themes", 0, "slug"): 18,
        ("themes", 0, "keywords"): 19,
        ("themes", 0, "keywords", "en"): 20,
        ("themes", 1): 21,
        ("themes", 1, "slug"): 22,
    }


def test_what_is_not_written_gets_the_line_around_it():
    places = line_numbers(SOURCE)
    assert nearest(places, ("themes", 1, "title")) == 21
    assert nearest(places, ("meeting", "hashtags", 1)) == 10
    assert nearest(places, ("sources", 0)) is None


VALUES = st.one_of(
    st.integers(),
    st.booleans(),
    st.text(alphabet="ab[]{}#='\"\n\\ ", max_size=12),
    st.lists(st.text(alphabet="a[]#=", max_size=5), max_size=3),
)


def _toml(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[\n" + ",\n".join(_toml(item) for item in value) + "\n]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return str(value)


@given(st.lists(st.dictionaries(st.sampled_from(["a", "b", "c-d"]), VALUES, max_size=3), max_size=4))
def test_it_finds_exactly_the_keys_that_tomllib_finds(tables):
    source = "".join(
        "[[t]]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in table.items()) for table in tables
    )
    parsed = tomllib.loads(source).get("t", [])
    expected = {("t", index) for index in range(len(parsed))}
    expected |= {("t", index, key) for index, table in enumerate(parsed) for key in table}
    places = line_numbers(source)
    assert set(places) == expected
    lines = source.split("\n")
    for place, number in places.items():
        assert lines[number - 1].startswith("[[t]]" if len(place) == 2 else f"{place[2]} =")
