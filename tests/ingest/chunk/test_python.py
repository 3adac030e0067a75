"""Python is cut by its definitions."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from pycontextify.ingest.chunk.cut import LIMIT, TARGET
from pycontextify.ingest.chunk.python import chunk_python
from tests.ingest.chunk.invariants import check_chunks

LONG = "    work('on something or other')\n"


def outline(text: str) -> list[tuple[int, int, str, str]]:
    """Return the chunks as first line, last line, kind, symbol."""
    chunks = chunk_python(text)
    check_chunks(text, chunks)
    return [(chunk.start_line, chunk.end_line, chunk.kind, chunk.symbol) for chunk in chunks]


def symbols(text: str) -> list[tuple[str, str]]:
    """Return the chunks as kind and symbol."""
    return [(kind, symbol) for _, _, kind, symbol in outline(text)]


def test_functions_classes_and_the_rest_are_told_apart() -> None:
    """Decorators and the comments right above go with a definition; other comments go with what follows."""
    text = dedent('''\
        """A module."""
        import os

        # About f.
        # More.
        @decorated
        @decorated(1)
        def f(x):
            return x


        # A banner.

        async def g():
            pass
            # The last word.

        LIMIT = 3
        # About A.
        class A(B):
            """A class."""
            def m(self): pass
        if __name__ == "__main__":
            f(1)
        ''')
    assert outline(text) == [
        (1, 2, "module", ""),
        (4, 9, "function", "f"),
        (12, 16, "function", "g"),
        (18, 18, "module", ""),
        (19, 22, "class", "A"),
        (23, 24, "module", ""),
    ]


def test_a_long_class_gives_a_chunk_of_its_own_and_one_for_each_method() -> None:
    """What a class says of itself is one thing, what its methods do another."""
    text = (
        "class A:\n"
        '    """A class, with a docstring that says enough to make it worth finding by itself.\n\n'
        '    It goes on for a while."""\n\n'
        "    size = 3\n\n"
        "    # About one.\n"
        "    @property\n"
        "    def one(self):\n" + indent(LONG * 15, "    ") + "\n"
        "    other = one\n\n"
        "    async def two(self):\n" + indent(LONG * 15, "    ")
    )
    assert outline(text) == [
        (1, 6, "class", "A"),
        (8, 25, "method", "A.one"),
        (27, 27, "class", "A"),
        (29, 44, "method", "A.two"),
    ]


def test_a_bare_head_goes_with_the_first_method() -> None:
    """``class A:`` alone would be found for every question about A, and answer none."""
    text = "class A:\n" + "".join(f"    def m{n}(self):\n{indent(LONG * 9, '    ')}\n" for n in range(4))
    assert symbols(text) == [("method", f"A.m{n}") for n in range(4)]


def test_classes_in_long_classes_are_named_by_both() -> None:
    """As deep as they go."""
    inner = indent("class B:\n" + indent(f'"""{"Words. " * 20}"""\ndef m(self):\n{LONG * 30}', "    "), "    ")
    text = f'class A:\n    """{"Words. " * 20}"""\n{inner}'
    assert list(dict.fromkeys(symbols(text))) == [("class", "A"), ("class", "A.B"), ("method", "A.B.m")]


def test_definitions_behind_conditions_are_found() -> None:
    """The line that opens the block goes with the definition; what is more than that stays the module's."""
    text = dedent("""\
        try:
            from _fast import f
        except ImportError:
            def f():
                pass
        else:
            f = checked(f)
        if os.name == "nt":

            class A:
                pass
        else:
            class A:
                other = True
        """)
    assert outline(text) == [
        (1, 2, "module", ""),
        (3, 5, "function", "f"),
        (6, 7, "module", ""),
        (8, 11, "class", "A"),
        (12, 14, "class", "A"),
    ]


def test_a_long_function_is_cut_and_every_part_keeps_its_name() -> None:
    """Part by part, without overlap."""
    chunks = chunk_python("def f():\n" + LONG * 100)
    assert len(chunks) > 2
    assert {(chunk.kind, chunk.symbol) for chunk in chunks} == {("function", "f")}
    assert all(LIMIT >= len(chunk.text) > TARGET / 2 for chunk in chunks)


def test_functions_in_functions_stay_unless_the_whole_is_too_long() -> None:
    """And even then only those that are worth a name."""
    inner = f"    def inner():\n{indent(LONG * 12, '    ')}"
    small = "    def small(): pass\n"
    assert symbols(f"def f():\n{inner}") == [("function", "f")]
    assert symbols(f"def f():\n{inner}{small}{LONG * 25}")[0] == ("function", "f.inner")
    assert {symbol for _, symbol in symbols(f"def f():\n{small}{inner}{LONG * 25}")} == {"f", "f.inner"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(:\n    pass\n\ndef g():\n    pass\n", ("function", "g")),
        ("class A:\n    def m(self)\n        pass\n\ndef g():\n    pass\n", ("function", "g")),
        ("print 'two'\n\ndef g():\n    print 'three'\n", ("function", "g")),
        ("x = (\n\ndef g():\n    pass\n", ("function", "g")),
    ],
)
def test_what_is_no_valid_python_still_gives_its_definitions(text: str, expected: tuple[str, str]) -> None:
    """People index what they are in the middle of writing."""
    assert expected in symbols(text)


def test_several_definitions_on_a_line_are_one_chunk() -> None:
    """A chunk is made of whole lines; the first definition gives the name."""
    assert outline("class A: pass; class B: pass\ndef f(): pass; x = 1\n") == [
        (1, 1, "class", "A"),
        (2, 2, "function", "f"),
    ]


def test_lines_are_counted_by_newlines_alone() -> None:
    """Form feeds and Unicode separators stand inside lines, as editors count them; so do wide characters."""
    assert outline("x = '\u2028é𝄞'\n\x0c\ndef f():\n    pass\n") == [(1, 1, "module", ""), (3, 4, "function", "f")]
    assert outline("é = 1\ndef é(): pass\n") == [(1, 1, "module", ""), (2, 2, "function", "é")]


def test_a_comment_marker_in_a_string_is_not_taken_for_a_comment() -> None:
    """A definition does not reach up into the statement before it."""
    assert outline('TEXT = """\n# one\n# two"""\ndef f():\n    pass\n') == [
        (1, 3, "module", ""),
        (4, 5, "function", "f"),
    ]
