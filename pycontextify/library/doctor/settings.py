"""The settings: every value with its origin, and what among them makes no sense. Pure.

What contradicts itself never gets here: no verb starts with that (`pycontextify.config.rules`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal
from urllib.parse import urlsplit

from pycontextify.config import SETTINGS, Settings, describe
from pycontextify.config.access import is_loopback
from pycontextify.library.doctor.finding import Finding
from pycontextify.library.source import configured_source

__all__ = ["examine_settings"]

_FOR_A_SOURCE = ("index_bootstrap_token", "index_bootstrap_headers", "index_bootstrap_trusted_keys")
_SEPARATORS = {setting.name: setting.separator for setting in SETTINGS}


def examine_settings(settings: Settings) -> Iterator[Finding]:
    """Yield what somebody has set, in the form it is shown in, and what is odd about it."""
    for row in describe(settings):
        if settings.origins[row.name].layer != "default":
            value = _SEPARATORS[row.name].join(row.value) if isinstance(row.value, list) else row.value
            yield _found("setting", f"{row.name} = {value} ({row.origin})", level="ok")
    for warning in settings.warnings:
        yield _found("setting_unknown", warning, "correct its name, or remove it")
    yield from _without_use(settings)
    yield from _unprotected(settings)


def _without_use(settings: Settings) -> Iterator[Finding]:
    origins = settings.origins
    if configured_source(settings) is None:
        for name in _FOR_A_SOURCE:
            if getattr(settings, name):
                what = f"{origins[name].subject} is for a source, and none is configured"
                yield _found("setting_unused", what, "name one with index_bootstrap_url, or remove it")
    refresh = origins["index_bootstrap_refresh"]
    if refresh.layer != "default" and settings.index_bootstrap_mode != "follow":
        what = f"{refresh.subject} changes nothing in the mode {settings.index_bootstrap_mode}"
        yield _found("setting_unused", what, "set index_bootstrap_mode to follow, or remove it")
    if settings.embedding_url and settings.embedding_provider != "http":
        what = f"{origins['embedding_url'].subject} changes nothing with the provider {settings.embedding_provider}"
        yield _found("setting_unused", what, "set embedding_provider to http, or remove it")


def _unprotected(settings: Settings) -> Iterator[Finding]:
    """Tell of addresses that anybody on the way can answer for."""
    vouched = settings.index_bootstrap_trusted_keys or settings.index_bootstrap_sha256
    pair = settings.index_bootstrap_faiss_sha256 and settings.index_bootstrap_metadata_sha256
    if vouched or pair:
        return
    urls = (
        *settings.index_bootstrap_url,
        *settings.index_bootstrap_archive,
        *settings.index_bootstrap_faiss_url,
        *settings.index_bootstrap_metadata_url,
    )
    plain = [url for url in urls if url.lower().startswith("http:") and not is_loopback(urlsplit(url).hostname or "")]
    if plain:
        hint = "use https, or say with index_bootstrap_trusted_keys whose signature counts"
        yield _found("source_unprotected", "the source is asked over plain http, and nobody vouches for it", hint)


def _found(code: str, what: str, hint: str = "", *, level: Literal["ok", "warning"] = "warning") -> Finding:
    return Finding(code, what, hint, area="settings", level=level)
