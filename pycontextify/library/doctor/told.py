"""What the answers of a source mean for hydration, as findings. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from pycontextify.errors import PyContextifyError, TransientFetchError
from pycontextify.hydration.transfer.probe import Look, Reach
from pycontextify.library.doctor.finding import Finding, Level
from pycontextify.redact import redact_url
from pycontextify.snapshot.config import rfc3339

__all__ = ["found", "of_failure", "of_look", "of_ranges", "of_reach"]

_SKEW_SECONDS = 60.0
_SOON_SECONDS = 14 * 86400.0
_PASSING = "it may pass: servers try again by themselves; if it stays, ask those who run the host"
# What somebody should look at who tries a source out, where an error by itself says nothing of it.
_HINTS = {
    "connection_lost": "check whether the port speaks https, and what stands between",
    "read_timeout": "look at the host: it takes connections, and does not answer",
    "proxy_failed": "check HTTPS_PROXY and HTTP_PROXY, and whether NO_PROXY should name the host",
    "reply_malformed": "check the port, and whether its server speaks http",
}


def found(code: str, what: str, hint: str = "", level: Level = "ok") -> Finding:
    """Return a finding about the source."""
    return Finding(code, what, hint, area="source", level=level)


def of_failure(error: PyContextifyError) -> Finding:
    """Return what an error says, as a finding."""
    asset = f"{redact_url(error.asset)}: " if error.asset else ""
    passing = _PASSING if isinstance(error, TransientFetchError) else "check the address, and try again"
    hint = error.hint or _HINTS.get(error.code, passing)
    return found(error.code, f"{asset}{error.what}", hint, "problem")


def of_reach(asset: str, reached: Reach, now: float) -> Iterator[Finding]:
    """Tell of the way to a server; ``now`` in seconds since the epoch."""
    if reached.proxy is not None:
        yield found("source_proxy", f"{asset} is asked through the proxy {reached.proxy}")
        return
    addresses = ", ".join(reached.addresses[:3])
    yield found("source_reached", f"{asset} is at {addresses}, {reached.seconds * 1000:.0f} ms away")
    if reached.expires is None:
        return
    until = rfc3339(datetime.fromtimestamp(reached.expires, UTC))
    what = f"its certificate is good until {until} ({reached.protocol or 'TLS'})"
    if reached.expires - now < _SOON_SECONDS:
        yield found("tls_expires_soon", f"{asset}: {what}", "have it renewed before", "warning")
    else:
        yield found("tls", f"{asset}: {what}")


def of_look(asset: str, seen: Look, *, remote: bool) -> list[Finding]:
    """Tell what a server has answered; a file's answers say nothing of a server."""
    findings = [found("source_answers", f"{asset} can be read")]
    if not remote:
        return findings
    if seen.moved_to is not None:
        hint = "nothing, if that is meant; logins are not sent there"
        findings.append(found("source_redirects", f"{asset} leads to {redact_url(seen.moved_to)}", hint, "note"))
    findings.append(_clock(asset, seen.skew))
    if seen.etag == "strong" and seen.unmodified:
        findings.append(
            found("source_validators", f"{asset}: its versions can be told apart, for nothing but a header")
        )
    elif not seen.unmodified:
        what = f"{asset}: the server does not say whether it has changed since ({seen.etag or 'no'} ETag, no 304)"
        hint = "have it send ETag or Last-Modified, and answer 304: each look at the source transfers it anew"
        findings.append(found("source_no_304", what, hint, "note"))
    else:
        what = f"{asset}: its ETag is {seen.etag or 'missing'}, which tells versions apart roughly"
        findings.append(found("source_weak_etag", what, "have the server send strong ETags", "note"))
    return findings


def _clock(asset: str, skew: float | None) -> Finding:
    if skew is None:
        return found("clock_unknown", f"{asset}: the server does not tell the time", level="ok")
    if abs(skew) > _SKEW_SECONDS:
        way = "ahead of" if skew > 0 else "behind"
        what = f"{asset}: the server's clock is {abs(skew):,.0f} s {way} this machine's"
        return found(
            "clock_skew", what, "set the one that is wrong: what expires is judged by this machine's", "warning"
        )
    return found("clock", f"{asset}: its clock and this machine's agree")


def of_ranges(asset: str, *, ranges: bool, known: bool) -> Finding:
    """Tell whether downloads can go on where they ended; ``known``: a digest or a strong ETag says of what."""
    if not ranges:
        hint = (
            "use a server that gives ranges: a download that breaks off begins anew, and large files come in one stream"
        )
        return found("source_no_ranges", f"{asset}: the server gives no byte ranges", hint, "warning")
    if not known:
        hint = "have it send strong ETags, or pin the digest: a download that breaks off begins anew"
        return found("source_no_resume", f"{asset}: nothing says what version a byte range is of", hint, "note")
    return found(
        "source_ranges", f"{asset}: the server gives byte ranges, so that downloads go on where they broke off"
    )
