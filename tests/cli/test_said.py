"""Reports in words."""

from __future__ import annotations

from pycontextify.cli.said import indexed, previewed
from pycontextify.ingest.report import IndexReport, SkippedFile
from pycontextify.library.preview import Preview
from pycontextify.snapshot.digest import digest_of

SKIPPED = tuple(SkippedFile(f"{number:02d}.bin", "binary") for number in range(13))


def test_ten_skipped_files_are_named() -> None:
    """The others are counted, with where to find them."""
    report = IndexReport(
        generation=digest_of(b""),
        version=1,
        changed=True,
        documents=5,
        chunks=9,
        added=1,
        updated=2,
        unchanged=3,
        removed=4,
        ignored=6,
        skipped=SKIPPED,
        seconds=1.25,
    )
    lines = indexed("src", report)
    assert lines[0] == "src: 1 added, 2 updated, 3 unchanged, 4 removed, 6 ignored, 13 skipped (1.2 s)"
    assert lines[1] == "  skipped 00.bin: binary"
    assert lines[-1] == "  and 3 more; --json names them all"
    assert len(lines) == 12


def test_a_preview_names_every_file_on_a_line_of_its_own() -> None:
    """Whatever its name is made of."""
    lines = previewed("src", Preview(files=("a.py", "b\n.py"), size=1_500, skipped=(), ignored=2))
    assert lines == ["a.py", "b\\n.py", "src: would index 2 files, 1.5 kB; 2 ignored, 0 skipped"]
