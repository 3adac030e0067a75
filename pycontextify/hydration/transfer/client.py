"""What hydration asks of a source: small documents whole, large assets to a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pycontextify.errors import SnapshotRejected
from pycontextify.hydration.transfer.address import address_of
from pycontextify.hydration.transfer.download import download
from pycontextify.hydration.transfer.transport import (
    Ask,
    Download,
    Received,
    Reply,
    Validators,
    Watch,
    check_document,
    check_ended,
)
from pycontextify.hydration.transfer.wire import Wire
from pycontextify.redact import redact_url

__all__ = ["Client", "Document", "Seen"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen earlier: the address, by `address_of`, and how its server called that version."""

    url: str
    validators: Validators

    def is_of(self, url: str) -> bool:
        """Tell whether it was seen at this very address."""
        return self.url == address_of(url)


@dataclass(frozen=True, slots=True)
class Document:
    """A small document. ``content`` is None when the server says that it is what was seen earlier."""

    content: bytes | None
    seen: Seen


class Client:
    """Reads documents and downloads assets, from mirror after mirror, again and again, as the wire's policy has it."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def read(
        self, urls: Sequence[str], accept: Callable[[Document], _T], *, limit: int, unless: Seen | None = None
    ) -> _T:
        """Return what ``accept`` makes of a document of at most ``limit`` bytes.

        ``accept`` may raise SnapshotRejected: another mirror may have a better one. With ``unless``, the document has
        no content where it is still that version.

        Raises FetchError or SnapshotRejected.
        """

        async def ask(url: str) -> _T:
            earlier = unless.validators if unless is not None and unless.is_of(url) else None
            async with self._wire.open(Ask(url, unless=earlier)) as reply:
                content = None if reply.unmodified else await _content(reply, limit, redact_url(url))
            try:
                return accept(Document(content, Seen(address_of(url), reply.validators)))
            except SnapshotRejected as error:
                error.asset = error.asset or redact_url(url)
                raise

        return await self._wire.ask(urls, ask)

    async def is_unmodified(self, urls: Sequence[str], seen: Seen) -> bool:
        """Ask whether an asset is still the version that was ``seen``, and for no more than one byte of it.

        Where another mirror answers than the one where it was seen, nothing is known, and so it is not. Raises
        FetchError.
        """

        async def ask(url: str) -> bool:
            return await self._wire.is_unmodified(url, seen.validators if seen.is_of(url) else None)

        return await self._wire.ask(urls, ask)

    async def download(self, request: Download, path: Path, watch: Watch | None = None) -> Received:
        """Make a file hold an asset; see `download`."""
        async with self._wire.downloads:
            return await download(self._wire, request, path, watch or Watch())


async def _content(reply: Reply, limit: int, asset: str) -> bytes:
    content = bytearray()
    check_document(reply.length or 0, limit, asset)
    while piece := await reply.read():
        content += piece
        check_document(len(content), limit, asset)
    check_ended(Download("the document", ()), len(content), reply.length, asset)
    return bytes(content)
