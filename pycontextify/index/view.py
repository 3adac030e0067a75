"""A view: one generation, open and searchable."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pycontextify.errors import NotReadyError
from pycontextify.index.chunks import StoredChunk
from pycontextify.index.model import Answer, Hit, Overview, Query
from pycontextify.index.search import Ranked, fuse
from pycontextify.index.segment import Segment
from pycontextify.snapshot.config import SnapshotConfig
from pycontextify.snapshot.digest import Digest

__all__ = ["QueryEncoder", "View"]

_LOG = logging.getLogger(__name__)
_LEAST_DEPTH = 50
_DEPTH_PER_ANSWER = 5

_Key = tuple[int, int]
"""A chunk of a view: its segment's number and its row."""


class QueryEncoder(Protocol):
    """What a view needs of an encoder."""

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return the unit vector, float32 (dimension,), of a query. Raises NotReadyError."""


class View:
    """An open generation. Searching is thread safe.

    ``degraded`` says why meaning can't be searched: there is no encoder for its vectors, or the encoder failed when it
    was last asked. None when all is well. Nothing else about a view ever changes.
    """

    def __init__(
        self,
        generation: Digest,
        config: SnapshotConfig,
        segments: Sequence[Segment],
        encoder: QueryEncoder | None,
        *,
        lack: str | None = None,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        self.generation = generation
        self.config = config
        self.segments = tuple(segments)
        self._encoder = encoder
        self._on_close = on_close
        self.degraded: str | None = None if encoder is not None else lack or _no_encoder(config)

    @classmethod
    def open(
        cls,
        generation: Digest,
        config: SnapshotConfig,
        blob: Callable[[Digest], Path],
        encoder: QueryEncoder | None,
        *,
        lack: str | None = None,
        on_close: Callable[[], None] = lambda: None,
    ) -> View:
        """Open every segment of a generation; ``blob`` tells where a blob lies, ``lack`` why there is no encoder.

        ``on_close`` is called when the view is closed.

        Raises StoreError when a blob is not there, ValidateError when one is damaged or they do not fit each other.
        """
        segments: list[Segment] = []
        try:
            segments.extend(Segment.open(info, blob) for info in config.segments)
        except BaseException:
            for segment in segments:
                segment.close()
            raise
        return cls(generation, config, segments, encoder, lack=lack, on_close=on_close)

    @property
    def chunks(self) -> int:
        """How many chunks can be found."""
        return sum(segment.live_rows for segment in self.segments)

    @property
    def documents(self) -> int:
        """How many documents they come from."""
        return sum(segment.info.documents for segment in self.segments)

    def search(self, query: Query) -> Answer:
        """Find the chunks that answer a query, best first.

        Blocks: call it in a worker thread. Without an encoder, or when it can't answer now, words alone are searched
        and the answer says so; with mode ``dense`` that raises NotReadyError.
        """
        embedding, degraded = self._embed(query)
        depth = max(_LEAST_DEPTH, query.limit * _DEPTH_PER_ANSWER)
        dense: dict[_Key, float] = {}
        keyword: dict[_Key, float] = {}
        for number, segment in enumerate(self.segments):
            if embedding is not None:
                dense |= {(number, row): score for row, score in segment.dense(embedding, query, depth).items()}
            if query.mode != "dense":
                keyword |= {(number, row): score for row, score in segment.keyword(query, depth).items()}
        ranked = fuse(_best(dense, depth), _best(keyword, depth), limit=query.limit)
        return Answer(tuple(self._hits(ranked)), degraded)

    def embed(self, text: str) -> NDArray[np.float32]:
        """Return the unit vector, float32 (dimension,), of a query. Raises NotReadyError."""
        if self._encoder is None:
            raise NotReadyError(self.degraded or _no_encoder(self.config), code="encoder_missing")
        try:
            embedding = self._ask(self._encoder, text)
        except NotReadyError as error:
            self.degraded = str(error)
            raise
        self.degraded = None
        return embedding

    def _ask(self, encoder: QueryEncoder, text: str) -> NDArray[np.float32]:
        embedding = encoder.embed_query(text)
        if embedding.shape != (self.config.encoder.dimension,):
            raise NotReadyError(
                f"the encoder made a vector of shape {embedding.shape}, the index has {self.config.encoder.dimension} "
                "dimensions",
                code="encoder_differs",
                hint="configure the model that built the index",
            )
        return embedding

    def _embed(self, query: Query) -> tuple[NDArray[np.float32] | None, str | None]:
        if query.mode == "keyword":
            return None, None
        try:
            return self.embed(query.text), None
        except NotReadyError as error:
            if query.mode == "dense":
                raise
            _LOG.debug("searching words alone: %s", error)
            return None, str(error)

    def _hits(self, ranked: Sequence[Ranked[_Key]]) -> Iterator[Hit]:
        """Read what was found, all of a segment at once, and tell it in its order."""
        rows = defaultdict[int, list[int]](list)
        for number, row in (candidate.key for candidate in ranked):
            rows[number].append(row)
        found = {
            (number, stored.row): stored
            for number, some in rows.items()
            for stored in self.segments[number].chunks.read(some)
        }
        for candidate in ranked:
            yield _hit(found[candidate.key], candidate)

    def overview(self) -> Overview:
        """Count what the generation holds. Blocks: it reads the list of documents."""
        trees: Counter[str] = Counter()
        languages: Counter[str] = Counter()
        tags: Counter[str] = Counter()
        for segment in self.segments:
            for stored in segment.live_documents():
                trees[stored.document.tree] += 1
                languages[stored.document.language] += 1
                tags.update(stored.document.tags)
        return Overview(
            chunks=self.chunks,
            documents=self.documents,
            segments=len(self.segments),
            trees=dict(sorted(trees.items())),
            languages=dict(languages.most_common()),
            tags=dict(sorted(tags.items())),
        )

    def close(self) -> None:
        """Close every segment."""
        for segment in self.segments:
            segment.close()
        self._on_close()


def _no_encoder(config: SnapshotConfig) -> str:
    built_with = config.encoder.id
    if config.encoder.provider == "http":
        hint = f"set embedding_provider to http, embedding_model to {built_with} and embedding_url to its service"
    else:
        hint = "publish the index as a layout, which carries its encoder, or configure that one"
    return (
        f"no encoder here matches the one that built the index ({built_with}): only words are searched, not meaning; "
        f"{hint}"
    )


def _best(scores: dict[_Key, float], depth: int) -> dict[_Key, float]:
    """Keep the best over all segments, best first."""
    return dict(sorted(scores.items(), key=lambda item: -item[1])[:depth])


def _hit(stored: StoredChunk, candidate: Ranked[_Key]) -> Hit:
    document, chunk = stored.document, stored.chunk
    return Hit(
        path=document.path,
        tree=document.tree,
        start_line=chunk.start_line,
        end_line=chunk.end_line,
        language=document.language,
        kind=chunk.kind,
        symbol=chunk.symbol,
        tags=document.tags,
        score=round(candidate.score, 4),
        dense=None if candidate.dense is None else round(candidate.dense, 4),
        keyword=None if candidate.keyword is None else round(candidate.keyword, 4),
        snippet=chunk.text,
    )
