"""What is missing of an asset, from any of its mirrors, in one stream or in several.

What is missing is fetched piece by piece. The first piece of a large asset whose digest is known shows whether the
server gives ranges; if it does, helpers fetch further pieces beside it. A helper that fails leaves its piece to the
others and is not missed: one stream is enough.

Bytes of two versions are never mixed. What vouches for a resumed download is, on the same address, the strong ETag that
the server gave before (If-Range), and on every address the digest, where one is known. Without either, it begins again.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from pycontextify.errors import FetchError, SnapshotRejected, TransientFetchError
from pycontextify.hydration.transfer.partial import Partial
from pycontextify.hydration.transfer.ranges import Extents, Span, is_strong
from pycontextify.hydration.transfer.transport import (
    BUFFER,
    Ask,
    Download,
    RangeRefused,
    Reply,
    Watch,
    check_arriving,
    check_declared,
    check_ended,
)
from pycontextify.hydration.transfer.wire import Wire
from pycontextify.hydration.workers import together
from pycontextify.redact import redact_url

__all__ = ["Fetching"]

_T = TypeVar("_T")
_LOG = logging.getLogger(__name__)
_HASH_STEP = 16 * BUFFER
_WRITTEN = 4 * BUFFER
"""Bytes that are gathered for one trip to a thread: at 256 KiB such trips are a fifth of all work."""
_LONGEST_HELD_SECONDS = 0.02
"""How long less than that may go unwritten: a kill costs each stream no more than comes in this time.

