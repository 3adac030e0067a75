"""What is particular to file:// addresses."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pycontextify.errors import PermanentFetchError
from pycontextify.hydration.transfer.local import LocalFiles, path_of_file_url
from pycontextify.hydration.transfer.ranges import Span
from pycontextify.hydration.transfer.transport import Ask, RangeRefused
from pycontextify.hydration.workers import Workers


async def body(workers: Workers, url: str, span: Span | None = None) -> bytes:
    """Return the whole body that answers an ask."""
    pieces: list[bytes] = []
    async with LocalFiles(workers).open(Ask(url, span)) as reply:
        while piece := await reply.read():
            pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.parametrize(("span", "expected"), [(Span(2), b"cdef"), (Span(2, 4), b"cd"), (Span(4, 99), b"ef")])
async def test_a_range_of_a_file(workers: Workers, tmp_path: Path, span: Span, expected: bytes) -> None:
    """As over HTTP: from here to there, or to the end."""
    (tmp_path / "a").write_bytes(b"abcdef")
    assert await body(workers, (tmp_path / "a").as_uri(), span) == expected


async def test_a_range_beyond_the_end_is_refused(workers: Workers, tmp_path: Path) -> None:
    """There are no such bytes."""
    (tmp_path / "a").write_bytes(b"abcdef")
    with pytest.raises(RangeRefused):
        await body(workers, (tmp_path / "a").as_uri(), Span(6))


@pytest.mark.parametrize("name", ["plain", "with space", "pünktlich", "100%", "a#b", "a?b", "a+b"])
def test_addresses_and_paths_are_inverse(tmp_path: Path, name: str) -> None:
    """Whatever is quoted comes back."""
    assert path_of_file_url((tmp_path / name).as_uri()) == tmp_path / name


def test_localhost_is_this_machine(tmp_path: Path) -> None:
    """RFC 8089 says so."""
    assert path_of_file_url(tmp_path.as_uri().replace("file://", "file://localhost")) == tmp_path


@pytest.mark.parametrize("url", ["http://host/a", "file:///a?b=c"])
def test_other_addresses_are_refused(url: str) -> None:
    """Another scheme, or a query that would be lost."""
    with pytest.raises(PermanentFetchError) as caught:
        path_of_file_url(url)
    assert caught.value.code == "url_invalid"


async def test_a_directory_is_no_asset(workers: Workers, tmp_path: Path) -> None:
    """On no system."""
    with pytest.raises(PermanentFetchError) as caught:
        await body(workers, tmp_path.as_uri())
    assert caught.value.code in ("file_not_regular", "file_unreadable")


async def test_a_path_that_cannot_be_is_unreadable(workers: Workers) -> None:
    """A NUL in it, say."""
    with pytest.raises(PermanentFetchError) as caught:
        await body(workers, "file:///a%00b")
    assert caught.value.code == "file_unreadable"


if sys.platform != "win32":

    async def test_a_fifo_is_no_asset_and_nobody_waits_for_it(workers: Workers, tmp_path: Path) -> None:
        """No writer will ever come."""
        os.mkfifo(tmp_path / "fifo")
        with pytest.raises(PermanentFetchError) as caught:
            await body(workers, (tmp_path / "fifo").as_uri())
        assert caught.value.code == "file_not_regular"

    def test_another_machine_is_refused() -> None:
        """There are no network shares in addresses here."""
        with pytest.raises(PermanentFetchError) as caught:
            path_of_file_url("file://server/share/a")
        assert caught.value.code == "url_invalid"
