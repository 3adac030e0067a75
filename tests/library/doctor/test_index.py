"""The doctor: finds what is wrong, and sets aside what has rotted."""

from __future__ import annotations

import pytest

from pycontextify.library.doctor.index import examine, set_aside
from pycontextify.snapshot.history import CURRENT, RECOVERED
from pycontextify.store.layout import Layout
from tests.library.conftest import Library


def harm(layout: Layout, how: str) -> None:
    """Harm the blob that only the current generation has, or something else."""
    current = layout.refs().refs[CURRENT]
    path = layout.blob_path(layout.config(current.digest).segments[1].chunks)
    match how:
        case "missing":
            path.unlink()
        case "size":
            path.write_bytes(b"short")
        case "rotten":
            path.write_bytes(b"\0" * path.stat().st_size)
        case "index.json":
            (layout.root / "index.json").write_bytes(b"{")
        case "recovered":
            layout.activate(current.digest, {RECOVERED: "a blob was missing"})
        case _:
            rotten = layout.add_bytes(b"needed by nobody")
            layout.blob_path(rotten).write_bytes(b"needed by Nobody")


def codes(library: Library, *, deep: bool) -> list[str]:
    """The codes of what is found."""
    return [finding.code for finding in examine(library.workspace(), deep=deep)]


def test_a_sound_index_has_no_findings(library: Library) -> None:
    """Neither at first sight nor at a second, and looking changes nothing."""
    layout = library.workspace().layout
    library.make(layout, 1)
    before = {path: path.stat().st_mtime_ns for path in layout.root.rglob("*") if path.is_file()}
    assert codes(library, deep=False) == codes(library, deep=True) == []
    assert {path: path.stat().st_mtime_ns for path in layout.root.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("how", "shallow", "deep"),
    [
        ("missing", ["blob_missing"], ["blob_missing"]),
        ("size", ["blob_size"], ["blob_size"]),
        ("index.json", ["index_json_invalid"], ["index_json_invalid"]),
        ("recovered", ["index_recovered"], ["index_recovered"]),
        ("stray", [], ["blob_rotten"]),
    ],
)
def test_what_is_wrong_is_found(library: Library, how: str, shallow: list[str], deep: list[str]) -> None:
    """With a code, and what to do about it."""
    layout = library.workspace().layout
    library.make(layout, 1)
    harm(layout, how)
    assert codes(library, deep=False) == shallow
    assert codes(library, deep=True) == deep
    assert all(finding.hint for finding in examine(library.workspace(), deep=True))


def test_rot_is_found_by_reading(library: Library) -> None:
    """And named by what the blob is for."""
    layout = library.workspace().layout
    library.make(layout, 1)
    harm(layout, "rotten")
    (finding,) = examine(library.workspace(), deep=True)
    assert finding.code == "blob_rotten"
    assert "(segment 2 chunks) has other bytes than it should" in finding.what


def test_what_is_whole_and_can_not_be_opened_is_found(library: Library) -> None:
    """A config of another schema, say: no blob is wrong."""
    layout = library.workspace().layout
    generation = library.make(layout, 1)
    manifest = layout.manifest(generation)
    config = layout.add_bytes(layout.read(manifest.config.digest).replace(b'"schema":', b'"scheme":'))
    changed = manifest.to_bytes().replace(manifest.config.digest.encode(), config.encode())
    layout.activate(layout.add_bytes(changed))
    assert len(codes(library, deep=True)) == 1


def test_an_empty_directory_is_no_index(library: Library) -> None:
    """And is not made."""
    assert codes(library, deep=True) == ["index_empty"]
    assert not library.workspace().layout.root.exists()


@pytest.mark.parametrize("how", ["rotten", "size", "stray"])
def test_what_has_wrong_bytes_is_set_aside_alone(library: Library, how: str) -> None:
    """Every other blob stays, and what is told is what was moved."""
    layout = library.workspace().layout
    library.make(layout, 1)
    harm(layout, how)
    before = {path.name for path in layout.blob_files()}
    found = examine(library.workspace(), deep=True)
    (finding,) = set_aside(library.workspace(), found)
    (aside,) = layout.quarantine.iterdir()
    assert before - {path.name for path in layout.blob_files()} == {aside.name.split(".")[0]}
    assert finding.code in ("blob_rotten", "blob_size")
    assert set_aside(library.workspace(), found) == (), "what is gone meanwhile is passed over"


def test_what_is_missing_is_not_set_aside(library: Library) -> None:
    """There is nothing to move."""
    layout = library.workspace().layout
    library.make(layout, 1)
    harm(layout, "missing")
    assert set_aside(library.workspace(), examine(library.workspace(), deep=True)) == ()
