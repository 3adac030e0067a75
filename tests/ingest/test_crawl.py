"""The walk: everything in a tree is found, or skipped with a reason, and nothing stops it."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.errors import IngestError
from pycontextify.ingest.crawl import CrawlRules, Found, Skipped, crawl
from tests.ingest.trees import found_in, grow, skipped_in


def test_what_is_found_comes_with_its_path_and_size_in_the_order_of_paths(tmp_path: Path) -> None:
    """The order is that of whole relative paths, so that every machine builds the same index."""
    names = ["a.py", "a/b.py", "a-b.py", "a/b/c.py", "B.py", "a0.py", "é.py", "a/.hidden"]
    root = grow(tmp_path, {name: name for name in names})
    items = list(crawl(root))
    assert [item.relative for item in items] == sorted(names)
    assert items[0] == Found(root / "B.py", "B.py", 4)
    assert all(isinstance(item, Found) and item.path.stat().st_size == item.size for item in items)


@given(st.sets(st.text("ab./-", min_size=1, max_size=8).filter(lambda text: text.strip("./") == text), max_size=12))
def test_the_order_is_that_of_sorted_paths(names: set[str]) -> None:
    """Whatever sorts before a slash: a directory's files come where their whole paths belong."""
    segments = {tuple(part for part in name.split("/") if part.strip(".")) for name in names}
    files = {"/".join(path): "text" for path in segments if path}
    files = {path: text for path, text in files.items() if not any(other.startswith(f"{path}/") for other in files)}
    with tempfile.TemporaryDirectory() as directory:
        assert found_in(grow(Path(directory), files)) == sorted(files)


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        ((), (), ["docs/a.md", "docs/deep/b.md", "src/a.py", "src/deep/b.py", "top.py"]),
        (("*.py",), (), ["src/a.py", "src/deep/b.py", "top.py"]),
        (("/*.py",), (), ["top.py"]),
        (("docs/",), (), ["docs/a.md", "docs/deep/b.md"]),
        (("docs",), (), ["docs/a.md", "docs/deep/b.md"]),
        (("deep/",), (), ["docs/deep/b.md", "src/deep/b.py"]),
        (("src/**/*.py",), (), ["src/a.py", "src/deep/b.py"]),
        (("src/*.py", "*.md"), (), ["docs/a.md", "docs/deep/b.md", "src/a.py"]),
        (("*.py", "!top.py"), (), ["src/a.py", "src/deep/b.py"]),
        ((), ("deep",), ["docs/a.md", "src/a.py", "top.py"]),
        ((), ("*.md", "/top.py"), ["src/a.py", "src/deep/b.py"]),
        (("*.py",), ("src/",), ["top.py"]),
        ((), ("*", "!docs/", "!docs/a.md"), ["docs/a.md"]),
    ],
)
def test_patterns_say_what_to_take(
    tmp_path: Path, include: tuple[str, ...], exclude: tuple[str, ...], expected: list[str]
) -> None:
    """Patterns are written as in a .gitignore; a directory stands for what is in it."""
    root = grow(tmp_path, dict.fromkeys(["docs/a.md", "docs/deep/b.md", "src/a.py", "src/deep/b.py", "top.py"], "text"))
    assert found_in(root, CrawlRules(include=include, exclude=exclude)) == expected


def test_patterns_start_from_the_root_also_inside_a_work_tree(tmp_path: Path) -> None:
    """A pattern with a slash counts from the root that was named, not from the top of the repository."""
    grow(tmp_path, {".git/HEAD": "", **dict.fromkeys(["sub/docs/a.md", "sub/b.md", "docs/c.md"], "text")})
    assert found_in(tmp_path / "sub", CrawlRules(include=("/docs/",))) == ["docs/a.md"]
    assert found_in(tmp_path / "sub", CrawlRules(exclude=("/docs/",))) == ["b.md"]


@pytest.mark.parametrize("rules", [CrawlRules(include=("[a",)), CrawlRules(exclude=("*.py", ""))])
def test_a_pattern_that_can_match_nothing_is_refused(tmp_path: Path, rules: CrawlRules) -> None:
    """A typing error must not look like an empty tree."""
    with pytest.raises(IngestError) as caught:
        crawl(tmp_path, rules)
    assert caught.value.code == "pattern_invalid"


def test_what_a_rule_leaves_out_is_counted_not_listed(tmp_path: Path) -> None:
    """A directory that is left out is one entry, and says which rule it was."""
    root = grow(
        tmp_path,
        {
            ".gitignore": "out/\n*.log\n",
            **dict.fromkeys(["out/a", "out/b", "x.log", "node_modules/x/y.js", ".git/HEAD", "a.py", "b.txt"], "text"),
        },
    )
    skipped = skipped_in(root, CrawlRules(include=("*.py", ".gitignore"), exclude=("b.*",)))
    assert {path: item.reason for path, item in skipped.items()} == {
        ".git/": "version control",
        "b.txt": "ignored by an exclude pattern",
        "node_modules/": "ignored by default",
        "out/": "ignored by .gitignore",
        "x.log": "ignored by .gitignore",
    }
    assert all(item.ignored for item in skipped.values())
    assert skipped_in(root, CrawlRules(include=("*.py",)))["b.txt"] == Skipped("b.txt", "not included", ignored=True)


