"""Recovery: from what a crash, a bad disk or a tidy hand has left to the newest generation that is whole.

Whole means that the manifest is true to its digest and every blob is there with its size. Blobs get their name only
when their bytes are right and flushed; whether they have rotted since is for `pycontextify.store.check` to find.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress

from pycontextify.errors import PyContextifyError, StoreError
from pycontextify.snapshot.digest import Digest, parse_digest
from pycontextify.snapshot.history import RECOVERED, activated, generations
from pycontextify.snapshot.manifest import DOCUMENT_LIMIT, MANIFEST_TYPE, Descriptor, RefTable
from pycontextify.snapshot.origin import BASE
from pycontextify.store.durable import unique
from pycontextify.store.layout import Layout

__all__ = ["mend", "repair_refs", "whole_generations"]


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
        yield _described(layout, generation)


def mend(layout: Layout, generation: Descriptor | None, why: str) -> None:
    """Make what is whole the current generation, and say why; call it with the writers' lock held."""
    repair_refs(layout)
    if generation is not None:
        layout.activate(generation.digest, {**generation.annotations, RECOVERED: why})


def repair_refs(layout: Layout) -> None:
    """Replace a damaged index.json by one with the newest generations that are whole, in order of age.

    The damaged one is kept beside it, for whoever wants to look. What was fetched from where is forgotten. Raises
    StoreError; call it with the writers' lock held.
    """
    try:
        layout.refs()
    except StoreError:
        table = RefTable()
        for each in reversed(list(whole_generations(layout))[: layout.keep]):
            table = activated(table, each, keep=layout.keep)
        index = layout.root / "index.json"
        with suppress(OSError):
            shutil.copyfile(index, index.with_name(f"index.json.damaged-{unique()}"))
        layout.write_refs(table)


def _is_whole(layout: Layout, generation: Digest) -> bool:
    try:
        return not layout.missing(layout.manifest(generation))
    except PyContextifyError:
        return False


def _stored_manifests(layout: Layout) -> Iterator[Digest]:
    """Yield the blobs that are manifests of ours; index.json may have forgotten them."""
    for path in layout.blob_files():
        with suppress(PyContextifyError, ValueError, OSError):
            if path.stat().st_size <= DOCUMENT_LIMIT:
                digest = parse_digest(path.name)
                layout.manifest(digest)
                yield digest


def _described(layout: Layout, generation: Digest) -> Descriptor:
    """Return a generation as a ref to it would, with as much of its origin as its manifest tells."""
    notes = layout.manifest(generation).annotations
    base = {BASE: notes[BASE]} if BASE in notes else {}
    return Descriptor(MANIFEST_TYPE, generation, layout.size_of(generation), base)


def _age(layout: Layout, generation: Digest) -> tuple[str, int]:
    with suppress(PyContextifyError):
        config = layout.config(generation)
        return config.created, config.version
    return "", 0
