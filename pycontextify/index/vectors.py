"""The vectors of a segment: the one module that knows FAISS.

Vectors are stored as fp16 (``SQfp16``: half of float32's bytes, recall@10 1.000 measured) and searched by inner
product, which for unit vectors is the cosine. A flat index is exact; above `IVF_ROWS` rows an inverted file takes over.
Files are mapped, never read: opening costs no memory, and a mapped file must not be written to while it is open.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np

from pycontextify.errors import StoreError, ValidateError
from pycontextify.index.vectors_form import check_form

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["IVF_ROWS", "Vectors", "write_vectors"]

IVF_ROWS = 50_000
"""Segments with more rows get an inverted file (measured at 100,000 rows: 3.4 ms a query instead of 9.4 ms)."""

_LEAST_PROBED = 256
_PROBED_SHARE = 1 / 32
"""Which of an inverted file's lists a search looks into: recall@10 0.99 of vectors that the encoder really made.

A share alone would be too few of a small file's lists, or too many of a large one's: docs/adr/0021.
"""
_TRAIN_ROWS_PER_LIST = 40
"""Rows that k-means learns from. FAISS warns below 39; 64 took longer, and nothing more was found: docs/adr/0021."""
_ROUNDS = 6
"""Rounds of k-means. Ten, FAISS's own number, take two thirds longer and find no more: docs/adr/0021."""
_SEED = 1234
_LEAST_LIST_BYTES = 4
"""What one list of an inverted file takes at least: its centroid, of one dimension."""

# FAISS adds keyword arguments to these when it is imported, unseen by its type stubs.
_PARAMETERS: Any = faiss.SearchParameters
_PARAMETERS_IVF: Any = faiss.SearchParametersIVF
_downcast: Any = faiss.downcast_InvertedLists
_downcast_index: Any = faiss.downcast_index
_CallbackWriter: Any = faiss.PyCallbackIOWriter  # type: ignore[attr-defined]  # missing in its stubs

_LIMITS = (
    (faiss.get_deserialization_vector_byte_limit, faiss.set_deserialization_vector_byte_limit),
    (faiss.get_deserialization_loop_limit, faiss.set_deserialization_loop_limit),
    (faiss.get_deserialization_lattice_r2_limit, faiss.set_deserialization_lattice_r2_limit),
)
_READ_LIMITS = threading.Lock()
"""FAISS guards against files that promise more than they hold by limits that are process-wide: one reader at a time."""


def write_vectors(vectors: NDArray[np.float32], path: Path) -> None:
    """Write an (n, dimension) array of unit vectors as a FAISS index file.

    Row i of the array is row i of the index. The same array gives the same bytes.

    Raises OSError when the disk does not take them.
    """
    rows, dimension = vectors.shape
    with _leaving_a_processor():
        index = _inverted_file(vectors) if rows > IVF_ROWS else _flat(dimension)
        if rows:
            index.add(np.ascontiguousarray(vectors))
    # FAISS's own writer only prints it when the disk turns out to be full as the file is closed.
    with path.open("wb") as file:
        faiss.write_index(index, _CallbackWriter(file.write))


@contextmanager
def _leaving_a_processor() -> Iterator[None]:
    """Have FAISS use all processors but one on this thread: a segment's chunks are written beside its vectors.

    OpenMP's threads spin while they wait for one that has no processor: docs/adr/0021.
    """
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(max(1, threads - 1))
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)


def _flat(dimension: int) -> Any:
    index = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    index.is_trained = True  # fp16 has nothing to learn
    return index


def _inverted_file(vectors: NDArray[np.float32]) -> Any:
    rows, dimension = vectors.shape
    lists = 2 ** round(math.log2(4 * math.sqrt(rows)))
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dimension),
        dimension,
        lists,
        faiss.ScalarQuantizer.QT_fp16,
        faiss.METRIC_INNER_PRODUCT,
    )
    index.by_residual = False  # codes stay plain fp16, as exact as the flat index's
    index.cp.seed, index.cp.niter = _SEED, _ROUNDS
    sample = min(rows, lists * _TRAIN_ROWS_PER_LIST)
    chosen = np.random.default_rng(_SEED).choice(rows, size=sample, replace=False)
    index.train(np.ascontiguousarray(vectors[np.sort(chosen)]))
    return index


