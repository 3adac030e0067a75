"""Real generations, small: segments staged as the program stages them, stored in a layout and made current.

    layout = Layout(tmp_path / "index")
    layout.create()
    generation = make_generation(layout, ["one text", "another text"])
    with open_view(layout, generation) as view:
        view.search(Query("another"))

Nothing in here is mocked: the blobs are a FAISS file and a chunks file, and a server could hydrate them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from pycontextify.encoder.protocol import Encoder, paths_of
from pycontextify.index.assemble import Entry, stage_segment
from pycontextify.index.model import Chunk, Document
from pycontextify.index.segment import pack_deleted
from pycontextify.index.view import View
from pycontextify.snapshot.config import Probe, SegmentInfo, SnapshotConfig
from pycontextify.snapshot.digest import Digest, digest_of
from pycontextify.snapshot.manifest import build_manifest
from pycontextify.snapshot.pair import segment_meta
from pycontextify.store.copies import add_copy
from pycontextify.store.layout import Layout
from tests.fakes.encoder import TinyEncoder

__all__ = ["CREATED", "Doc", "entry_of", "make_generation", "open_view", "store_generation", "store_segment"]

CREATED = "2026-11-22T10:00:00Z"
"""When the generations say that they were built."""

_CHUNKER = 1


@dataclass(frozen=True, slots=True)
class Doc:
    """A document: each of ``texts`` is a chunk of it, three lines long."""

    path: str
    texts: tuple[str, ...]
    tree: str = "tree"
    language: str = "text"
    tags: tuple[str, ...] = ()
    symbol: str = ""


def entry_of(doc: Doc, encoder: Encoder) -> Entry:
    """Return a document as it goes into a segment; row i of its vectors is the i-th text's."""
    whole = "\n".join(doc.texts).encode()
    document = Document(doc.path, doc.tree, doc.language, digest_of(whole).hex, len(whole), tuple(sorted(doc.tags)))
    chunks = [Chunk(text, 3 * n + 1, 3 * n + 3, "text", doc.symbol) for n, text in enumerate(doc.texts)]
    return Entry(document, chunks, encoder.embed_passages(list(doc.texts)))


def make_generation(
    layout: Layout,
    *segments: Sequence[Doc | str],
    encoder: Encoder | None = None,
    name: str = "index",
    version: int = 1,
    deleted: Collection[str] = (),
    probes: bool = True,
    activate: bool = True,
) -> Digest:
    """Build a generation of these segments, store it and make it the current one; return its manifest's digest.

    A plain text stands for a document of its own, ``0.txt``, ``1.txt`` and so on, counted through all segments.
    ``deleted`` are the paths of documents that are marked deleted, in every segment that has them. With ``probes``,
    every segment's first row that counts is probed by its own text. The same arguments give the same generation, but
    for the layout, which must have been created.
    """
    encoder = encoder or TinyEncoder()
    docs = _named(segments)
    config = SnapshotConfig(name=name, version=version, created=CREATED, encoder=encoder.info, segments=())
    infos, asked = [], []
    for number, segment in enumerate(docs):
        infos.append(_store_docs(layout, config, segment, encoder, deleted))
        texts = [(doc.path, text) for doc in segment for text in doc.texts]
        live = (Probe(text, number, row) for row, (path, text) in enumerate(texts) if path not in deleted)
        asked += [probe for probe in (next(live, None),) if probe is not None and probes]
    for file_name, digest in encoder.info.files.items():
        assert add_copy(layout, paths_of(encoder)[file_name]) == digest
    return store_generation(layout, replace(config, segments=tuple(infos), probes=tuple(asked)), activate=activate)


def store_generation(layout: Layout, config: SnapshotConfig, *, activate: bool = True) -> Digest:
    """Store the config and the manifest of a generation whose other blobs are there; return the manifest's digest."""
    blobs = {*config.encoder.files.values()}
    for info in config.segments:
        blobs |= {info.vectors, info.chunks} | ({info.deleted} if info.deleted else set())
    manifest, content = build_manifest(config, {digest: layout.size_of(digest) for digest in blobs})
    layout.add_bytes(content)
    generation = layout.add_bytes(manifest)
    if activate:
        layout.activate(generation)
    return generation


@contextmanager
def open_view(layout: Layout, generation: Digest, encoder: Encoder | None = None) -> Iterator[View]:
    """Lend an open view of a stored generation; the encoder is the tiny one unless another is given."""
    view = View.open(generation, layout.config(generation), layout.blob_path, encoder or TinyEncoder())
    try:
        yield view
    finally:
        view.close()


def _named(segments: Sequence[Sequence[Doc | str]]) -> list[list[Doc]]:
    docs: list[list[Doc]] = []
    number = 0
    for segment in segments:
        docs.append([])
        for each in segment:
            docs[-1].append(each if isinstance(each, Doc) else Doc(f"{number}.txt", (each,)))
            number += 1
    return docs


def store_segment(layout: Layout, config: SnapshotConfig, entries: Sequence[Entry]) -> SegmentInfo:
    """Store a segment of these entries; ``config`` need not name it yet."""
    rows = sum(len(entry.chunks) for entry in entries)
    meta = segment_meta(config, rows=rows, documents=len(entries), chunker=_CHUNKER)
    with layout.staging() as staging:
        staged = stage_segment(staging, entries, meta, config.encoder.dimension)
        for digest, path in staged.files.items():
            layout.add_file(path, digest)
    return staged.info


def _store_docs(
    layout: Layout, config: SnapshotConfig, docs: Sequence[Doc], encoder: Encoder, deleted: Collection[str]
) -> SegmentInfo:
    info = store_segment(layout, config, [entry_of(doc, encoder) for doc in docs])
    paths = [doc.path for doc in docs for _ in doc.texts]
    gone = [row for row, path in enumerate(paths) if path in deleted]
    if not gone:
        return info
    kept = sum(doc.path not in deleted for doc in docs)
    return replace(info, deleted=layout.add_bytes(pack_deleted(gone)), documents=kept)
