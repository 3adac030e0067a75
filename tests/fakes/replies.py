"""The reply that aioresponses is to make: aioresponses 0.7.9 does not pass the writer that aiohttp 3.14 asks for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import aiohttp

__all__ = ["Reply"]


class Reply(aiohttp.ClientResponse):
    """A reply to a request that was never written."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["stream_writer"] = SimpleNamespace(output_size=0)
        super().__init__(*args, **kwargs)
