"""Validation: each way in which the parts of a generation may not fit is found and named."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import apsw
import numpy as np
import pytest
from numpy.typing import NDArray

from pycontextify.errors import NotReadyError, ValidateError
from pycontextify.index.segment import pack_deleted
from pycontextify.index.validate import PROBE_DEPTH, passes, validate
from pycontextify.index.view import QueryEncoder, View
from pycontextify.snapshot.config import Probe, SnapshotConfig
from pycontextify.snapshot.digest import Digest, digest_of
from pycontextify.store.copies import add_copy
from pycontextify.store.layout import Layout
from tests.fakes.encoder import TinyEncoder
from tests.fakes.generation import Doc, make_generation
from tests.index.made import inverted_file

DOCS = [
    Doc("a.md", ("first alpha", "second alpha")),
    Doc("b.py", ("third beta",)),
    *(Doc(f"{n}.txt", (f"unlike number{n}",)) for n in range(PROBE_DEPTH + 5)),
]
ROWS = len(DOCS) + 1


class Down:
    """An encoder whose service does not answer."""

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Raise NotReadyError."""
        raise NotReadyError("the service does not answer", code="encoder_unreachable")


def _config(layout: Layout, **options: object) -> SnapshotConfig:
    deleted = options.get("deleted", ())
    assert isinstance(deleted, tuple)
    return layout.config(make_generation(layout, DOCS, ["another segment"], deleted=deleted))


def _validate(layout: Layout, config: SnapshotConfig, encoder: QueryEncoder | None = None) -> None:
    with closing(View.open(digest_of(b"any"), config, layout.blob_path, encoder)) as view:
        validate(view)


def _refused(layout: Layout, config: SnapshotConfig, encoder: QueryEncoder | None = None) -> ValidateError:
    before = len(apsw.connections())
    with pytest.raises(ValidateError) as caught:
        _validate(layout, config, encoder)
    assert caught.value.hint
    assert len(apsw.connections()) == before
    return caught.value


@pytest.mark.parametrize("deleted", [(), ("a.md",), ("a.md", "b.py", "0.txt")])
@pytest.mark.parametrize("encoder", [TinyEncoder(), Down(), None])
def test_what_coheres_is_accepted(layout: Layout, deleted: tuple[str, ...], encoder: QueryEncoder | None) -> None:
    """With an encoder, without one, and with one that can't answer now; with deletions and without."""
    _validate(layout, _config(layout, deleted=deleted), encoder)


def test_vectors_of_another_dimension_are_refused(layout: Layout) -> None:
    """What the encoder makes must fit what the index holds."""
    config = _config(layout)
    wrong = replace(config, encoder=replace(config.encoder, dimension=384))
    error = _refused(layout, wrong)
    assert (error.code, error.asset) == ("dimension_differs", "segment 1")
    assert "32" in str(error)
    assert "384" in str(error)


def test_a_segment_of_another_encoder_is_refused(layout: Layout) -> None:
    """Vectors of two encoders can't be compared, even of equal length: the chunks file says whose it has."""
    config = _config(layout)
    other = layout.config(make_generation(layout, ["a text"], encoder=TinyEncoder(name="other")))
    mixed = replace(config, segments=(config.segments[0], other.segments[0]))
    error = _refused(layout, mixed)
    assert (error.code, error.asset) == ("encoder_differs", "segment 2")


@pytest.mark.parametrize("meta", ["{}", "null", '"text"', '{"digest": 5}'])
def test_a_segment_that_does_not_say_whose_it_is_is_refused(layout: Layout, meta: str) -> None:
    """A chunks file without its encoder's digest."""
    config = _config(layout)
    path = layout.partial / "chunks"
    path.write_bytes(layout.blob_path(config.segments[1].chunks).read_bytes())
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'encoder'", (meta,))
    digest = add_copy(layout, path)
    wrong = replace(config, segments=(config.segments[0], replace(config.segments[1], chunks=digest)))
    assert _refused(layout, wrong).code == "encoder_differs"


@pytest.mark.parametrize("rows", [0, ROWS - 1, ROWS + 1])
def test_other_row_counts_are_refused(layout: Layout, rows: int) -> None:
    """The config promises more or fewer rows than the files have."""
    config = _config(layout)
    wrong = replace(config, segments=(replace(config.segments[0], rows=rows), config.segments[1]))
    assert _refused(layout, wrong).code == "rows_differ"


def test_rows_with_gaps_are_refused(layout: Layout) -> None:
    """The last row number fits, but one before it is missing."""
    config = _changed(layout, _config(layout), "DELETE FROM chunks WHERE id = 1")
    assert _refused(layout, config).code == "chunks_incoherent"


