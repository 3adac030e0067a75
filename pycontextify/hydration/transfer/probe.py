"""What stands between here and an address, step by step, and what its server can do; for somebody who looks into it.

Hydration itself asks for what it needs and sees whether that comes. Here each step is taken alone, so that the one that
fails can be named: the name, the connection, TLS, and then the requests that hydration makes.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from yarl import URL

from pycontextify.errors import TransientFetchError
from pycontextify.hydration.transfer.address import first_hop
from pycontextify.hydration.transfer.fetch import Access
from pycontextify.hydration.transfer.ranges import Span, is_strong
from pycontextify.hydration.transfer.transport import Ask, RangeRefused, Reply, Transport, check_document
from pycontextify.hydration.transfer.trouble import untrusted
from pycontextify.redact import redact_url

__all__ = ["Look", "Reach", "gives_ranges", "look", "reach"]


@dataclass(frozen=True, slots=True)
class Reach:
    """The way to a server: the addresses of its name, the seconds that a connection took, and what TLS came to.

    ``expires`` is when its certificate does (seconds since the epoch). ``proxy`` is what stands between, redacted; then
    nothing else is known.
    """

    proxy: str | None = None
    addresses: tuple[str, ...] = ()
    seconds: float = 0.0
    protocol: str | None = None
    expires: float | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What a server answers. ``skew`` is how far its clock is ahead of ours, in seconds; None where it does not tell.

    ``etag``: whether it names versions so that they can be told apart to the byte (``strong``), roughly (``weak``), or
    not at all. ``unmodified``: whether it says so when asked for what it has just given. The others are as in `Reply`.
    """

    content: bytes
    skew: float | None
    etag: str | None
    unmodified: bool = False
    moved_to: str | None = None
    size: int | None = None


async def reach(url: str, access: Access, *, step_seconds: float) -> Reach:
    """Resolve a name, connect, and shake hands; each may take ``step_seconds``. Raises FetchError."""
    address = first_hop(url).url
    proxy = await access.proxy(address)
    if proxy is not None:
        return Reach(proxy=redact_url(str(proxy.with_user(None))))
    host, port, asset = address.host or "", address.port or 0, redact_url(str(address))
    addresses = await _resolve(host, port, asset, step_seconds)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await _connect(host, port, asset, step_seconds)
    reached = Reach(addresses=addresses, seconds=loop.time() - began)
    return await _shake_hands(address, reached, access, step_seconds) if address.scheme == "https" else reached


async def _resolve(host: str, port: int, asset: str, seconds: float) -> tuple[str, ...]:
    try:
        async with asyncio.timeout(seconds):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise TransientFetchError(
            "the host's name is not found", code="dns_failed", asset=asset, hint="check the address, and the network"
        ) from error
    return tuple(dict.fromkeys(str(each[4][0]) for each in found))


async def _connect(host: str, port: int, asset: str, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError as error:
        raise TransientFetchError(
            "no connection could be made in time",
            code="connect_timeout",
            asset=asset,
            hint="check the port, and what lets nothing through: a firewall, or a proxy that is not set",
        ) from error
    except OSError as error:
        # asyncio puts the address into the words of the system's.
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        raise TransientFetchError(
            f"no connection could be made ({reason})",
            code="connect_failed",
            asset=asset,
            hint="check the port, and whether its server runs",
        ) from error
    await _close(writer)


async def _shake_hands(address: URL, reached: Reach, access: Access, seconds: float) -> Reach:
    own = access.tls.own
    context = own if isinstance(own, ssl.SSLContext) else await asyncio.to_thread(ssl.create_default_context)
    asset = redact_url(str(address))
    try:
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(address.host, address.port, ssl=context)
    except ssl.SSLCertVerificationError as error:
        raise untrusted(error, asset) from None
    except (OSError, TimeoutError) as error:
        reason = error.reason if isinstance(error, ssl.SSLError) else getattr(error, "strerror", None)
        raise TransientFetchError(
            f"no TLS connection could be made ({reason or type(error).__name__})",
            code="tls_failed",
            asset=asset,
            hint="check that the port speaks TLS, and whether it asks for index_bootstrap_client_cert",
        ) from None
    shaken = writer.get_extra_info("ssl_object")
    certificate = writer.get_extra_info("peercert") or {}
    ends = certificate.get("notAfter")
    await _close(writer)
    return replace(
        reached,
        protocol=None if shaken is None else shaken.version(),
        expires=float(ssl.cert_time_to_seconds(ends)) if isinstance(ends, str) else None,
    )


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(1):
            await writer.wait_closed()


async def look(transport: Transport, url: str, *, limit: int, clock: Callable[[], float]) -> Look:
    """Read a document of at most ``limit`` bytes, and ask for it again. Raises FetchError or SnapshotRejected."""
    async with transport.open(Ask(url)) as reply:
        first = _looked(reply, clock)
        content = bytearray()
        while piece := await reply.read():
            content += piece
            check_document(len(content), limit, redact_url(url))
    again = False
    if reply.validators:
        async with transport.open(Ask(url, unless=reply.validators)) as second:
            again = second.unmodified
    return replace(first, content=bytes(content), unmodified=again)


def _looked(reply: Reply, clock: Callable[[], float]) -> Look:
    etag = reply.validators.etag
    kind = None if etag is None else "strong" if is_strong(etag) else "weak"
    skew = None if reply.date is None else reply.date - clock()
    return Look(b"", skew, kind, moved_to=reply.moved_to, size=reply.size)


async def gives_ranges(transport: Transport, url: str, clock: Callable[[], float]) -> tuple[bool, Look]:
    """Ask for one byte of an asset; tell whether that alone comes, and what the answer says. Raises FetchError."""
    try:
        async with transport.open(Ask(url, Span(0, 1))) as reply:
            looked = _looked(reply, clock)
            ranges = not reply.whole or reply.size == 1
            if ranges:
                await reply.read()  # a connection that nothing more comes from can be used again
    except RangeRefused:
        async with transport.open(Ask(url)) as reply:
            return False, _looked(reply, clock)
    if not reply.validators:
        return ranges, looked
    async with transport.open(Ask(url, Span(0, 1), unless=reply.validators)) as second:
        return ranges, replace(looked, unmodified=second.unmodified)
