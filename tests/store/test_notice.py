"""What a hydrating process tells the others: for people, never trusted."""

from __future__ import annotations

from pathlib import Path

import pytest

from pycontextify.store.notice import post, posted, take_down


def test_what_is_posted_is_read_until_it_is_taken_down(tmp_path: Path) -> None:
    """The latest counts, and nothing else stays in the directory."""
    file = tmp_path / "hydrating.json"
    assert posted(file) == {}
    for done in (1, 2):
        post(file, {"state": "fetching", "bytes_done": done})
    assert posted(file) == {"state": "fetching", "bytes_done": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["hydrating.json"]
    take_down(file)
    take_down(file)
    assert posted(file) == {}


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"null", b"\xff\xfe", b'{"a": "' + b"x" * 100_000 + b'"}'])
def test_rubbish_says_nothing(tmp_path: Path, content: bytes) -> None:
    """A torn file, a foreign one, an endless one."""
    file = tmp_path / "hydrating.json"
    file.write_bytes(content)
    assert posted(file) == {}


def test_where_nothing_can_be_written_nobody_is_told(tmp_path: Path) -> None:
    """No directory, or a directory in its place: hydration goes on."""
    (tmp_path / "taken").mkdir()
    for file in (tmp_path / "nowhere" / "hydrating.json", tmp_path / "taken"):
        post(file, {"state": "fetching"})
        assert posted(file) == {}
        take_down(file)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