@pytest.mark.parametrize(
    ("marker", "content", "reason"),
    [
        ("pyvenv.cfg", "home = /usr/bin\n", "a virtual environment"),
        ("CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n# by a tool\n", "a cache"),
        ("oci-layout", '{"imageLayoutVersion":"1.0.0"}', "an index or image layout"),
    ],
)
def test_directories_are_known_by_the_marker_in_them(tmp_path: Path, marker: str, content: str, reason: str) -> None:
    """Environments, caches and our own indexes are left out wherever they are and whatever their name; not the root."""
    root = grow(tmp_path, {f"x/{marker}": content, "x/a.py": "text", "y/a.py": "text", marker: content})
    assert "y/a.py" in found_in(root)
    assert skipped_in(root)["x/"] == Skipped("x/", reason, ignored=True)


def test_a_cache_tag_without_its_signature_marks_nothing(tmp_path: Path) -> None:
    """The specification asks for the signature, so that a file of that name does no harm."""
    root = grow(tmp_path, {"x/CACHEDIR.TAG": "text", "x/a.py": "text", "y/CACHEDIR.TAG/": ""})
    assert found_in(root) == ["x/CACHEDIR.TAG", "x/a.py"]


def test_secrets_are_left_out_by_default(tmp_path: Path) -> None:
    """An index is made to be published; what is known to hold secrets needs to be asked for."""
    names = [".env", ".env.local", "id_rsa", "server.pem", "tls.key", ".netrc"]
    root = grow(tmp_path, dict.fromkeys([*names, ".env.example", "env.py"], "text"))
    assert found_in(root) == [".env.example", "env.py"]


def test_sizes_are_limited_and_a_pdf_may_be_larger(tmp_path: Path) -> None:
    """A file of just the limit is taken; one byte more is named with the limit."""
    root = grow(
        tmp_path,
        {"fits.txt": "x" * 1000, "large.txt": "x" * 1001, "book.pdf": b"%PDF-" + b"x" * 1500, "x.pdf": "x" * 9999},
    )
    rules = CrawlRules(max_bytes=1000, max_pdf_bytes=2000)
    assert found_in(root, rules) == ["book.pdf", "fits.txt"]
    assert skipped_in(root, rules) == {
        "large.txt": Skipped("large.txt", "larger than 1,000 bytes"),
        "x.pdf": Skipped("x.pdf", "larger than 2,000 bytes"),
    }


def test_binary_files_are_named(tmp_path: Path) -> None:
    """What holds NUL bytes is no text, unless a mark says that it is UTF-16."""
    root = grow(tmp_path, {"a.bin": b"a\0b", "wide.txt": "wide".encode("utf-16"), "late.bin": b"a" * 8191 + b"\0"})
    assert found_in(root) == ["wide.txt"]
    assert skipped_in(root)["a.bin"] == Skipped("a.bin", "binary")
    assert skipped_in(root)["late.bin"] == Skipped("late.bin", "binary")


def test_links_are_followed_to_files_inside_the_tree_only(tmp_path: Path) -> None:
    """Nothing outside the tree is read; loops end; each link that is not followed is named."""
    grow(tmp_path / "outside", {"secret.py": "text", "directory/a.py": "text"})
    root = grow(
        tmp_path / "root", {"real/a.py": "text", "real/deep/b.py": "text", ".git/config": "text", ".env": "text"}
    )
    for name, target in {
        "file.py": "real/a.py",
        "twice.py": "file.py",
        "broken.py": "missing.py",
        "self.py": "self.py",
        "secret.py": "../outside/secret.py",
        "directory": "../outside/directory",
        "absolute": str(tmp_path),
        "other": "real",
        "real/deep/loop": "../..",
        "config.txt": ".git/config",
        "environment": ".env",
    }.items():
        (root / name).symlink_to(target)
    assert found_in(root) == ["file.py", "real/a.py", "real/deep/b.py", "twice.py"]
    skipped = skipped_in(root)
    assert {path: item.reason for path, item in skipped.items() if not item.ignored} == {
        "absolute": "a link that leads out of the tree",
        "broken.py": "a link that leads nowhere",
        "directory": "a link that leads out of the tree",
        "other": "a link to another directory of the tree",
        "real/deep/loop": "a link that loops back",
        "secret.py": "a link that leads out of the tree",
        "self.py": "a link that leads nowhere",
    }
    assert skipped["config.txt"].ignored
    assert skipped["environment"].ignored


