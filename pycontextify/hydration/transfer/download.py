"""One asset to one file: fetched from what is there of it already, and held to its digest."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from pycontextify.errors import FetchError, VerifyError
from pycontextify.hydration.transfer.address import address_of
from pycontextify.hydration.transfer.fetching import Fetching
from pycontextify.hydration.transfer.partial import Partial
from pycontextify.hydration.transfer.transport import Download, Received, Watch, check_digest, check_request
from pycontextify.hydration.transfer.wire import Wire
from pycontextify.redact import redact_url

__all__ = ["download"]

_LOG = logging.getLogger(__name__)


async def download(wire: Wire, request: Download, path: Path, watch: Watch) -> Received:
    """Make ``path`` (which ends in ``.part``) hold the asset, from what is there of it already.

    A whole that fails its digest may have been put together from several mirrors, so each is then asked for all of it,
    one after the other, until one passes. Raises FetchError, VerifyError and StoreError; what came until then is kept,
    and the next call goes on from there.
    """
    check_request(request)
    vouched, signed = request.digest is not None, request.check is not None
    async with Partial(path, wire.workers, vouched=vouched, lasting=request.lasting, signed=signed) as partial:
        fetching = Fetching(wire, request, partial, watch)
        await fetching.run()
        try:
            return await _verified(wire, request, partial, fetching.source)
        except VerifyError as error:
            wire.mirrors.failed(fetching.source)
            failure: FetchError | VerifyError = error
        for url in wire.mirrors.order(request.urls):
            _LOG.info("%s; all of it is fetched again, from %s", failure, redact_url(url))
            await partial.reset()
            try:
                await Fetching(wire, replace(request, urls=(url,)), partial, watch).run()
                return await _verified(wire, request, partial, url)
            except (FetchError, VerifyError) as error:
                failure = error
        if isinstance(failure, VerifyError):
            await partial.reset()
        raise failure


async def _verified(wire: Wire, request: Download, partial: Partial, source: str) -> Received:
    digest = await partial.digest()
    check_digest(request, digest, redact_url(source))
    if request.check is not None:
        await wire.workers.run(request.check, await partial.prehash())
    return Received(digest, partial.size or 0, address_of(source), partial.validators(source))
