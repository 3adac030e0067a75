"""The file that a download grows in, and what survives of it when this process is killed.

    HEX.part       the bytes so far, each at its place; there may be holes
    HEX.journal    which of them count, and what their sources called them: one line of JSON for each fact

A line is appended only after the bytes that it speaks of were written:

1. killed before the write: neither bytes nor line. They are fetched again;
2. killed between write and line: the bytes are there and do not count. They are fetched again, one write at most;
3. killed in the middle of a line: a line that can't be read says nothing, as in 2;
4. the machine dies: lines may be there whose bytes are not. The digest will tell, and everything is fetched again.
   Where no digest is known, bytes are flushed to the disk before a line speaks of them, 8 MiB at a time.

The digest of the whole, and what a signature signs of it, are computed behind the writers, from the first byte on, by
reading back what they wrote: it is in the page cache, and so resumed, parallel and plain downloads are one case. What
they have passed of a file that is kept is flushed, 64 MiB at a time: the disk works while the network does, and little
is left to wait for when the file is put in its place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import anyio
from aiofiles.threadpool import wrap

from pycontextify.hydration.transfer.landing import Landing
from pycontextify.hydration.transfer.ranges import Extents
from pycontextify.hydration.transfer.transport import Validators
from pycontextify.hydration.workers import OnProgress, Workers, finish
from pycontextify.redact import redact_url
from pycontextify.snapshot.digest import Digest
from pycontextify.store.durable import flush, on_disk

__all__ = ["Partial"]

_BLOCK = 1 << 20
_FLUSHED_BEHIND = 64 << 20


class Partial:
    """A download in progress, opened and closed by ``async with``; one object a file. Lives on the event loop.

    ``vouched``: a digest will tell whether the bytes are right. ``lasting``: the file will be kept. ``signed``: its
    `prehash` will be asked for. Every method that touches the disk raises StoreError.
    """

    def __init__(
        self, path: Path, workers: Workers, *, vouched: bool = True, lasting: bool = True, signed: bool = False
    ) -> None:
        self.extents = Extents()
        """Which bytes are there."""
        self.size: int | None = None
        """The size of the whole in bytes, once it is known."""
        self.path = path
        self._journal_path = path.with_suffix(".journal")
        self._journal: FileIO | None = None
        self._workers = workers
        self._vouched = vouched
        self._lasting = lasting
        self._validators: dict[str, Validators] = {}
        self._kinds = (hashlib.sha256, hashlib.blake2b) if signed else (hashlib.sha256,)
        self._hash_anew()
        self._block = memoryview(bytearray(_BLOCK))
        self._hashing = anyio.Lock()

    async def __aenter__(self) -> Self:
        try:
            await self._workers.run(self._open)
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def _close(self) -> None:
        if self._journal is not None:
            with anyio.CancelScope(shield=True):
                await self._workers.run(self._journal.close)

    @property
    def unhashed(self) -> int:
        """How many bytes the digest could already take in."""
        return self.extents.frontier - self._hashed

    @property
    def whole(self) -> bool:
        """Whether every byte is there."""
        return self.size is not None and self.extents.frontier >= self.size

    def validators(self, url: str) -> Validators:
        """Return what a source called the version that its bytes are from."""
        return self._validators.get(redact_url(url), Validators())

    async def describe(self, url: str, validators: Validators, size: int | None) -> None:
        """Remember how a source calls its version, and how large that is."""
        source = redact_url(url)
        if self._validators.get(source) == validators and self.size == size:
            return
        self._validators[source] = validators
        self.size = size if size is not None else self.size
        fact = {"source": source, "etag": validators.etag, "modified": validators.modified, "size": self.size}
        await self._workers.run(self._note, fact)

    async def end_at(self, size: int) -> None:
        """The body has ended: that is the size of the whole, if it was not known."""
        if self.size is None:
            self.size = size
            await self._workers.run(self._note, {"size": size})

    @asynccontextmanager
    async def writer(self, start: int) -> AsyncIterator[Callable[[Sequence[bytes]], Awaitable[None]]]:
        """Lend a function that writes buffers one after the other, the first at ``start``.

        What was handed over is written and counts, whatever is cancelled meanwhile.
        """
        position = start

        async def put(buffers: Sequence[bytes]) -> None:
            nonlocal position
            size = sum(map(len, buffers))
            with anyio.CancelScope(shield=True), on_disk(self.path):
                await finish(file.writelines(buffers))
            self.extents.add(position, position + size)
            position += size

        with anyio.CancelScope(shield=True), on_disk(self.path):
            landing = await self._workers.run(Landing, self.path, start, self._note_span, vouched=self._vouched)
        file = wrap(landing, executor=self._workers.executor)
        try:
            yield put
        finally:
            # Not by aiofiles' own `async with`: it closes in the loop's default executor, and a cancellation stops it.
            with anyio.CancelScope(shield=True), on_disk(self.path):
                await finish(file.close())

    async def reset(self) -> None:
        """Begin again with nothing."""
        async with self._hashing:
            await self._workers.run(self._truncate)
            self.extents, self.size = Extents(), None
            self._validators.clear()
            self._hash_anew()

    async def hash_on(self) -> None:
        """Take into the digest what there is from the first byte on."""
        async with self._hashing:
            stop = self.extents.frontier
            await self._workers.run_watched(lambda step: self._hash(stop, step))

    async def digest(self) -> Digest:
        """Return the digest of the whole; every byte must be there."""
        await self.hash_on()
        return Digest(f"sha256:{self._hashers[0].hexdigest()}")

    async def prehash(self) -> bytes:
        """Return the BLAKE2b-512 of the whole; every byte must be there."""
        await self.hash_on()
        return self._hashers[1].digest()

    def _hash_anew(self) -> None:
        self._hashers = [kind() for kind in self._kinds]
        self._hashed = 0

    def _open(self) -> None:
        with on_disk(self.path):
            self.path.touch()
            for line in self._journal_path.read_bytes().splitlines() if self._journal_path.exists() else []:
                with suppress(ValueError):
                    self._recall(json.loads(line))
            self.extents.cut(self.path.stat().st_size)
            with self.path.open("r+b") as file:
                file.truncate(self.extents.end)
            # Written anew: what it said of bytes that are gone must not count again once others lie there.
            self._journal = FileIO(self._journal_path, "a")
            self._journal.truncate(0)
            for fact in self._facts():
                self._note(fact)

    def _facts(self) -> Iterator[object]:
        """Yield all that the journal has to say."""
        for source, validators in self._validators.items():
            yield {"source": source, "etag": validators.etag, "modified": validators.modified, "size": self.size}
        yield from map(list, self.extents)

    def _recall(self, fact: Any) -> None:
        match fact:
            case [int(start), int(stop)] if start >= 0:
                self.extents.add(start, stop)
            case {"source": str(source), "etag": str() | None as etag, "modified": str() | None as modified}:
                self._validators[source] = Validators(etag, modified)
                self._recall({"size": fact.get("size")})
            case {"size": int(size)} if size >= 0:
                self.size = size

    def _note_span(self, start: int, stop: int) -> None:
        self._note([start, stop])

    def _note(self, fact: object) -> None:
        with on_disk(self._journal_path):
            self._append(json.dumps(fact).encode() + b"\n")

    def _append(self, line: bytes) -> None:
        if self._journal is None:
            raise RuntimeError("a Partial is used inside its `async with` only")
        self._journal.write(line)

    def _truncate(self) -> None:
        """Empty both files; the journal first, so that it never speaks of bytes that are gone."""
        with on_disk(self._journal_path):
            if self._journal is not None:
                self._journal.truncate(0)
        with on_disk(self.path), self.path.open("r+b") as file:
            file.truncate(0)

    def _hash(self, stop: int, step: OnProgress) -> None:
        # Open for writing, which Windows wants of a file that is flushed.
        with on_disk(self.path), self.path.open("r+b", buffering=0) as file:
            file.seek(self._hashed)
            while self._hashed < stop:
                size = file.readinto(self._block[: stop - self._hashed])
                if not size:
                    raise OSError(None, "a file that is being written has become shorter")
                for hasher in self._hashers:
                    hasher.update(self._block[:size])
                self._hashed += size
                if self._lasting and self._hashed % _FLUSHED_BEHIND < size:
                    flush(file.fileno())
                step(self._hashed)
