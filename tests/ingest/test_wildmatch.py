"""Patterns match what Git says they match; that hostile ones take no time is shown by the suite's own limit."""

from __future__ import annotations

import pytest

from pycontextify.ingest.wildmatch import parse_glob


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("a", "a", True),
        ("a", "b", False),
        ("a", "a/a", False),
        ("a/b", "a/b", True),
        ("a*c", "abbc", True),
        ("a*c", "a/c", False),
        ("*", "anything", True),
        ("*.tar.*", "x.tar.gz", True),
        ("a**c", "abc", True),
        ("?", "é", True),
        ("?", "", False),
        ("**/a", "a", True),
        ("**/a", "x/y/a", True),
        ("a/**", "a", False),
        ("a/**", "a/b/c", True),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("a/**/b", "a/x/b/y", False),
        ("a/**/b/**/c", "a/b/b/x/c", True),
        ("**", "a/b", True),
        ("***/a", "x/a", True),
        ("[ab]", "b", True),
        ("[!ab]", "b", False),
        ("[^ab]", "c", True),
        ("[]a]", "]", True),
        ("[!]a]", "b", True),
        ("[a-c]", "b", True),
        ("[c-a]", "c", True),
        ("[c-a]", "b", False),
        ("[a-]", "-", True),
        ("[-a]", "-", True),
        ("[\\]]", "]", True),
        ("[a-\\c]", "b", True),
        ("[[]", "[", True),
        ("[[:]", ":", True),
        ("[[:x]", "x", True),
        ("[[:digit:][:upper:]]", "A", True),
        ("[[:space:]]", "\t", True),
        ("[[:punct:]]", "\\", True),
        ("[&&~|]", "~", True),
        ("\\*", "*", True),
        ("\\*", "a", False),
        ("a\\/b", "a/b", True),
        ("a.b", "axb", False),
        ("a\nb", "a\nb", True),
        ("a", "a\n", False),
    ],
)
def test_a_pattern_matches_what_git_says(pattern: str, path: str, matches: bool) -> None:
    """Each row was tried on git 2.39 with check-ignore, or follows from gitignore(5)."""
    glob = parse_glob(pattern)
    assert glob is not None
    assert glob.matches(path.split("/")) is matches


@pytest.mark.parametrize("pattern", ["[a", "a\\", "[[:nothing:]]", "[[:alpha", "[a-\\", "x/[", "[!"])
def test_a_pattern_that_can_match_nothing_is_none(pattern: str) -> None:
    """Sets that never end, a backslash that quotes nothing, and unknown classes make no pattern."""
    assert parse_glob(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 60 + "b", "a" * 255),
        ("*[ab]" * 60 + "c", "ab" * 127),
        ("**/a*/" * 60 + "b", "/".join(["a" * 20] * 200)),
    ],
)
def test_a_hostile_pattern_takes_no_time(pattern: str, path: str) -> None:
    """A tree brings its own patterns, and a backtracking match of these would outlive the machine."""
    glob = parse_glob(pattern)
    assert glob is not None
    assert not glob.matches(path.split("/"))
