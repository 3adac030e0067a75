"""What is particular to file:// addresses."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pycontextify.errors import PermanentFetchError
from pycontextify.hydration.local import LocalFiles, path_of_file_url
from pycontextify.hydration.transport import Download
from pycontextify.hydration.workers import Workers


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
    """Nothing is written either."""
    with pytest.raises(PermanentFetchError) as caught:
        await LocalFiles(workers).download(Download("a", tmp_path.as_uri()), tmp_path / "a", lambda _: None)
    assert caught.value.code in ("file_not_regular", "file_unreadable")
    assert not (tmp_path / "a").exists()


async def test_a_path_that_cannot_be_is_unreadable(workers: Workers) -> None:
    """A NUL in it, say."""
    with pytest.raises(PermanentFetchError) as caught:
        await LocalFiles(workers).read("file:///a%00b", limit=1)
    assert caught.value.code == "file_unreadable"


if sys.platform != "win32":

    async def test_a_fifo_is_no_asset_and_nobody_waits_for_it(workers: Workers, tmp_path: Path) -> None:
        """No writer will ever come."""
        os.mkfifo(tmp_path / "fifo")
        with pytest.raises(PermanentFetchError) as caught:
            await LocalFiles(workers).read((tmp_path / "fifo").as_uri(), limit=1)
        assert caught.value.code == "file_not_regular"

    def test_another_machine_is_refused() -> None:
        """There are no network shares in addresses here."""
        with pytest.raises(PermanentFetchError) as caught:
            path_of_file_url("file://server/share/a")
        assert caught.value.code == "url_invalid"
