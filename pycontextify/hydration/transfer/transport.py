"""What moves bytes from a source to this machine: the protocol, its words, and the rules by which bytes are judged.

The rules are pure, so that HTTP, files and whatever comes next are judged alike: at most the declared size and one
buffer is taken in, fewer bytes than declared are an early end (worth another try), and a digest has the last word.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from pycontextify.errors import FetchError, PermanentFetchError, TransientFetchError, VerifyError
from pycontextify.hydration.transfer.ranges import Span
from pycontextify.snapshot.digest import Digest

__all__ = [
    "BUFFER",
    "DEFAULT_LIMIT",
    "Ask",
    "Download",
    "RangeRefused",
    "Received",
    "Reply",
    "Transport",
    "Validators",
    "Watch",
    "check_arriving",
    "check_declared",
    "check_digest",
    "check_document",
    "check_ended",
    "check_request",
    "is_absent",
]

BUFFER = 256 * 1024
"""Bytes handled at a time; measured to cost the event loop the least lag."""

DEFAULT_LIMIT = 64 * 1024**3
"""The largest asset taken when nothing declares its size, in bytes."""

_ABSENT = frozenset({"http_404", "http_410", "file_missing"})


class RangeRefused(PermanentFetchError):  # noqa: N818 - a verdict on the range, not on the asset
    """The server does not give the range that was asked for, or not of the version that was; the whole it may give."""

    default_code = "range_refused"


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server calls this version of an asset: its ETag and Last-Modified headers, as they were sent."""

    etag: str | None = None
    modified: str | None = None

    def __bool__(self) -> bool:
        return bool(self.etag or self.modified)


@dataclass(frozen=True, slots=True, repr=False)
class Ask:
    """One request. ``span`` None asks for the whole asset.

    ``if_range`` (a strong ETag): the span if the asset still is this version, else the whole. ``unless``: nothing if
    the asset still is this version.
    """

    url: str
    span: Span | None = None
    if_range: str | None = None
    unless: Validators | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What answers an ask.

    The body has ``length`` bytes, the asset ``size``: both None where the source does not tell. ``whole``: it is all of
    the asset, whatever was asked for; otherwise it begins where the span does. ``read`` returns the next bytes of the
    body, none at its end. ``unmodified`` replies have no body. ``date`` is when the source says that it is (seconds
    since the epoch), ``moved_to`` the scheme and host that answered where those are not the ones that were asked.
    """

    read: Callable[[], Awaitable[bytes]]
    whole: bool = True
    length: int | None = None
    size: int | None = None
    validators: Validators = Validators()
    unmodified: bool = False
    date: float | None = None
    moved_to: str | None = None


class Transport(Protocol):
    """Asks once, and gives what comes."""

    def open(self, ask: Ask) -> AbstractAsyncContextManager[Reply]:
        """Lend the reply to a request, its body yet to be read.

        Entering and reading raise TransientFetchError (worth another try) and PermanentFetchError: RangeRefused is one,
        and `is_absent` tells whether it is for want of the asset.
        """
        ...


@dataclass(frozen=True, slots=True, repr=False)
class Download:
    """An asset to be streamed to disk from any one, or several, of its mirrors.

    ``name`` is what people call it. ``digest`` and ``size`` (bytes) are what it must turn out to be, where known.
    ``limit`` (bytes) is the most that is taken whatever anybody says. ``check`` is given the BLAKE2b-512 of the whole,
    which is what its signature signs; it blocks, and raises VerifyError when that does not fit. ``lasting``: it will be
    kept as it is, so its way to the disk may as well begin.
    """

    name: str
    urls: tuple[str, ...]
    digest: Digest | None = None
    size: int | None = None
    limit: int = DEFAULT_LIMIT
    check: Callable[[bytes], None] | None = None
    lasting: bool = True

    @property
    def most(self) -> int:
        """The most bytes this may have."""
        return self.limit if self.size is None else self.size


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told how a download goes; all of it on the event loop.

    ``landed`` hears how many bytes are there, and how many of them have just come over the wire; a restart lowers the
    first. ``sized`` hears the size of the whole before the first byte is written, and may raise. ``asking`` hears which
    address, redacted, is asked.
    """

    landed: Callable[[int, int], None] = lambda _there, _fetched: None
    sized: Callable[[int], Awaitable[None]] | None = None
    asking: Callable[[str], None] = lambda _mirror: None


@dataclass(frozen=True, slots=True)
class Received:
    """What a download turned out to be: its digest, its size in bytes, and how its source calls this version."""

    digest: Digest
    size: int
    url: str = ""
    validators: Validators = Validators()


def is_absent(error: FetchError) -> bool:
    """Tell whether the source answered that it has no such asset (a sidecar that was never published, say)."""
    return error.code in _ABSENT


def check_request(request: Download) -> None:
    """Raise VerifyError when an asset that is known to be too large is to be downloaded at all."""
    if request.size is not None and request.size > request.limit:
        raise VerifyError(
            f"{request.name} has {request.size:,} bytes, and {request.limit:,} is the most that is taken",
            code="size_exceeded",
            hint="if that is right, raise index_bootstrap_max_size",
        )


def check_declared(request: Download, declared: int, asset: str) -> None:
    """Judge the size in bytes that a source announces, before any byte of it is taken.

    Raises VerifyError when that is too many, TransientFetchError when fewer than are known to be needed.
    """
    if declared > request.most:
        raise _too_large(request, f"the source announces {declared:,} bytes", asset)
    if request.size is not None and declared < request.size:
        raise TransientFetchError(
            f"the source announces {declared:,} bytes of {request.name}, {request.size:,} are expected",
            code="truncated",
            asset=asset,
            hint="it may still be being published",
        )


def check_arriving(request: Download, arrived: int, asset: str) -> None:
    """Raise VerifyError when more bytes have arrived than there may be."""
    if arrived > request.most:
        raise _too_large(request, f"more than {request.most:,} bytes arrive", asset)


def check_ended(request: Download, reached: int, expected: int | None, asset: str) -> None:
    """Judge a body that has ended at byte ``reached`` of the asset: TransientFetchError when that is too early."""
    if expected is not None and reached < expected:
        raise TransientFetchError(
            f"{request.name} ended after {reached:,} of {expected:,} bytes", code="truncated", asset=asset
        )


def check_digest(request: Download, received: Digest, asset: str) -> None:
    """Raise VerifyError when the bytes are not those that were asked for."""
    if request.digest is not None and received != request.digest:
        raise VerifyError(
            f"{request.name} has SHA-256 {received.short}…, expected {request.digest.short}…",
            code="digest_mismatch",
            asset=asset,
            hint="publish it again, or correct the pinned digest or .sha256 file",
        )


def check_document(size: int, limit: int, asset: str) -> None:
    """Raise VerifyError when a small document has more than ``limit`` bytes."""
    if size > limit:
        raise VerifyError(
            f"the document has more than {limit:,} bytes",
            code="size_exceeded",
            asset=asset,
            hint="check that the address leads to a published index",
        )


def _too_large(request: Download, what: str, asset: str) -> VerifyError:
    bound = "the most that is taken" if request.size is None else "its declared size"
    return VerifyError(
        f"{what}, and {request.most:,} is {bound} for {request.name}",
        code="size_exceeded",
        asset=asset,
        hint="check that the address leads to what was published",
    )
