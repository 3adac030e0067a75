"""Recovery: from what a crash, a bad disk or a tidy hand has left to the newest generation that is whole.

Whole means that the manifest is true to its digest and every blob is there with its size. Blobs get their name only
when their bytes are right and flushed; whether they have rotted since is for `pycontextify.store.check` to find.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from pycontextify.errors import PyContextifyError, StoreError
from pycontextify.snapshot.digest import Digest, parse_digest
from pycontextify.snapshot.history import generations
from pycontextify.snapshot.manifest import MANIFEST_TYPE, Descriptor, RefTable
from pycontextify.store.durable import move, unique
from pycontextify.store.layout import Layout

__all__ = ["RECOVERED", "mend", "whole_generations"]

RECOVERED = "io.pycontextify.recovered"
"""Annotation of ``current`` when it is only what was left: why. An index is wanted again then."""

_DOCUMENT_LIMIT = 4 << 20


def whole_generations(layout: Layout) -> Iterator[Descriptor]:
    """Yield the generations that are whole, the best to serve first: those served last, then the newest of all."""
    seen: set[Digest] = set()
    with suppress(StoreError):
        for target in generations(layout.refs()):
            seen.add(target.digest)
            if _is_whole(layout, target.digest):
                yield target
    found = [each for each in _stored_manifests(layout) if each not in seen and _is_whole(layout, each)]
    for generation in sorted(found, key=lambda each: _age(layout, each), reverse=True):
        yield Descriptor(MANIFEST_TYPE, generation, layout.size_of(generation))


def mend(layout: Layout, generation: Descriptor | None, why: str) -> None:
    """Make what is whole the current generation, and say why; call it with the writers' lock held.

    A damaged index.json is set aside beside the new one, for whoever wants to look.
    """
    try:
        layout.refs()
    except StoreError:
        index = layout.root / "index.json"
        move(index, index.with_name(f"index.json.damaged-{unique()}"))
        layout.write_refs(RefTable())
    if generation is not None:
        layout.activate(generation.digest, {**generation.annotations, RECOVERED: why})


def _is_whole(layout: Layout, generation: Digest) -> bool:
    try:
        return not layout.missing(layout.manifest(generation))
    except PyContextifyError:
        return False


def _stored_manifests(layout: Layout) -> Iterator[Digest]:
    """Yield the blobs that are manifests of ours; index.json may have forgotten them."""
    for path in layout.blob_files():
        with suppress(PyContextifyError, ValueError, OSError):
            if path.stat().st_size <= _DOCUMENT_LIMIT:
                digest = parse_digest(path.name)
                layout.manifest(digest)
                yield digest


def _age(layout: Layout, generation: Digest) -> tuple[str, int]:
    with suppress(PyContextifyError):
        config = layout.config(generation)
        return config.created, config.version
    return "", 0
