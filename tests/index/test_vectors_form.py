"""The form of a vectors file is gone through before FAISS sees it: what is not ours to the byte never gets that far."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from struct import pack
from typing import Any

import faiss
import numpy as np
import pytest

from pycontextify.errors import ValidateError
from pycontextify.index.vectors import Vectors, _limited
from pycontextify.index.vectors_form import check_form
from tests.index.made import inverted_file, unit_vectors, vectors_file

ROWS, DIMENSION, LISTS = 40, 4, 8
HEAD, QUANTIZER = 37, 36
CENTROIDS = HEAD + 16 + HEAD
LATER = CENTROIDS + 8 + LISTS * DIMENSION * 4
"""Where, in an inverted file, what follows the centroids begins."""
INVERTED_LISTS = LATER + 9 + QUANTIZER + 9


@pytest.fixture
def flat(tmp_path: Path) -> bytes:
    """A flat index."""
    return vectors_file(tmp_path, unit_vectors(ROWS, DIMENSION)).read_bytes()


@pytest.fixture
def inverted() -> bytes:
    """An inverted file."""
    return inverted_file(ROWS, DIMENSION, LISTS)


def _code(directory: Path, content: bytes) -> str:
    """Return the code of the error that a file is refused with; nothing when it is taken."""
    path = directory / "other"
    path.write_bytes(content)
    try:
        check_form(path)
    except ValidateError as error:
        return error.code if error.hint and error.asset == "other" else "says too little"
    return ""


def _written(content: bytes, at: int, form: str, *values: Any) -> bytes:
    """Return content with packed values over what is at a place."""
    piece = pack(form, *values)
    return content[:at] + piece + content[at + len(piece) :]


def test_what_is_written_is_of_the_form(tmp_path: Path, flat: bytes, inverted: bytes, many: Path) -> None:
    """Flat or inverted, large, empty, or with lists that are mostly empty, which FAISS writes another way."""
    sparse = inverted_file(4, DIMENSION, 16)
    assert b"full" in inverted
    assert b"sprs" in sparse
    check_form(many)
    for content in (flat, inverted, sparse, vectors_file(tmp_path, np.empty((0, 8), np.float32)).read_bytes()):
        assert _code(tmp_path, content) == ""


def test_a_file_cut_anywhere_is_refused(tmp_path: Path, flat: bytes, inverted: bytes) -> None:
    """At every byte: FAISS 1.15.1 by itself reads beyond the end of many of these, and dies."""
    for content in (flat, inverted):
        for length in range(len(content)):
            assert _code(tmp_path, content[:length]) == "vectors_unreadable", length


def test_a_file_that_goes_on_is_refused(tmp_path: Path, flat: bytes, inverted: bytes) -> None:
    """One byte, or a second index."""
    for content in (flat, inverted):
        for more in (b"\0", content):
            assert _code(tmp_path, content + more) == "vectors_unreadable"


FLAT: dict[str, tuple[int, str, Sequence[Any], str]] = {
    "another kind": (0, "<4s", [b"IxF2"], "vectors_kind"),
    "dimension 0": (4, "<i", [0], "vectors_unreadable"),
    "dimension below 0": (4, "<i", [-4], "vectors_unreadable"),
    "dimension 2^20 + 1": (4, "<i", [(1 << 20) + 1], "vectors_unreadable"),
    "rows that wrap around": (8, "<q", [ROWS + (1 << 61)], "vectors_unreadable"),
    "rows below 0": (8, "<q", [-1], "vectors_unreadable"),
    "not trained": (32, "<B", [0], "vectors_unreadable"),
    "trained twice": (32, "<B", [2], "vectors_unreadable"),
    "L2": (33, "<i", [1], "vectors_kind"),
    "8 bits": (HEAD, "<i", [0], "vectors_kind"),
    "another dimension of codes": (HEAD + 12, "<Q", [5], "vectors_unreadable"),
    "longer codes": (HEAD + 20, "<Q", [16], "vectors_unreadable"),
    "something learned": (HEAD + 28, "<Q", [1], "vectors_unreadable"),
    "fewer codes": (HEAD + QUANTIZER, "<Q", [ROWS * 8 - 1], "vectors_unreadable"),
}
INVERTED: dict[str, tuple[int, str, Sequence[Any], str]] = {
    "no lists": (HEAD, "<Q", [0], "vectors_unreadable"),
    "2^62 lists": (HEAD, "<Q", [1 << 62], "vectors_unreadable"),
    "more rows than there are": (8, "<q", [ROWS + 1], "vectors_unreadable"),
    "centroids in a graph": (HEAD + 16, "<4s", [b"IHNf"], "vectors_kind"),
    "centroids in another file": (HEAD + 16, "<4s", [b"IwSq"], "vectors_kind"),
    "centroids of L2": (HEAD + 16 + 33, "<i", [1], "vectors_kind"),
    "centroids of another dimension": (HEAD + 20, "<i", [8], "vectors_unreadable"),
    "more centroids than lists": (HEAD + 24, "<q", [LISTS + 1], "vectors_unreadable"),
    "fewer numbers of centroids": (CENTROIDS, "<Q", [LISTS * DIMENSION - 1], "vectors_unreadable"),
    "a direct map": (LATER, "<B", [1], "vectors_unreadable"),
    "a direct map of 2^60": (LATER + 1, "<Q", [1 << 60], "vectors_unreadable"),
    "lists of 8 bits": (LATER + 9, "<i", [0], "vectors_kind"),
    "longer codes": (LATER + 9 + QUANTIZER, "<Q", [16], "vectors_unreadable"),
    "residuals": (LATER + 9 + QUANTIZER + 8, "<B", [1], "vectors_kind"),
    "lists in another file": (INVERTED_LISTS, "<4s", [b"ilod"], "vectors_kind"),
    "no lists stored": (INVERTED_LISTS, "<4s", [b"il00"], "vectors_kind"),
    "fewer lists stored": (INVERTED_LISTS + 4, "<Q", [LISTS - 1], "vectors_unreadable"),
    "longer codes stored": (INVERTED_LISTS + 12, "<Q", [16], "vectors_unreadable"),
    "sizes in another way": (INVERTED_LISTS + 20, "<4s", [b"more"], "vectors_unreadable"),
    "fewer sizes": (INVERTED_LISTS + 24, "<Q", [LISTS - 1], "vectors_unreadable"),
    "2^61 sizes": (INVERTED_LISTS + 24, "<Q", [1 << 61], "vectors_unreadable"),
    "sizes that wrap around": (INVERTED_LISTS + 32, "<QQ", [1 << 63, (1 << 63) + 9], "vectors_unreadable"),
}
SPARSE = {
    "a list that there is not": ("<Q", [16]),
    "a list twice": ("<QQQ", [0, 2, 0]),
    "more rows than there are": ("<QQ", [0, 1 << 63]),
}


@pytest.mark.parametrize("change", FLAT)
def test_a_flat_index_that_is_not_ours_is_refused(tmp_path: Path, flat: bytes, change: str) -> None:
    """Each field of it that means anything."""
    at, form, values, code = FLAT[change]
    assert _code(tmp_path, _written(flat, at, form, *values)) == code


@pytest.mark.parametrize("change", INVERTED)
def test_an_inverted_file_that_is_not_ours_is_refused(tmp_path: Path, inverted: bytes, change: str) -> None:
    """Each field of it that means anything."""
    at, form, values, code = INVERTED[change]
    assert _code(tmp_path, _written(inverted, at, form, *values)) == code


@pytest.mark.parametrize("change", SPARSE)
def test_sparse_sizes_that_do_not_fit_are_refused(tmp_path: Path, change: str) -> None:
    """Where most lists are empty, only the others are listed."""
    content = inverted_file(4, DIMENSION, 16)
    form, values = SPARSE[change]
    at = content.index(b"sprs") + 12
    assert _code(tmp_path, _written(content, at, form, *values)) == "vectors_unreadable"


def test_more_lists_than_rows_call_for_are_refused(tmp_path: Path) -> None:
    """Each costs memory, though it be empty."""
    assert _code(tmp_path, inverted_file(16, 1, 64)) == ""
    assert _code(tmp_path, inverted_file(15, 1, 64)) == "vectors_unreadable"


@pytest.mark.skipif(os.name != "posix", reason="a pipe with a name")
def test_no_other_file_is_opened(tmp_path: Path, inverted: bytes) -> None:
    """Lists may be said to lie in any file; one that can't be opened without waiting for ever is not opened."""
    os.mkfifo(tmp_path / "pipe")
    name = os.fsencode(tmp_path / "pipe")
    lists = pack("<4sQQQQ", b"ilod", LISTS, DIMENSION * 2, 0, 0) + pack("<Q", len(name)) + name + bytes(8)
    path = tmp_path / "vectors"
    path.write_bytes(inverted[:INVERTED_LISTS] + lists)
    with pytest.raises(ValidateError) as caught:
        Vectors.open(path)
    assert caught.value.code == "vectors_kind"