def _changed(layout: Layout, config: SnapshotConfig, sql: str) -> SnapshotConfig:
    """Return the config of a generation whose first segment's chunks file was changed."""
    path = layout.partial / "chunks"
    path.write_bytes(layout.blob_path(config.segments[0].chunks).read_bytes())
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute(sql)
    first = replace(config.segments[0], chunks=add_copy(layout, path))
    return replace(config, segments=(first, config.segments[1]))


def test_a_text_that_can_not_be_read_is_refused(layout: Layout) -> None:
    """Everything is read once: a search would fail on it later, when the index before is gone."""
    config = _changed(layout, _config(layout), "UPDATE chunks SET text = x'00' WHERE id = 1")
    assert _refused(layout, config).code == "chunks_unreadable"


def test_an_inverted_file_that_lacks_a_row_is_refused(layout: Layout) -> None:
    """Of which FAISS itself says nothing."""
    config = _config(layout)
    content = bytearray(inverted_file(ROWS, 32, 4))
    content[-8:] = content[-16:-8]
    path = layout.partial / "vectors"
    path.write_bytes(content)

    def blob(digest: Digest) -> Path:
        return path if digest == config.segments[0].vectors else layout.blob_path(digest)

    with closing(View.open(digest_of(b"any"), config, blob, None)) as view, pytest.raises(ValidateError) as caught:
        validate(view)
    assert caught.value.code == "vectors_incoherent"


def test_what_passed_before_is_not_read_again(layout: Layout) -> None:
    """Segments that a sound generation shares with this one, of the same vectors and the same chunks."""
    config = _config(layout)
    changed = _changed(layout, config, "UPDATE chunks SET text = x'00' WHERE id = 1")
    with closing(View.open(digest_of(b"any"), changed, layout.blob_path, None)) as view:
        validate(view, changed)
        for before in (None, config):
            with pytest.raises(ValidateError):
                validate(view, before)


@pytest.mark.parametrize("change", [-1, 1, 1000])
def test_other_document_counts_are_refused(layout: Layout, change: int) -> None:
    """What status says of an index is what its config says."""
    for deleted in ((), ("a.md",)):
        config = _config(layout, deleted=deleted)
        first = replace(config.segments[0], documents=config.segments[0].documents + change)
        error = _refused(layout, replace(config, segments=(first, config.segments[1])))
        assert (error.code, error.asset) == ("documents_differ", "segment 1")


@pytest.mark.parametrize(("rows", "documents"), [([0], len(DOCS) - 1), ([1], len(DOCS))])
def test_half_a_document_deleted_is_refused(layout: Layout, rows: list[int], documents: int) -> None:
    """A document's rows go all together."""
    config = _config(layout)
    blob = layout.add_bytes(pack_deleted(rows))
    first = replace(config.segments[0], deleted=blob, documents=documents)
    error = _refused(layout, replace(config, segments=(first, config.segments[1])))
    assert error.code == "documents_differ"


class Shuffled:
    """An encoder of the right shape that means something else by every word: as if the model had been swapped."""

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Embed the text backwards, turned around."""
        return -TinyEncoder().embed_query(text)


def test_a_probe_that_fails_is_refused(layout: Layout) -> None:
    """Files that fit each other, but not the model: only asking tells. Without an encoder, nobody can ask."""
    config = _config(layout)
    assert config.probes
    error = _refused(layout, config, Shuffled())
    assert error.code == "probe_failed"
    assert config.probes[0].text in str(error)
    _validate(layout, config, None)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: Probe("first alpha", 0, 0), True),
        (lambda: Probe("another segment", 1, 0), True),
        (lambda: Probe("first alpha", 0, ROWS), False),
        (lambda: Probe("first alpha", 2, 0), False),
        (lambda: Probe("first alpha", 1, 5), False),
        (lambda: Probe("first alpha", 2**62, 2**62), False),
    ],
)
def test_a_probe_finds_its_row_or_not(layout: Layout, make: Callable[[], Probe], expected: bool) -> None:
    """In its own segment, and among rows that there are."""
    config = _config(layout)
    with closing(View.open(digest_of(b"any"), config, layout.blob_path, TinyEncoder())) as view:
        assert passes(view, make()) is expected


def test_a_probe_must_be_near_the_top(layout: Layout) -> None:
    """Among the first ten, so that arithmetic that rounds differently agrees."""
    texts = [f"common word{n}" for n in range(PROBE_DEPTH)] + ["rare thing"]
    config = layout.config(make_generation(layout, texts))
    with closing(View.open(digest_of(b"any"), config, layout.blob_path, TinyEncoder())) as view:
        assert passes(view, Probe("common word3", 0, 3))
        assert not passes(view, Probe("common", 0, PROBE_DEPTH))


def test_a_probe_for_a_deleted_row_fails(layout: Layout) -> None:
    """It can't be found any more."""
    config = _config(layout, deleted=("b.py",))
    assert _refused(layout, replace(config, probes=(Probe("third beta", 0, 2),)), TinyEncoder()).code == "probe_failed"
