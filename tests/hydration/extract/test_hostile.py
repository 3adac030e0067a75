"""Every hostile archive is refused whole, for its own reason, and leaves nothing behind."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from pycontextify.errors import ExtractError
from pycontextify.hydration.extract import extract
from tests.hostile.case import NAME, Case
from tests.hostile.packed import OTHERS, PACKED
from tests.hostile.tars import TARS
from tests.hostile.zips import ZIPS

CASES = (*TARS, *PACKED, *ZIPS, *OTHERS)
MEMORY = 64 * 1024 * 1024


def tree(root: Path) -> dict[str, bytes | None]:
    """What is below a directory: files with their bytes, directories with None."""
    return {str(path.relative_to(root)): path.read_bytes() if path.is_file() else None for path in root.rglob("*")}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_is_refused(case: Case, tmp_path: Path) -> None:
    """With its code, a message of one line that names the archive, and the file system as it was before."""
    archive, staging = tmp_path / case.file_name, tmp_path / "staging"
    archive.write_bytes(case.build())
    staging.mkdir()
    before = tree(tmp_path)
    with pytest.raises(ExtractError) as caught:
        extract(archive, staging, name=NAME, file_name=case.file_name)
    assert caught.value.code == case.code, str(caught.value)
    assert caught.value.asset == case.file_name
    assert str(caught.value).isprintable()
    assert tree(tmp_path) == before


@pytest.mark.parametrize("case", [case for case in CASES if case.code == "archive_bomb"], ids=str)
def test_a_bomb_takes_no_memory(case: Case, tmp_path: Path) -> None:
    """What it unpacks to passes through a buffer."""
    archive, staging = tmp_path / case.file_name, tmp_path / "staging"
    archive.write_bytes(case.build())
    staging.mkdir()
    tracemalloc.start()
    try:
        with pytest.raises(ExtractError):
            extract(archive, staging, name=NAME)
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()