def test_a_root_that_is_a_link_is_followed(tmp_path: Path) -> None:
    """The root was named, so it may be anywhere; links inside it may lead to its real place."""
    grow(tmp_path / "real", {"a.py": "text"})
    (tmp_path / "real" / "b.py").symlink_to(tmp_path / "real" / "a.py")
    (tmp_path / "root").symlink_to("real")
    assert found_in(tmp_path / "root") == ["a.py", "b.py"]


def test_special_files_are_never_opened(tmp_path: Path) -> None:
    """Opening a fifo would wait for ever."""
    os.mkfifo(tmp_path / "fifo.py")
    (tmp_path / "link.py").symlink_to("fifo.py")
    assert skipped_in(tmp_path) == {name: Skipped(name, "not a regular file") for name in ("fifo.py", "link.py")}


def test_what_goes_away_under_the_walk_is_named(tmp_path: Path) -> None:
    """Directories and files that vanish between listing and looking are skipped, and the walk goes on."""
    root = grow(tmp_path, {"a.py": "text", "b/c.py": "text", "d.py": "text", "e.py": "text"})
    walk = crawl(root)
    assert next(walk) == Found(root / "a.py", "a.py", 4)
    shutil.rmtree(root / "b")
    (root / "d.py").unlink()
    os.mkfifo(root / "d.py.new")
    (root / "d.py.new").rename(root / "d.py")
    rest = list(walk)
    assert [item.relative for item in rest] == ["b/", "d.py", "e.py"]
    assert rest[0] == Skipped("b/", "can't be read: No such file or directory")
    assert rest[1] == Skipped("d.py", "can't be read: not a regular file")


def test_paths_that_are_too_long_for_the_system_are_named(tmp_path: Path) -> None:
    """A tree can be deeper than any path may be long; what is beyond is skipped, and the walk goes on."""
    grow(tmp_path, {"z.py": "text"})
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=here)
        below = os.open("d" * 250, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    items = list(crawl(tmp_path))
    assert items[-1] == Found(tmp_path / "z.py", "z.py", 4)
    assert [type(item) for item in items] == [Skipped, Found]
    assert items[0].relative.endswith("d/")
    assert isinstance(items[0], Skipped)
    assert items[0].reason.startswith("can't be read: ")


def test_a_directory_of_another_name_is_not_walked_twice(tmp_path: Path) -> None:
    """Moved while the walk is on, a directory would be met again; it is known by its identity."""
    root = grow(tmp_path, {"a/x.py": "text", "b/y.py": "text"})
    walk = crawl(root)
    assert next(walk).relative == "a/x.py"
    shutil.rmtree(root / "b")
    (root / "a").rename(root / "b")
    assert list(walk) == [Skipped("b/", "a directory met before under another name")]


def test_names_that_are_not_utf_8_are_named_readably(tmp_path: Path) -> None:
    """Such a path could not be stored or shown; the rest of the tree is taken."""
    root = grow(tmp_path, {"a.py": "text", "sub/": ""})
    Path(os.fsdecode(os.fsencode(root / "sub") + b"/caf\xe9.py")).write_text("text", encoding="utf-8")
    assert found_in(root) == ["a.py"]
    assert skipped_in(root) == {"sub/caf\\xe9.py": Skipped("sub/caf\\xe9.py", "its name is not valid UTF-8")}


def test_an_ignore_file_that_cant_be_used_is_named(tmp_path: Path) -> None:
    """Rules that were meant to hold and do not are worth knowing of. Git too refuses links here."""
    root = grow(tmp_path, {"rules": "*.py\n", "a.py": "text"})
    (root / ".gitignore").symlink_to("rules")
    assert found_in(root) == ["a.py", "rules"]
    assert skipped_in(root)[".gitignore"].reason == "can't be read: an ignore file must not be a link"


def test_a_root_may_be_one_file(tmp_path: Path) -> None:
    """Naming a file outranks every pattern; its content is judged all the same."""
    root = grow(tmp_path, {".gitignore": "*", "a.py": "text", "a.bin": b"\0"})
    assert list(crawl(root / "a.py", CrawlRules(exclude=("*.py",)))) == [Found(root / "a.py", "a.py", 4)]
    assert list(crawl(root / "a.bin")) == [Skipped("a.bin", "binary")]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("missing", "tree_missing"),
        ("file/below", "tree_missing"),
        ("fifo", "tree_unsupported"),
        ("loop", "tree_unreadable"),
    ],
)
def test_a_root_that_is_no_tree_is_refused_at_once(tmp_path: Path, name: str, code: str) -> None:
    """Before anything is asked of the walk, with what to do about it."""
    grow(tmp_path, {"file": "text"})
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(IngestError) as caught:
        crawl(tmp_path / name)
    assert caught.value.code == code
    assert caught.value.asset == str(tmp_path / name)


def test_an_empty_tree_gives_nothing(tmp_path: Path) -> None:
    """No files is no error here: the caller knows whether it is one."""
    assert list(crawl(tmp_path)) == []
