"""What it means when HTTP goes wrong: from statuses and aiohttp's errors to ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import aiohttp

from pycontextify.errors import FetchError, PermanentFetchError, TransientFetchError
from pycontextify.hydration.transfer.retry import is_transient_status

__all__ = ["status_error", "untrusted", "wrapping"]


def status_error(status: int, retry_after: float | None, asset: str) -> FetchError:
    """Return the error that a status stands for; ``retry_after`` is what came with it, in seconds."""
    try:
        phrase = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = str(status)
    what, code = f"the server answered {phrase}", f"http_{status}"
    if is_transient_status(status):
        return TransientFetchError(what, code=code, asset=asset, retry_after=retry_after)
    return PermanentFetchError(what, code=code, asset=asset, hint=_HINTS.get(status))


_HINTS = {
    401: (
        "give the source a login: PYCONTEXTIFY_INDEX_BOOTSTRAP_TOKEN, say, or user:password@ in its address; "
        "where it has one, that is wrong or has expired"
    ),
    403: "check that the login may read it, and the address: object stores say so of what is not there as well",
    404: "check the address",
    407: "give the proxy a login, in HTTPS_PROXY or HTTP_PROXY",
    410: "check the address",
}

# The first row whose class fits an error of aiohttp tells what the error means; the order is from special to general.
_MEANINGS: tuple[tuple[type[Exception], type[FetchError], str, str], ...] = (
    (aiohttp.ClientHttpProxyError, TransientFetchError, "proxy_failed", "the proxy does not connect"),
    (aiohttp.ClientSSLError, TransientFetchError, "tls_failed", "no TLS connection could be made"),
    (aiohttp.ClientProxyConnectionError, TransientFetchError, "proxy_failed", "the proxy can't be reached"),
    (aiohttp.ClientConnectorDNSError, TransientFetchError, "dns_failed", "the host's name is not found"),
    (aiohttp.ClientConnectorError, TransientFetchError, "connect_failed", "no connection could be made"),
    (aiohttp.ConnectionTimeoutError, TransientFetchError, "connect_timeout", "no connection could be made in time"),
    (TimeoutError, TransientFetchError, "read_timeout", "the server has stopped sending"),
    (aiohttp.ClientPayloadError, TransientFetchError, "truncated", "the body ended early"),
    (aiohttp.ClientResponseError, PermanentFetchError, "reply_malformed", "what answers does not speak HTTP"),
    (aiohttp.InvalidURL, PermanentFetchError, "url_invalid", "the address is malformed"),
    (aiohttp.ClientError, TransientFetchError, "connection_lost", "the connection was lost"),
)


@contextmanager
def wrapping(asset: str) -> Iterator[None]:
    """Turn aiohttp's errors into ours.

    Of a foreign error only the system's own error, if any, is chained: the others carry addresses with their queries.
    """
    try:
        yield
    except aiohttp.ClientConnectorCertificateError as error:
        raise untrusted(error.certificate_error, asset) from None
    except (aiohttp.ClientError, TimeoutError) as error:
        kind, code, what = next(row[1:] for row in _MEANINGS if isinstance(error, row[0]))
        cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else None
        reason = f" ({cause.strerror or type(cause).__name__})" if cause else ""
        raise kind(what + reason, code=code, asset=asset) from cause


def untrusted(error: Exception, asset: str) -> PermanentFetchError:
    """Return the error of a certificate that does not verify."""
    why = getattr(error, "verify_message", None) or "it does not verify"
    return PermanentFetchError(
        f"the server's certificate is not trusted ({why})",
        code="tls_untrusted",
        asset=asset,
        hint=_untrusted_hint(why),
    )


def _untrusted_hint(why: str) -> str:
    if "expired" in why:
        return "have it renewed, and check this machine's clock"
    if "not yet valid" in why:
        return "check this machine's clock"
    if "mismatch" in why or "not valid for" in why:
        return "name the host in the address as the certificate does"
    return "name a file with the authority that has issued it as index_bootstrap_ca_file"
