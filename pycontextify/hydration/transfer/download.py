"""One asset to one file: what is missing of it, from any of its mirrors, in one stream or in several.

What is missing is fetched piece by piece. The first piece of a large asset whose digest is known shows whether the
server gives ranges; if it does, helpers fetch further pieces beside it. A helper that fails leaves its piece to the
others and is not missed: one stream is enough.

Bytes of two versions are never mixed. What vouches for a resumed download is, on the same address, the strong ETag that
the server gave before (If-Range), and on every address the digest, where one is known. Without either, it begins again.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import anyio

from pycontextify.errors import FetchError, SnapshotRejected, TransientFetchError, VerifyError
from pycontextify.hydration.transfer.partial import Partial
from pycontextify.hydration.transfer.ranges import Extents, Span, is_strong
from pycontextify.hydration.transfer.transport import (
    BUFFER,
    Ask,
    Download,
    RangeRefused,
    Received,
    Reply,
    check_arriving,
    check_declared,
    check_digest,
    check_ended,
    check_request,
)
from pycontextify.hydration.transfer.wire import Wire
from pycontextify.hydration.workers import together
from pycontextify.redact import redact_url

__all__ = ["Watch", "download"]

_T = TypeVar("_T")
_LOG = logging.getLogger(__name__)
_HASH_STEP = 4 * BUFFER


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


async def download(wire: Wire, request: Download, path: Path, watch: Watch) -> Received:
    """Make ``path`` (which ends in ``.part``) hold the asset, from what is there of it already.

    A whole that fails its digest is fetched once more, from its first byte on; where there are mirrors, once from each.
    Raises FetchError, VerifyError and StoreError; what came until then is kept, and the next call goes on from there.
    """
    check_request(request)
    async with Partial(path, wire.workers) as partial:
        again = max(1, len(request.urls) - 1)
        while True:
            fetching = _Fetching(wire, request, partial, watch)
            await fetching.run()
            digest, source = await partial.digest(), fetching.source
            try:
                check_digest(request, digest, redact_url(source))
            except VerifyError as error:
                wire.mirrors.failed(source)
                await partial.reset()
                if not again:
                    raise
                _LOG.info("%s; it is fetched once more", error)
                again -= 1
            else:
                return Received(digest, partial.size or 0, redact_url(source), partial.validators(source))


class _StartOverError(Exception):
    """The bytes that are there and those that would come may be of two versions."""


class _Piece:
    """Bytes that one stream fetches, from ``start``, which moves on as they land; ``stop`` None: to the end."""

    def __init__(self, span: Span) -> None:
        self.start = span.start
        self.stop = span.stop


class _Fetching:
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
        self._faith = 2
        """How far ranges are trusted here: 2 for helpers too, 1 to resume, 0 not at all."""
        self._over = False
        self._proven = anyio.Event()
        self._stirred = anyio.Event()

    async def run(self) -> None:
        """Fetch until nothing is missing."""
        await self._trust_what_is_there()
        while True:
            self._partial.size = self._partial.size if self._request.size is None else self._request.size
            self._over, self._proven = False, anyio.Event()
            self._tell(0)
            try:
                await together(self._lead, self._hash_along, *[self._help] * self._helpers)
            except _StartOverError as error:
                _LOG.info("%s is fetched from its first byte on: %s", self._request.name, error)
                self._faith -= 1
                await self._partial.reset()
            else:
                return

    async def _trust_what_is_there(self) -> None:
        """Without a digest, a file that is whole already may be of yesterday: ask, and if it is, drop it."""
        if self._request.digest is None and self._partial.whole and not await self._again(self._is_current):
            await self._partial.reset()

    async def _is_current(self, url: str) -> bool:
        known = self._partial.validators(url)
        if not known:
            return False
        self.source = url
        async with self._wire.limiter, self._wire.transport.open(Ask(url, Span(0, 1), unless=known)) as reply:
            return reply.unmodified

    @property
    def _helpers(self) -> int:
        shared_out = self._request.digest is not None and self._faith == 2
        return int(self._wire.limiter.total_tokens) - 1 if shared_out else 0

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
        ask = await self._ask(piece, url)
        async with self._wire.limiter, self._wire.transport.open(ask) as reply:
            await self._take(reply, ask, piece)
            if reply.whole:
                piece.stop = self._partial.size
            elif self._partial.size is not None:
                self._proven.set()
            await self._pour(reply, piece, redact_url(url))

    async def _ask(self, piece: _Piece, url: str) -> Ask:
        etag = self._partial.validators(url).etag
        vouched = etag if is_strong(etag) else None
        if piece.start > 0 and (not self._faith or (self._request.digest is None and vouched is None)):
            # Nothing can vouch for what is there. No helper is about in either case, so this piece is all there is.
            await self._partial.reset()
            self._partial.size = self._request.size
            piece.start, piece.stop = 0, None
        part = piece.start > 0 or piece.stop not in (None, self._partial.size)
        if not part or not self._faith:
            return Ask(url)
        return Ask(url, Span(piece.start, piece.stop), if_range=vouched if self._partial.extents.total else None)

    async def _take(self, reply: Reply, ask: Ask, piece: _Piece) -> None:
        """Judge the head of a reply: whether its bytes go with those that are there, or are on their way."""
        asset, there = redact_url(ask.url), self._partial.extents.total > 0 or len(self._pieces) > 1
        if reply.whole and (there or piece.start):
            raise RangeRefused("the whole comes where a range was asked for", asset=asset)
        known, etag = self._partial.validators(ask.url).etag, reply.validators.etag
        if there and known and etag and known != etag:
            raise RangeRefused("it has changed since the first bytes came", asset=asset)
        if reply.size is not None:
            check_declared(self._request, reply.size, asset)
            if there and self._partial.size not in (None, reply.size):
                raise RangeRefused("it has another size than before", asset=asset)
            if self._partial.size != reply.size and self._watch.sized is not None:
                await self._watch.sized(reply.size)
        self.source = ask.url
        await self._partial.describe(ask.url, reply.validators, reply.size)

    async def _pour(self, reply: Reply, piece: _Piece, asset: str) -> None:
        """Move a body into the file; what the network gives in crumbs is gathered into whole buffers."""
        expected = self._expected(reply, piece)
        reached, crumbs, held = piece.start, list[bytes](), 0
        async with self._partial.writer(piece.start) as put:

            async def land() -> None:
                nonlocal held
                if held:
                    await put(b"".join(crumbs))
                    crumbs.clear()
                    piece.start, held = piece.start + held, 0
                    self._best = max(self._best, self._partial.extents.total)
                    self._stir()

            try:
                while data := await reply.read():
                    reached += len(data)
                    check_arriving(self._request, reached, asset)
                    crumbs.append(data)
                    held += len(data)
                    self._in_hand += len(data)
                    self._tell(len(data))
                    if held >= BUFFER:
                        self._in_hand -= held
                        await land()
            finally:
                self._in_hand -= held
                await land()
        check_ended(self._request, reached, expected, asset)
        await self._partial.end_at(reached)

    def _expected(self, reply: Reply, piece: _Piece) -> int | None:
        """Return where the body of a reply must end at the earliest."""
        if reply.length is not None:
            return reply.begins + reply.length
        return self._partial.size if piece.stop is None else piece.stop

    def _tell(self, fetched: int) -> None:
        self._watch.landed(self._partial.extents.total + self._in_hand, fetched)
