"""From settings to the source they name."""

from __future__ import annotations

from urllib.parse import urldefrag

from pycontextify.config import Settings
from pycontextify.hydration.sources import DEFAULT_REF, ArchiveSource, LayoutSource, PairSource, Source

__all__ = ["configured_source"]


def configured_source(settings: Settings) -> Source | None:
    """Return the source that the settings name; None when they name none. They were checked to name one at most."""
    if settings.index_bootstrap_url:
        refs = {urldefrag(url).fragment for url in settings.index_bootstrap_url} - {""}
        return LayoutSource(
            urls=tuple(urldefrag(url).url for url in settings.index_bootstrap_url),
            ref=refs.pop() if refs else DEFAULT_REF,
            pin=settings.index_bootstrap_sha256,
        )
    if settings.index_bootstrap_archive:
        return ArchiveSource(
            urls=settings.index_bootstrap_archive, name=settings.index_name, pin=settings.index_bootstrap_sha256
        )
    if settings.index_bootstrap_faiss_url:
        return PairSource(
            vectors_urls=settings.index_bootstrap_faiss_url,
            chunks_urls=settings.index_bootstrap_metadata_url,
            vectors_pin=settings.index_bootstrap_faiss_sha256,
            chunks_pin=settings.index_bootstrap_metadata_sha256,
        )
    return None