def _limits() -> tuple[int, int, int]:
    return (
        faiss.get_deserialization_vector_byte_limit(),
        faiss.get_deserialization_loop_limit(),
        faiss.get_deserialization_lattice_r2_limit(),
    )


def test_faiss_is_held_to_the_size_of_the_file(tmp_path: Path, flat: bytes) -> None:
    """While it reads, and no longer: others in this process may read what they like. A refusal changes nothing."""
    before = _limits()
    with suppress(RuntimeError), _limited(1000):
        assert _limits() == (1000, 250, 1)
        raise RuntimeError
    assert _limits() == before
    path = tmp_path / "vectors"
    Vectors.open(path).close()
    assert _limits() == before
    path.write_bytes(flat[:25])
    with pytest.raises(ValidateError):
        Vectors.open(path)
    assert _limits() == before


def _with_rows(content: bytes, rows: Sequence[int]) -> bytes:
    """Return an inverted file whose last list, at its end, has these row numbers last."""
    return _written(content, len(content) - 8 * len(rows), f"<{len(rows)}q", *rows)


@pytest.mark.parametrize("row", [-1, ROWS, 1 << 62, "the row before"])
def test_an_inverted_file_that_lacks_a_row_is_incoherent(tmp_path: Path, inverted: bytes, row: int | str) -> None:
    """Each row must be in it once: one that is said to be another one is missing, or there are two of it."""
    path = tmp_path / "vectors"
    number = int.from_bytes(inverted[-16:-8], "little") if isinstance(row, str) else row
    path.write_bytes(_with_rows(inverted, [number]))
    opened = Vectors.open(path)
    with pytest.raises(ValidateError) as caught:
        opened.check()
    assert caught.value.code == "vectors_incoherent"
    assert caught.value.hint
    opened.close()


def test_centroids_must_be_numbers(tmp_path: Path, inverted: bytes) -> None:
    """Nothing is near to one that is not: its rows would be found by none, not even where all are looked at."""
    path = tmp_path / "vectors"
    path.write_bytes(_written(inverted, CENTROIDS + 8, "<f", float("nan")))
    opened = Vectors.open(path)
    with pytest.raises(ValidateError):
        opened.check()
    opened.close()


def test_what_is_written_is_coherent(tmp_path: Path, flat: bytes, inverted: bytes, many: Path) -> None:
    """Flat or inverted."""
    (tmp_path / "flat").write_bytes(flat)
    (tmp_path / "inverted").write_bytes(inverted)
    for path in (tmp_path / "flat", tmp_path / "inverted", many):
        opened = Vectors.open(path)
        opened.check()
        opened.close()
