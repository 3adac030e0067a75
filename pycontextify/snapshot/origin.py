"""Where a local generation came from, as annotations of the ref that points to it. Pure.

A generation that was hydrated names its source. One that was indexed here names none, or, where it was laid over a
hydrated one, that and its ``base``: then the source has nothing new for as long as it has the base.
"""

from __future__ import annotations

from collections.abc import Mapping

from pycontextify.snapshot.manifest import Descriptor

__all__ = ["BASE", "DIGEST", "SEEN", "SIGNED", "base_of", "is_local", "laid_over", "offers_of"]

_SOURCE = "io.pycontextify.source"
DIGEST, SEEN = f"{_SOURCE}.digest", f"{_SOURCE}.seen"
"""The digest of the archive or pair that a generation was made of. The addresses that told of it, and what the servers
there called that version: JSON, a list of address, ETag and Last-Modified for each."""

SIGNED = f"{_SOURCE}.signed"
"""The public key that vouched for what came from there, when that was asked for."""

BASE = "io.pycontextify.base"
"""The hydrated generation that a local one was laid over; manifests carry it too."""


def is_local(target: Descriptor) -> bool:
    """Tell whether a generation was indexed here, and not (only) fetched."""
    return BASE in target.annotations or not any(name.startswith(_SOURCE) for name in target.annotations)


def base_of(target: Descriptor) -> str:
    """Return the digest of what the source had when a generation was made: its base, or itself."""
    return target.annotations.get(BASE, target.digest)


def offers_of(target: Descriptor) -> frozenset[str]:
    """Return the digests under which its source offers what a generation was made of; none for one without a source."""
    if is_local(target) and BASE not in target.annotations:
        return frozenset()
    return frozenset({base_of(target), target.annotations.get(DIGEST, base_of(target))})


def laid_over(base: Descriptor | None) -> Mapping[str, str]:
    """Return what to remember of a generation that is indexed on top of ``base``."""
    if base is None or (is_local(base) and BASE not in base.annotations):
        return {}
    notes = {name: text for name, text in base.annotations.items() if name.startswith(_SOURCE)}
    return {**notes, BASE: base_of(base)}
