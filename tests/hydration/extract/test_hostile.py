"""Every hostile archive is refused whole, for its own reason, within bounds, and leaves nothing behind."""

from __future__ import annotations

import stat
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.hostile.case import Case
from tests.hostile.corpus import CASES

if sys.platform == "win32":
    pytest.skip("Windows can neither fork nor bound a process", allow_module_level=True)

from tests.hostile.jail import MEMORY, SECONDS, Jail, jail

Record = Callable[[str, object], None]


def tree(root: Path) -> dict[str, tuple[int, bytes | str | None]]:
    """What is below a directory: modes, with the bytes of files and the targets of links, none of which is followed."""
    found: dict[str, tuple[int, bytes | str | None]] = {}
    for path in (root, *root.rglob("*")):
        mode = path.lstat().st_mode
        content = path.read_bytes() if stat.S_ISREG(mode) else str(path.readlink()) if stat.S_ISLNK(mode) else None
        found[str(path.relative_to(root))] = (mode, content)
    return found


@pytest.fixture(scope="module")
def cell() -> Iterator[Jail]:
    """Where archives are extracted."""
    with jail() as cell:
        yield cell


def test_there_are_many_kinds(record_property: Record) -> None:
    """Each has a name of its own, and both formats have their share."""
    record_property("hostile archives", len(CASES))
    assert max(Counter(map(str, CASES)).values()) == 1
    assert len([case for case in CASES if case.file_name == "a.zip"]) >= 40
    assert len([case for case in CASES if case.file_name != "a.zip"]) >= 40
    assert len({case.code for case in CASES}) >= 15


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_is_refused(case: Case, cell: Jail, tmp_path: Path, record_property: Record) -> None:
    """With its code, a message of one line that names the archive, and everything around as it was before.

    In a process that is killed after 5 s of work, and gets no more than 256 MiB.
    """
    outside, staging = tmp_path / "outside", tmp_path / "work" / "staging"
    staging.mkdir(parents=True)
    outside.mkdir()
    (tmp_path / "link").symlink_to(outside, target_is_directory=True)
    archive = tmp_path / "work" / case.file_name
    archive.write_bytes(case.build())
    before = tree(tmp_path)
    verdict = cell.extract(archive, staging)
    if verdict.seconds >= SECONDS:  # of the clock: what other work the machine does counts as well
        verdict = cell.extract(archive, staging)
    assert (verdict.type, verdict.code) == ("ExtractError", case.code), verdict.message
    assert verdict.asset == case.file_name
    assert verdict.message.isprintable()
    assert tree(tmp_path) == before
    assert verdict.memory < MEMORY
    assert verdict.seconds < SECONDS
    record_property("took", f"{verdict.cpu:.3f} s, {verdict.memory / 1024 / 1024:.0f} MiB")