class Vectors:
    """An open vectors file. Searching is thread safe; `close` is for when nobody searches any more."""

    def __init__(self, index: Any) -> None:
        self._index = index

    @classmethod
    def open(cls, path: Path) -> Vectors:
        """Map a vectors file.

        Raises ValidateError for anything but a file that `write_vectors` could have made.
        """
        try:
            check_form(path)
            index = _read(path)
        except OSError as error:
            raise StoreError(
                f"the vectors file can't be opened ({error.strerror})",
                code="blob_missing",
                asset=path.name,
                hint="hydrate again, or rebuild with `pycontextify index`",
            ) from error
        except (RuntimeError, MemoryError) as error:
            raise ValidateError(
                "the vectors file is damaged or of no kind this version reads",
                code="vectors_unreadable",
                asset=path.name,
                hint="publish or hydrate the index again",
            ) from error
        _check_kind(index, path.name)
        return cls(index)

    @property
    def rows(self) -> int:
        """How many vectors there are."""
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        """The length of each vector."""
        return int(self._index.d)

    def search(
        self,
        query: NDArray[np.float32],
        limit: int,
        *,
        allowed: NDArray[np.bool_] | None = None,
        deleted: NDArray[np.bool_] | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return the scores, float32 (k,), and rows, int64 (k,), nearest to ``query``, float32 (dimension,).

        Best first; k is at most ``limit``. ``allowed`` and ``deleted`` are masks, bool (rows,). With ``allowed`` every
        allowed row is considered: an inverted file is then searched whole, so that a filter never hides an answer.
        """
        mask = _combine(allowed, deleted)
        wanted = min(limit, self.rows if mask is None else int(mask.sum()))
        if wanted <= 0:
            return np.empty(0, np.float32), np.empty(0, np.int64)
        # One OpenMP thread a query: measured 2.6 times less CPU and better latency under load than one a core.
        # The setting belongs to the calling thread, so it is set here.
        faiss.omp_set_num_threads(1)
        # The bitmap must outlive the search: the selector only points to it.
        bitmap = None if mask is None else np.packbits(mask, bitorder="little")
        parameters = self._parameters(bitmap, whole=allowed is not None)
        scores, rows = self._index.search(query.reshape(1, -1), wanted, params=parameters)
        # Files come from elsewhere: one may number its rows beyond its count, or hold what is no number.
        found = (rows[0] >= 0) & (rows[0] < self.rows) & np.isfinite(scores[0])
        return scores[0][found], rows[0][found]

    def reconstruct(self, first: int, count: int) -> NDArray[np.float32]:
        """Return rows ``first`` … ``first + count - 1`` as float32 (count, dimension)."""
        return np.asarray(self._index.reconstruct_n(first, count), dtype=np.float32)

    def check(self) -> None:
        """Check what every search takes for granted, beyond what opening does; nothing to do for a flat index.

        Raises ValidateError when an inverted file does not hold each row once, or has centroids that nothing is near.
        """
        if not isinstance(self._index, faiss.IndexIVF):
            return
        lists, quantizer = _downcast(self._index.invlists), _downcast_index(self._index.quantizer)
        centroids = faiss.rev_swig_ptr(quantizer.get_xb(), quantizer.ntotal * quantizer.d)
        seen = np.zeros(self.rows, dtype=bool)
        for number in range(lists.nlist):
            if size := lists.list_size(number):
                rows = faiss.rev_swig_ptr(lists.get_ids(number), size)
                seen[rows[(rows >= 0) & (rows < self.rows)]] = True
        # There are as many numbers as rows: all rows are seen only when each is seen once.
        if not (seen.all() and np.isfinite(centroids).all()):
            raise ValidateError(
                "an inverted file does not hold each of its rows once",
                code="vectors_incoherent",
                hint="publish or hydrate the index again",
            )

    def _parameters(self, bitmap: NDArray[np.uint8] | None, *, whole: bool) -> Any:
        # Its size is in bytes; what lies beyond is not selected.
        selector = None if bitmap is None else faiss.IDSelectorBitmap(len(bitmap), faiss.swig_ptr(bitmap))
        if isinstance(self._index, faiss.IndexIVF):
            lists = self._index.nlist
            return _PARAMETERS_IVF(sel=selector, nprobe=lists if whole else _probes(lists))
        return None if selector is None else _PARAMETERS(sel=selector)

    def close(self) -> None:
        """Unmap the file."""
        self._index = None


def _read(path: Path) -> Any:
    with _limited(path.stat().st_size):
        return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)


@contextmanager
def _limited(size: int) -> Iterator[None]:
    """Have FAISS take nothing for larger than a file of so many bytes could hold.

    The limits are put back, for whoever else uses FAISS in this process. Zero would be none.
    """
    wanted = (size, max(1, size // _LEAST_LIST_BYTES), 1)
    with _READ_LIMITS:
        before = [get() for get, _ in _LIMITS]
        try:
            for (_, put), value in zip(_LIMITS, wanted, strict=True):
                put(value)
            yield
        finally:
            for (_, put), value in zip(_LIMITS, before, strict=True):
                put(value)


def _probes(lists: int) -> int:
    return min(lists, max(_LEAST_PROBED, round(lists * _PROBED_SHARE)))


def _combine(allowed: NDArray[np.bool_] | None, deleted: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
    if deleted is None:
        return allowed
    return ~deleted if allowed is None else allowed & ~deleted


def _check_kind(index: Any, name: str) -> None:
    """Allow exactly what `write_vectors` writes: fp16 codes, flat or in an inverted file with lists in memory."""
    flat = type(index) is faiss.IndexScalarQuantizer and index.sq.qtype == faiss.ScalarQuantizer.QT_fp16
    inverted = (
        type(index) is faiss.IndexIVFScalarQuantizer
        and index.sq.qtype == faiss.ScalarQuantizer.QT_fp16
        and not index.by_residual
        and type(_downcast(index.invlists)) is faiss.ArrayInvertedLists
        and type(_downcast_index(index.quantizer)) is faiss.IndexFlatIP
        and (index.quantizer.ntotal, index.quantizer.d) == (index.nlist, index.d)
    )
    if not (flat or inverted) or not index.is_trained or index.metric_type != faiss.METRIC_INNER_PRODUCT:
        raise ValidateError(
            f"the vectors file holds a {type(index).__name__}, which this version does not serve",
            code="vectors_kind",
            asset=name,
            hint="build the index with `pycontextify index`",
        )
