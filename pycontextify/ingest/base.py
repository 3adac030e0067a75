"""The generation that a run starts from, open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from pycontextify.encoder.protocol import Encoder
from pycontextify.errors import IngestError
from pycontextify.index.segment import Segment
from pycontextify.ingest.chunk import CHUNKER_VERSION
from pycontextify.ingest.report import IndexRequest
from pycontextify.ingest.scan import Known
from pycontextify.snapshot.config import SnapshotConfig, version_at
from pycontextify.snapshot.digest import Digest
from pycontextify.snapshot.origin import laid_over
from pycontextify.store.layout import Layout

__all__ = ["Base", "open_base"]


@dataclass(frozen=True, slots=True)
class Base:
    """The generation to start from, open; an empty one for a new index."""

    generation: Digest | None
    config: SnapshotConfig | None
    segments: tuple[Segment, ...]
    notes: Mapping[str, str] = field(default_factory=dict)

    def known(self, tree: str) -> dict[str, Known]:
        """Return the documents of a tree by their paths."""
        return {
            stored.document.path: Known(number, stored, segment.chunks.meta.get("chunker") == CHUNKER_VERSION)
            for number, segment in enumerate(self.segments)
            for stored in segment.live_documents()
            if stored.document.tree == tree
        }

    def check_encoder(self, encoder: Encoder) -> None:
        """Raise IngestError for an encoder whose vectors can't be compared with those that are there."""
        if self.config is not None and self.config.encoder.digest != encoder.info.digest:
            raise IngestError(
                f"the index was built with the encoder {self.config.encoder.id}, this is {encoder.info.id}: their "
                "vectors can't be compared",
                code="encoder_differs",
                hint="use that encoder, or empty the index first",
            )

    def next_version(self, wanted: int | None, moment: datetime) -> int:
        """Return the version of what is built at a moment: one that is ``wanted``, or one that is higher than this.

        Raises IngestError for one that is not.
        """
        before = self.config.version if self.config is not None else 0
        if wanted is None:
            return max(before + 1, version_at(moment))
        if wanted <= before:
            raise IngestError(
                f"version {wanted} is not above {before}, the index's",
                code="version_not_higher",
                hint="versions only grow; leave it out to have one made of the time",
            )
        return wanted


@contextmanager
def open_base(layout: Layout, request: IndexRequest) -> Iterator[Base]:
    """Lend the generation that is asked for, else the current one. Raises StoreError or SnapshotRejected."""
    generation = request.base or layout.current()
    if generation is None:
        yield Base(None, None, ())
        return
    config = layout.config(generation)
    with ExitStack() as stack:
        segments = []
        for info in config.segments:
            segments.append(Segment.open(info, layout.blob_path))
            stack.callback(segments[-1].close)
        ref = next((each for each in layout.refs().refs.values() if each.digest == generation), None)
        yield Base(generation, config, tuple(segments), laid_over(ref))