Measured at 16 MB/s: a third more processor time than for whole buffers alone; nothing at 60 MB/s and above.
"""


class _StartOverError(Exception):
    """The bytes that are there and those that would come may be of two versions."""


class _Piece:
    """Bytes that one stream fetches, from ``start``, which moves on as they land; ``stop`` None: to the end."""

    def __init__(self, span: Span) -> None:
        self.start = span.start
        self.stop = span.stop


class Fetching:
    """Everything that is missing, fetched; one object for one go."""

    def __init__(self, wire: Wire, request: Download, partial: Partial, watch: Watch) -> None:
        self.source = request.urls[0]
        """The address that answered last."""
        self._wire = wire
        self._request = request
        self._partial = partial
        self._watch = watch
        self._pieces: list[_Piece] = []
        self._in_hand = 0
        self._best = 0
        self._told: int | None = None
        self._starts = 0
        """How often it had to begin again: after once nothing is shared out any more, after twice nothing resumed."""
        self._over = False
        self._proven = anyio.Event()
        self._stirred = anyio.Event()

    async def run(self) -> None:
        """Fetch until nothing is missing."""
        await self._trust_what_is_there()
        while True:
            await self._know_size(self._partial.size if self._request.size is None else self._request.size)
            self._over, self._proven = False, anyio.Event()
            self._tell(0)
            try:
                await together(self._lead, self._hash_along, *[self._help] * self._helpers)
            except _StartOverError as error:
                _LOG.info("%s is fetched from its first byte on: %s", self._request.name, error)
                self._starts += 1
                await self._partial.reset()
            else:
                return

    async def _trust_what_is_there(self) -> None:
        """Without a digest, a file that is whole already may be of yesterday: ask, and if it is, drop it."""
        if self._request.digest is None and self._partial.whole and not await self._again(self._is_current):
            await self._partial.reset()

    async def _is_current(self, url: str) -> bool:
        self.source = url
        return await self._wire.is_unmodified(url, self._partial.validators(url) or None)

    async def _know_size(self, size: int | None) -> None:
        """The whole has so many bytes; who watches is told, and may refuse, before any of them is written."""
        self._partial.size = size
        if size is not None and size != self._told:
            self._told = size
            if self._watch.sized is not None:
                await self._watch.sized(size)

    @property
    def _helpers(self) -> int:
        shared_out = self._request.digest is not None and not self._starts
        return self._wire.slots.connections - 1 if shared_out else 0

    async def _lead(self) -> None:
        """Fetch piece after piece; also what a helper has given back."""
        try:
            while True:
                piece = self._next()
                if piece is not None:
                    await self._fetch_leading(piece)
                elif self._pieces:
                    await self._stirred.wait()
                else:
                    break
        except RangeRefused as error:
            raise _StartOverError(str(error)) from error
        self._over = True
        self._proven.set()
        self._stir()

    async def _fetch_leading(self, piece: _Piece) -> None:
        """Fetch a piece; where that fails while helpers get on, leave it for when they have."""
        try:
            await self._fetch(piece)
        except TransientFetchError:
            if not self._pieces:
                raise
            await self._stirred.wait()

    async def _help(self) -> None:
        """Fetch pieces beside the lead. To fail is to leave the rest to others."""
        await self._proven.wait()
        try:
            while (piece := self._next()) is not None:
                await self._fetch(piece)
        except (FetchError, SnapshotRejected) as error:
            _LOG.debug("one stream less for %s: %s", self._request.name, error)

    async def _hash_along(self) -> None:
        while not self._over:
            if self._partial.unhashed >= _HASH_STEP:
                await self._partial.hash_on()
            else:
                await self._stirred.wait()

    def _stir(self) -> None:
        """Wake whoever waits for a change."""
        self._stirred.set()
        self._stirred = anyio.Event()

    def _next(self) -> _Piece | None:
        """Return the first bytes that are missing and that nobody fetches yet; None when there are none."""
        covered = Extents(self._partial.extents)
        for piece in self._pieces:
            if piece.stop is None:
                return None
            covered.add(piece.start, piece.stop)
        gap = next(covered.gaps(self._partial.size), None)
        if gap is None:
            return None
        small = self._partial.size is not None and self._partial.size - covered.total < 2 * self._wire.piece
        if small or not self._helpers:
            return _Piece(gap)
        stop = gap.start + self._wire.piece
        return _Piece(Span(gap.start, stop if gap.stop is None else min(stop, gap.stop)))

    async def _fetch(self, piece: _Piece) -> None:
        self._pieces.append(piece)
        try:
            await self._again(lambda url: self._carry(piece, url))
        finally:
            self._pieces.remove(piece)
            self._stir()

    async def _again(self, ask: Callable[[str], Awaitable[_T]]) -> _T:
        return await self._wire.ask(self._request.urls, ask, progress=lambda: self._best)

    async def _carry(self, piece: _Piece, url: str) -> None:
        """Bring in what is still missing of a piece, from one address."""
        self._watch.asking(redact_url(url))
        ask = self._ask(piece, url)
        async with self._wire.open(ask) as reply:
            await self._take(reply, ask, piece)
            if not reply.whole:
                self._proven.set()
            await self._pour(reply, piece, redact_url(url))

    def _ask(self, piece: _Piece, url: str) -> Ask:
        """Return the request for a piece: a range where something vouches for what is there, else for the whole."""
        etag = self._partial.validators(url).etag
        vouched = etag if is_strong(etag) else None
        whole = piece.start == 0 and piece.stop in (None, self._partial.size)
        if whole or self._starts > 1 or (self._request.digest is None and vouched is None):
            return Ask(url)
        return Ask(url, Span(piece.start, piece.stop), if_range=vouched if self._partial.extents.total else None)

    async def _take(self, reply: Reply, ask: Ask, piece: _Piece) -> None:
        """Judge the head of a reply: whether its bytes go with those that are there; if not, those go."""
        asset = redact_url(ask.url)
        if reply.size is not None:
            check_declared(self._request, reply.size, asset)
        if reply.whole and len(self._pieces) > 1:
            raise RangeRefused("the whole comes where a range was asked for", asset=asset)
        if reply.whole or (not self._partial.extents.total and len(self._pieces) == 1):
            await self._partial.reset()
            await self._know_size(self._request.size)
        else:
            self._check_same(reply, ask.url, asset)
        if reply.size is not None:
            await self._know_size(reply.size)
        if reply.whole:
            piece.start, piece.stop = 0, self._partial.size
        elif self._partial.size is None:
            raise RangeRefused("it does not tell how large the whole is", asset=asset)
        self.source = ask.url
        await self._partial.describe(ask.url, reply.validators, self._partial.size)

    def _check_same(self, reply: Reply, url: str, asset: str) -> None:
        """Raise RangeRefused when a part may be of another version than the bytes that are there."""
        known, etag = self._partial.validators(url).etag, reply.validators.etag
        if known != etag and (self._request.digest is None or (known and etag)):
            raise RangeRefused("it has changed since the first bytes came", asset=asset)
        if reply.size is not None and self._partial.size not in (None, reply.size):
            raise RangeRefused("it has another size than before", asset=asset)

    async def _pour(self, reply: Reply, piece: _Piece, asset: str) -> None:
        """Move a body into the file; what the network gives in crumbs is gathered, up to a MiB and for a moment."""
        announced = None if reply.length is None else piece.start + reply.length
        reached, crumbs, written = piece.start, list[bytes](), self._wire.monotonic()
        async with self._partial.writer(piece.start) as put:

            async def land() -> None:
                nonlocal written
                # Emptied first: what a full disk refuses must not be written once more, further on.
                buffers, size = crumbs.copy(), sum(map(len, crumbs))
                crumbs.clear()
                self._in_hand -= size
                if size:
                    await put(buffers)
                    piece.start += size
                    self._best = max(self._best, self._partial.extents.total)
                    self._stir()
                written = self._wire.monotonic()

            try:
                while data := await reply.read():
                    reached += len(data)
                    check_arriving(self._request, reached, asset)
                    if announced is not None and reached > announced:
                        raise RangeRefused("more comes than was announced", asset=asset)
                    crumbs.append(data)
                    self._in_hand += len(data)
                    self._tell(len(data))
                    held_for = self._wire.monotonic() - written
                    if reached - piece.start >= _WRITTEN or held_for >= _LONGEST_HELD_SECONDS:
                        await land()
            finally:
                await land()
        check_ended(self._request, reached, piece.stop if announced is None else announced, asset)
        await self._partial.end_at(reached)

    def _tell(self, fetched: int) -> None:
        self._watch.landed(self._partial.extents.total + self._in_hand, fetched)
