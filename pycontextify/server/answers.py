"""What the tools answer with: the structured content, whose JSON schema every tool declares."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "DiscoverAnswer",
    "IndexFilebaseAnswer",
    "RehydrateAnswer",
    "ResetIndexAnswer",
    "RollbackAnswer",
    "SearchAnswer",
    "SearchResult",
    "StandingFields",
    "StatusAnswer",
]


class StandingFields(BaseModel):
    """What of the index the answer is about; the fields of `pycontextify.server.document.Standing`."""

    index_state: Literal["empty", "warming", "ready", "degraded"] = Field(
        description="ready: searched in full; degraded: by words alone; warming: being fetched, ask again; "
        "empty: nothing is indexed. When warming or empty, a lack of results does not mean that nothing matches."
    )
    message: str = Field(description="The state in words, and what to do about it.")
    generation: str | None = Field(description="Digest of the snapshot that was searched.")
    age_seconds: float | None = Field(description="Seconds since that snapshot was built.")
    coverage: float = Field(description="Part of the index that was searched, 0 to 1.")
    percent: float | None = Field(None, description="While warming: how much has been fetched.")
    eta_seconds: float | None = Field(None, description="While warming: seconds left.")


class SearchResult(BaseModel):
    """One passage that was found."""

    path: str = Field(description="Relative to the root of its tree.")
    tree: str
    start_line: int = Field(description="First line, counted from 1 (a page number in a PDF).")
    end_line: int = Field(description="Last line, included.")
    language: str
    kind: str
    symbol: str = Field(description="Dotted name in code, heading path in prose, or empty.")
    tags: list[str]
    score: float = Field(description="0 to 1, comparable within one answer only.")
    dense: float | None = Field(description="Cosine similarity.")
    keyword: float | None = Field(description="BM25 score.")
    snippet: str


class SearchAnswer(StandingFields):
    """Answer of ``search``."""

    results: list[SearchResult] = Field(description="Best first.")


class DiscoverAnswer(StandingFields):
    """Answer of ``discover``; the mappings count documents."""

    version: int | None = Field(description="Number of the build.")
    encoder: str | None = Field(description="The embedding model.")
    chunks: int
    documents: int
    trees: dict[str, int]
    languages: dict[str, int]
    tags: dict[str, int]


class _Open(BaseModel):
    """A part of the status document: later versions may add to it."""

    model_config = ConfigDict(extra="allow")


class HealthPart(_Open):
    """How the server is."""

    status: Literal["ok", "hydrating", "degraded", "empty"]
    live: bool
    ready: bool
    message: str


class IndexPart(_Open):
    """What is being served."""

    generation: str | None
    version: int | None
    channel: str | None
    created: str | None
    expires: str | None
    age_seconds: float | None
    chunks: int
    documents: int
    segments: int
    encoder: str | None
    coverage: float
    bytes_on_disk: int | None


class HydrationPart(_Open):
    """What hydration is doing."""

    state: str
    trigger: str | None
    source: str | None
    attempt: int
    bytes_total: int | None
    bytes_done: int
    eta_seconds: float | None
    last_error: dict[str, Any] | None
    next_check_at: str | None


class StatusAnswer(BaseModel):
    """Answer of ``status``, and the document of the route ``/status``."""

    health: HealthPart
    index: IndexPart
    hydration: HydrationPart


class RehydrateAnswer(StandingFields):
    """Answer of ``rehydrate``; ``message`` tells how the attempt goes or has gone."""

    outcome: Literal["started", "installed", "unchanged", "failed", "cancelled"] = Field(
        description="unchanged: the source has what is served already."
    )
    hydration: HydrationPart


class RollbackAnswer(StandingFields):
    """Answer of ``rollback``: what is served now."""

    version: int | None = Field(description="Number of the build.")


class IndexFilebaseAnswer(BaseModel):
    """Answer of ``index_filebase``."""

    message: str
    report: dict[str, Any] = Field(
        description="generation, version; documents and chunks of the whole index; files of the tree that were added, "
        "updated, unchanged, removed, ignored, and skipped with reasons; seconds."
    )


class ResetIndexAnswer(BaseModel):
    """Answer of ``reset_index``."""

    reset: bool = Field(description="Whether the index has been forgotten.")
    message: str
    generation: str | None = Field(description="The snapshot that was, or would be, forgotten.")
    chunks: int
    documents: int
