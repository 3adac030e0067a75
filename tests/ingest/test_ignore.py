"""Ignore files: what is left out is what Git leaves out."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pycontextify.errors import IngestError
from pycontextify.ingest.crawl import CrawlRules
from pycontextify.ingest.ignore import parse_rules
from tests.ingest.trees import found_in, git, grow

NAMES = ["a", "b", "ab", "a.b", "b.a", "[a]", "a b", "A", "-", "#a", "!a", "é"]
SEGMENTS = [
    *("a", "b", "*", "**", "?", "a*", "*b", "[ab]", "[!a]", "[a-b]", "\\a", "*[!a]", "a.b", "*.b", "**b"),
    *("#a", "!a", "\\#a", "\\!a", "[a", "a\\", "[]a]", "[^a]", "[!b]b", "a[!b]b", "??", "\\[a\\]", "a ", "a\\ ", "a b"),
]

names = st.sampled_from(NAMES)
lines = st.builds(
    lambda negated, rooted, segments, directory: negated + rooted + "/".join(segments) + directory,
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "", "/"]),
    st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=3),
    st.sampled_from(["", "", "/"]),
)
trees = st.dictionaries(names, st.none() | st.dictionaries(names, st.none() | st.dictionaries(names, st.none())))


def paths(tree: dict[str, object] | None, prefix: str = "") -> list[str]:
    """Return the files of a tree; None is a file, a dictionary a directory."""
    if tree is None:
        return [prefix]
    return [path for name, below in tree.items() for path in paths(below, f"{prefix}/{name}" if prefix else name)]  # type: ignore[arg-type]


def git_finds(root: Path) -> list[str]:
    """Return the files that Git would offer to add."""
    listed = git(root, "ls-files", "-z", "--others", "--exclude-standard").split("\0")
    return sorted(path for path in listed if path)


@settings(max_examples=100, deadline=None)
@given(
    tree=trees,
    ignores=st.dictionaries(
        st.sampled_from(["", "a/", "b/", "a/b/", "ab/a/"]), st.lists(lines, max_size=4), max_size=4
    ),
)
def test_nested_gitignore_files_mean_what_git_takes_them_to_mean(
    tree: dict[str, object], ignores: dict[str, list[str]]
) -> None:
    """On any tree with any ignore files in it, we find just what Git would add.

    Left aside are stars behind a letter (``a**/b``): up to 2.40, Git reads memory there that is not the pattern's;
    and sets with a slash in them (``[a/b]``), a difference that the module names.
    """
    files = dict.fromkeys(paths(tree), "text")
    for directory, patterns in ignores.items():
        if any(path == directory[:-1] or path.startswith(f"{directory[:-1]}/") for path in files) or not directory:
            kept = [pattern for pattern in patterns if not re.search(r"[^/!]\*\*(/|$)|\[[^]]*/", pattern)]
            files[f"{directory}.gitignore"] = "\n".join([*kept, ""])
    files = {path: text for path, text in files.items() if not any(other.startswith(f"{path}/") for other in files)}
    with tempfile.TemporaryDirectory() as directory:
        root = grow(Path(directory), files)
        git(root, "init", "--quiet")
        assert found_in(root) == git_finds(root)


@pytest.mark.parametrize(
    "ignore",
    [
        {"": "*.log\n!keep.log\n"},
        {"": "*.log\n", "sub/": "!keep.log\n"},
        {"": "sub/\n", "sub/": "!keep.log\n"},
        {"": "sub/*\n!sub/deep/\n"},
        {"": "sub/**\n!sub/keep.log\n"},
        {"": "*\n!*/\n!*.log\n"},
        {"": "/keep.log\n"},
        {"": "**/deep/**\n"},
        {"sub/": "/keep.log\ndeep\n"},
        {"": "*.c\n", "sub/": "!deep\n"},
        {"": "# keep.log\n\n  \nkeep.log  \n"},
        {"": "keep.log\r\ndeep/\r\n"},
        {"": "\ufeffkeep.log\n"},
        {"": "keep.log"},
        {"": "/\n//\n!\n! \n!/\n!/ \n"},
        {"": "sub/**\n!sub/**/\n!sub/**/keep.log\n"},
        {"": "sub/**/\n"},
        {"": "*\n!sub/\n!sub/*.c\n"},
        {"": "*.c\n!deep/\n"},
        {"": "/*\n!/sub\n/sub/*\n!/sub/deep\n"},
        {"": "*[!c]\n!*/\n"},
        {"": "sub[!x]a.c\n[kK]eep.lo?\n"},
        {"": "/keep.log/\nother.log\\\n[a\n"},
        {"sub/": "*\n", "sub/deep/": "!a.c\n"},
    ],
)
def test_what_people_write_means_what_git_takes_it_to_mean(tmp_path: Path, ignore: dict[str, str]) -> None:
    """The idioms: exceptions, whitelists, rooted patterns, Windows line ends, marks, no final line end."""
    files = ["keep.log", "other.log", "a.c", "sub/keep.log", "sub/a.c", "sub/deep/keep.log", "sub/deep/a.c", "deep/x"]
    tree: dict[str, str | bytes] = dict.fromkeys(files, "text")
    root = grow(tmp_path, tree | {f"{place}.gitignore": text for place, text in ignore.items()})
    git(root, "init", "--quiet")
    assert found_in(root) == git_finds(root)


def test_the_rules_above_a_root_inside_a_work_tree_hold(tmp_path: Path) -> None:
    """Indexing a directory of a repository leaves out what indexing the repository would."""
    repository = grow(
        tmp_path / "repository",
        {
            ".gitignore": "*.log\n/sub/rooted.py\n",
            "sub/.gitignore": "!kept.log\n",
            ".git/info/exclude": "mine.py\n",
            **dict.fromkeys(["sub/a.py", "sub/a.log", "sub/kept.log", "sub/rooted.py", "sub/mine.py"], "text"),
        },
    )
    assert found_in(repository / "sub") == [".gitignore", "a.py", "kept.log"]
    assert [path for path in found_in(repository) if path.startswith("sub/")] == [
        "sub/.gitignore",
        "sub/a.py",
        "sub/kept.log",
    ]


def test_the_rules_above_a_root_that_is_in_no_work_tree_do_not_hold(tmp_path: Path) -> None:
    """Without a repository around it, what lies above a root is none of its business."""
    grow(tmp_path, {".gitignore": "*.py\n", "tree/a.py": "text"})
    assert found_in(tmp_path / "tree") == ["a.py"]


def test_a_root_that_is_itself_ignored_is_taken_at_its_word(tmp_path: Path) -> None:
    """Who names a directory wants it, even when the repository leaves it out."""
    grow(tmp_path, {".gitignore": "build/\n", ".git/HEAD": "", "build/a.py": "text"})
    assert found_in(tmp_path / "build") == ["a.py"]
    assert found_in(tmp_path) == [".gitignore"]


def test_our_own_ignore_file_wins_over_gits_and_over_the_built_in_rules(tmp_path: Path) -> None:
    """It can leave out what Git keeps, and bring back what Git or we leave out."""
    root = grow(
        tmp_path,
        {
            ".gitignore": "generated/\n",
            ".pycontextifyignore": "!generated/\n!uv.lock\nsecret.txt\n",
            **dict.fromkeys(["generated/a.py", "uv.lock", "poetry.lock", "secret.txt", "b.py"], "text"),
        },
    )
    assert found_in(root) == [".gitignore", ".pycontextifyignore", "b.py", "generated/a.py", "uv.lock"]


@pytest.mark.parametrize(
    ("line", "matches"),
    [("a ", "a"), ("a\\ ", "a "), ("a\\  ", "a "), ("a\\\\ ", "a\\"), ("\\#a", "#a"), ("\\!a", "!a"), (" a", " a")],
)
def test_spaces_and_marks_can_be_quoted(line: str, matches: str) -> None:
    """Trailing spaces go, unless a backslash quotes the first of them; so with marks at the beginning."""
    assert parse_rules([line], origin="", depth=0).verdict((matches,), directory=False) is True


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("a", "a/a", False),
        ("a\\/b", "a/b", True),
        ("a/b", "a/b", True),
        ("a*c", "abbc", True),
        ("a*c", "a/c", False),
        ("a**c", "abc", True),
        ("?", "é", False),
        ("??", "é", True),
        ("**/a", "a", True),
        ("**/a", "x/y/a", True),
        ("a/**", "a", False),
        ("a/**", "a/b/c", True),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("a/**/b", "a/x/b/y", False),
        ("a/**/b/**/c", "a/b/b/x/c", True),
        ("[!ab]", "b", False),
        ("[^ab]", "c", True),
        ("[]a]", "]", True),
        ("[!]a]", "b", True),
        ("a[!b]c", "a/c", False),
        ("a[!]b]c", "a/c", False),
        ("[a-c]", "b", True),
        ("[a-]", "-", True),
        ("[[]", "[", True),
        ("[&&~|]", "~", True),
        ("\\*", "*", True),
        ("\\*", "a", False),
        ("a.b", "axb", False),
        ("(a|b)+$", "(a|b)+$", True),
        ("*", "a\nb", True),
        ("**/b", "a\na/b", True),
        ("a", "a\n", False),
    ],
)
def test_a_pattern_matches_what_git_says(pattern: str, path: str, matches: bool) -> None:
    """Each row was tried on git 2.39 with check-ignore, or follows from gitignore(5)."""
    verdict = parse_rules([f"/{pattern}"], origin="", depth=0).verdict(tuple(path.split("/")), directory=False)
    assert verdict is (True if matches else None)


@pytest.mark.parametrize("line", ["[a", "a\\", "x/[", "[!", "", "#a", "!", "/", "!/ ", "//"])
def test_a_line_that_can_match_nothing_makes_no_rule(line: str) -> None:
    """Sets that never end, a backslash that quotes nothing, comments, and slashes alone: Git passes over them."""
    assert parse_rules([line], origin="", depth=0).negated == ()


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 60 + "b", "a" * 255),
        ("*[ab]" * 60 + "c", "ab" * 127),
        ("**/a*/" * 60 + "b", "/".join(["a" * 20] * 200)),
        ("*a" + "?" * 250 + "c", "ab" * 127),
    ],
)
def test_a_hostile_pattern_takes_no_time(pattern: str, path: str) -> None:
    """A tree brings its own patterns; the suite's own limit shows that no match of these goes back and forth."""
    assert parse_rules([pattern], origin="", depth=0).verdict(tuple(path.split("/")), directory=False) is None


