"""Checking: are the blobs there, and are they what they are named by?"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pycontextify.errors import PyContextifyError
from pycontextify.snapshot.digest import Digest, parse_digest
from pycontextify.snapshot.manifest import Descriptor
from pycontextify.store.durable import make_directory, move, store_error, unique
from pycontextify.store.layout import Layout

__all__ = ["Damage", "damaged_blobs", "kind_of_damage", "needed_blobs", "quarantine", "rotten_files"]


Kind = Literal["missing", "size", "rotten", "unreadable"]
"""Not there; of another size; of other bytes; not to be read."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A blob that is not what it is named by."""

    blob: Descriptor
    kind: Kind


def damaged_blobs(layout: Layout, targets: Iterable[Descriptor], *, deep: bool) -> Iterator[Damage]:
    """Look at every blob that these generations need, ``deep`` by reading it; yield what is wrong."""
    for blob in needed_blobs(layout, targets).values():
        kind = kind_of_damage(layout, blob, deep=deep)
        if kind is not None:
            yield Damage(blob, kind)


def needed_blobs(layout: Layout, targets: Iterable[Descriptor]) -> dict[Digest, Descriptor]:
    """Return every blob that these generations need, as far as their manifests can be read."""
    found: dict[Digest, Descriptor] = {}
    for target in targets:
        found.setdefault(target.digest, target)
        with suppress(PyContextifyError):
            for blob in layout.manifest(target.digest).blobs:
                found.setdefault(blob.digest, blob)
    return found


def rotten_files(layout: Layout, *, besides: Container[Digest] = ()) -> Iterator[Damage]:
    """Read every file among the blobs, whether something needs it or not; yield those of other bytes than their name.

    What nothing needs now may be taken for what it is named by later, by whoever would fetch it otherwise. ``besides``
    are those that need not be looked at.
    """
    for path in layout.blob_files():
        with suppress(OSError, ValueError):
            blob = Descriptor("application/octet-stream", parse_digest(path.name), path.stat().st_size)
            if blob.digest not in besides and kind_of_damage(layout, blob, deep=True) == "rotten":
                yield Damage(blob, "rotten")


def quarantine(layout: Layout, blob: Descriptor) -> Path:
    """Move a blob out of the way, so that it is fetched again; return where it lies now.

    Raises StoreError; call it with the writers' lock held.
    """
    source, target = layout.blob_path(blob.digest), layout.quarantine / f"{blob.digest.hex}.{unique()}"
    try:
        make_directory(target.parent)
    except OSError as error:
        raise store_error(error, target) from error
    move(source, target)
    return target


def kind_of_damage(layout: Layout, blob: Descriptor, *, deep: bool) -> Kind | None:
    """Look at one blob, ``deep`` by reading it; return what is wrong with it, None when nothing is."""
    path = layout.blob_path(blob.digest)
    try:
        if path.stat().st_size != blob.size:
            return "size"
        if deep:
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != blob.digest.hex:
                    return "rotten"
    except FileNotFoundError:
        return "missing"
    except OSError:
        return "unreadable"
    return None
