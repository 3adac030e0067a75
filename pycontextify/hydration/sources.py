"""Sources: where snapshots come from, as plain values. Addresses may hold secrets; `label` never does."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pycontextify.redact import redact_url
from pycontextify.snapshot.digest import Digest

__all__ = ["ArchiveSource", "LayoutSource", "PairSource", "Source", "each_telling"]

DEFAULT_REF = "latest"


@dataclass(frozen=True, slots=True, repr=False)
class LayoutSource:
    """A layout behind an address: ``URL/index.json`` and ``URL/blobs/sha256/HEX``.

    ``urls`` are mirrors of one layout, tried in order. With a ``pin``, the manifest of that digest is taken whatever
    ``ref`` points to. ``told_by``, where given, are those of the mirrors that are asked what ``ref`` points to.
    """

    urls: tuple[str, ...]
    ref: str = DEFAULT_REF
    pin: Digest | None = None
    told_by: tuple[str, ...] = ()

    @property
    def telling(self) -> tuple[str, ...]:
        """The mirrors to ask what there is; blobs, which have their digests, may come from any."""
        return self.told_by or self.urls

    @property
    def label(self) -> str:
        """The address, for people."""
        return redact_url(self.urls[0])


@dataclass(frozen=True, slots=True, repr=False)
class ArchiveSource:
    """One archive file; ``urls`` are mirrors of it. Without a ``pin``, ``URL.sha256`` is used where it exists.

    ``name`` is the index's name: which NAME.faiss and NAME.sqlite to take when the archive holds several.
    """

    urls: tuple[str, ...]
    name: str
    pin: Digest | None = None

    @property
    def label(self) -> str:
        """The address, for people."""
        return redact_url(self.urls[0])


@dataclass(frozen=True, slots=True, repr=False)
class PairSource:
    """The two files of an index, each with its mirrors and its pin."""

    vectors_urls: tuple[str, ...]
    chunks_urls: tuple[str, ...]
    vectors_pin: Digest | None = None
    chunks_pin: Digest | None = None

    @property
    def label(self) -> str:
        """The address of the first file, for people."""
        return redact_url(self.vectors_urls[0])


Source = LayoutSource | ArchiveSource | PairSource


def each_telling(source: Source) -> tuple[Source, ...]:
    """Return the source as each of its mirrors alone tells of it; nothing where there is only one to ask."""
    if not isinstance(source, LayoutSource) or len(source.urls) < 2 or source.told_by:
        return ()
    return tuple(replace(source, told_by=(url,)) for url in source.urls)