@pytest.mark.parametrize("pattern", ["[b-a]", "[[:alpha:]]", "[a--b]"])
def test_a_pattern_that_cant_be_matched_is_refused(tmp_path: Path, pattern: str) -> None:
    """Passed over, it could let in a secret; so it is named by file and line, or by itself."""
    root = grow(tmp_path, {"sub/.gitignore": f"# ours\n{pattern}\n", "sub/a.py": "text", "b.py": "text"})
    with pytest.raises(IngestError) as caught:
        found_in(root)
    assert (caught.value.code, caught.value.asset) == ("pattern_invalid", f"{root / 'sub' / '.gitignore'}:2")
    assert found_in(root, CrawlRules(exclude=("sub/",))) == ["b.py"]
    with pytest.raises(IngestError) as caught:
        found_in(root, CrawlRules(exclude=("sub/", pattern)))
    assert (caught.value.code, caught.value.asset) == ("pattern_invalid", pattern)


def test_a_long_list_holds_to_its_last_line_and_one_too_long_is_refused(tmp_path: Path) -> None:
    """Nothing is dropped in silence when the matcher has no room for more."""
    names = [f"generated/name{number}.log\n" for number in range(5000)]
    root = grow(tmp_path, {".gitignore": "".join([*names, "a.py\n"]), "a.py": "text", "b.py": "text"})
    assert found_in(root, CrawlRules(include=("*.py",))) == ["b.py"]
    grow(root, {".gitignore": "?" * 500_000})
    with pytest.raises(IngestError) as caught:
        found_in(root)
    assert (caught.value.code, caught.value.asset) == ("pattern_invalid", str(root / ".gitignore"))


@given(st.lists(st.text(st.sampled_from("ab*?[]!^-\\/ #:.é\udce9"), max_size=12), max_size=4), names, st.booleans())
def test_any_line_is_a_rule_or_none_or_refused(written: list[str], name: str, directory: bool) -> None:
    """Whatever an ignore file holds, the walk meets an answer or one kind of error."""
    try:
        rules = parse_rules(written, origin="", depth=0)
    except IngestError:
        return
    assert rules.verdict((name, "a\udce9"), directory=directory) in (True, False, None)


def test_a_rule_holds_below_a_directory_whose_name_is_not_utf_8(tmp_path: Path) -> None:
    """Such a directory may lie above the root, inside the work tree."""
    above = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    grow(tmp_path, {".git/HEAD": ""})
    (tmp_path / ".gitignore").write_bytes(b"secret.py\n/caf\xe9/tree/b.py\n")
    grow(above / "tree", dict.fromkeys(["secret.py", "a.py", "b.py"], "text"))
    assert found_in(above / "tree") == ["a.py"]
