"""Signatures in a layout: the signature file and the manifest that ties it to what it signs, both blobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from pycontextify.errors import PyContextifyError
from pycontextify.snapshot.digest import Digest
from pycontextify.snapshot.manifest import MANIFEST_TYPE, Descriptor, RefTable
from pycontextify.snapshot.referrer import EMPTY_CONFIG, Referrer, build_referrer
from pycontextify.store.layout import Layout

__all__ = ["add_signature", "signature_blobs", "signature_of"]


def add_signature(layout: Layout, generation: Digest, signature: bytes) -> Descriptor:
    """Store a signature file for a stored manifest; return what a ref table lists it by. Raises StoreError."""
    content = build_referrer(Descriptor(MANIFEST_TYPE, generation, layout.size_of(generation)), signature)
    for blob in (signature, EMPTY_CONFIG):
        layout.add_bytes(blob)
    return Descriptor(MANIFEST_TYPE, layout.add_bytes(content), len(content))


def signature_of(layout: Layout, table: RefTable, generation: Digest) -> bytes | None:
    """Return the signature file that a layout has for a generation; None where it has none that can be read."""
    for each in table.signatures_of(generation):
        with suppress(PyContextifyError):
            referrer = Referrer.from_bytes(layout.read(each.digest))
            if referrer.subject == generation:
                return layout.read(referrer.layers[0].digest)
    return None


def signature_blobs(layout: Layout, table: RefTable) -> Iterator[Descriptor]:
    """Yield the blobs that the signatures of a table consist of, as far as they can be read."""
    for each in table.signatures:
        yield each
        with suppress(PyContextifyError):
            yield from Referrer.from_bytes(layout.read(each.digest)).blobs
