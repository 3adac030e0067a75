"""JSON with comments, edited in place."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.library.clients import jsonc
from pycontextify.library.clients.jsonc import Malformed, inserted, parse, removed, replaced, style_of


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "b": [true, null, -1.5e3, "x\\n"]}',
        '\ufeff{\n  // one\n  "a": /* two */ 1,\n  "b": {"c": "//"},\n}\n',
        "[1, 2, /* 3 */]",
        '"\\u00e9"',
    ],
)
def test_values_are_read(text: str) -> None:
    """As json reads them, once comments and trailing commas are gone."""
    values = {
        '{"a"': {"a": 1, "b": [True, None, -1500.0, "x\n"]},
        "\ufeff{": {"a": 1, "b": {"c": "//"}},
        "[1, ": [1, 2],
    }
    expected = next((value for begin, value in values.items() if text.startswith(begin)), "é")
    assert parse(text).value == expected


@pytest.mark.parametrize(
    "text",
    ["", "{", '{"a" 1}', '{"a": 1 "b": 2}', "{,}", "[,]", "{} x", '{"a": tru}', "/* x", "{'a': 1}", '"\n"', "[" * 200],
)
def test_what_is_no_json_is_refused(text: str) -> None:
    """With the line that it goes wrong in."""
    with pytest.raises(Malformed, match="line"):
        parse(text)


def test_a_name_that_is_there_twice_is_refused() -> None:
    """Whoever reads it takes one of the two, and nobody knows which."""
    with pytest.raises(Malformed, match="twice"):
        parse('{"a": 1, "a": 2}').member("a")


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(
    whole=st.dictionaries(st.text(max_size=3), _VALUES, max_size=4),
    value=_VALUES,
    indent=st.sampled_from([None, 1, "\t"]),
)
def test_edits_do_what_they_say(whole: dict[str, object], value: object, indent: int | str | None) -> None:
    """Whatever is inserted is there, what is replaced is the new value, what is removed is gone, and nothing else."""
    text = json.dumps(whole, indent=indent, ensure_ascii=False)
    root = parse(text)
    style = style_of(text, root)
    key = "a new one"
    longer = inserted(text, root, key, value, style)
    assert json.loads(longer) == {**whole, key: value}
    ours = parse(longer).member(key)
    assert ours is not None
    assert json.loads(replaced(longer, ours, [value], style)) == {**whole, key: [value]}
    if whole:
        assert removed(longer, parse(longer), ours) == text
    for name in whole:
        member = root.member(name)
        assert member is not None
        assert json.loads(removed(text, root, member)) == {other: whole[other] for other in whole if other != name}


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ('{"a": 1, "b": 2, "c": 3}', "b", '{"a": 1, "c": 3}'),
        ('{"a": 1, "b": 2}', "b", '{"a": 1}'),
        ('{\n  "a": 1, // one\n  "b": 2 // two\n}', "b", '{\n  "a": 1 // one\n  // two\n}'),
        ('{\n  "a": 1, // one\n  "b": 2,\n}', "b", '{\n  "a": 1, // one\n}'),
        ('{\n  // about a\n  "a": 1\n}', "a", "{\n  // about a\n}"),
        ('{\r\n  "a": 1,\r\n  "b": 2\r\n}', "a", '{\r\n  "b": 2\r\n}'),
        ('{ "a": 1 }', "a", "{}"),
    ],
)
def test_removing_takes_the_comma_and_the_line(text: str, name: str, expected: str) -> None:
    """And leaves comments where they are."""
    root = parse(text)
    member = root.member(name)
    assert member is not None
    assert removed(text, root, member) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{\n  "a": 1 // one\n}', '{\n  "a": 1, // one\n  "x": 7\n}'),
        ('{\n  "a": 1, // one\n  /* two */\n}', '{\n  "a": 1, // one\n  /* two */\n  "x": 7,\n}'),
        ("{ /* none yet */ }", '{ /* none yet */\n  "x": 7\n}'),
        ('{"a": 1}', '{"a": 1, "x": 7}'),
        ('{"a": 1,}', '{"a": 1, "x": 7}'),
        ('{\n\t"a": 1}', '{\n\t"a": 1,\n\t"x": 7\n}'),
        ('{\r\n    "a": 1\r\n}', '{\r\n    "a": 1,\r\n    "x": 7\r\n}'),
    ],
)
def test_a_new_member_looks_like_the_others(text: str, expected: str) -> None:
    """Its indentation, line ends and comma are those of the file, and comments stay with what they are about."""
    root = parse(text)
    assert inserted(text, root, "x", 7, style_of(text, root)) == expected


def test_an_array_takes_a_new_item() -> None:
    """Without a key."""
    text = '{\n  "a": [\n    1\n  ]\n}'
    root = parse(text)
    member = root.member("a")
    assert member is not None
    assert inserted(text, member.value, None, 2, jsonc.style_of(text, root)) == '{\n  "a": [\n    1,\n    2\n  ]\n}'
