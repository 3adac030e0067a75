"""PyContextify: semantic search over code and documents, with an index that is built once and hydrated everywhere.

    import pycontextify

    pycontextify.index_tree("src", "my-index")
    with pycontextify.open_index("my-index") as index:
        for hit in index.search("where is the retry policy"):
            print(f"{hit.path}:{hit.start_line}  {hit.symbol}")

    pycontextify.publish_index("my-index", "public")  # serve public/ with any static host
    pycontextify.hydrate_index("elsewhere", url="https://host/public")

Everything not named here is private.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pycontextify._version import __version__

if TYPE_CHECKING:
    from pycontextify.errors import (
        ConfigError,
        FetchError,
        IngestError,
        NotReadyError,
        PyContextifyError,
        SnapshotRejected,
        StoreError,
    )
    from pycontextify.index.model import Answer, Hit, Overview, Query
    from pycontextify.ingest.crawl import CrawlRules
    from pycontextify.ingest.report import IndexProgress, IndexReport
    from pycontextify.library.api import HydrateReport, Index, hydrate_index, index_tree, open_index, publish_index
    from pycontextify.publish.report import PublishReport

__all__ = [
    "Answer",
    "ConfigError",
    "CrawlRules",
    "FetchError",
    "Hit",
    "HydrateReport",
    "Index",
    "IndexProgress",
    "IndexReport",
    "IngestError",
    "NotReadyError",
    "Overview",
    "PublishReport",
    "PyContextifyError",
    "Query",
    "SnapshotRejected",
    "StoreError",
    "__version__",
    "hydrate_index",
    "index_tree",
    "open_index",
    "publish_index",
]

_HOMES = {
    "pycontextify.errors": (
        "ConfigError",
        "FetchError",
        "IngestError",
        "NotReadyError",
        "PyContextifyError",
        "SnapshotRejected",
        "StoreError",
    ),
    "pycontextify.index.model": ("Answer", "Hit", "Overview", "Query"),
    "pycontextify.ingest.crawl": ("CrawlRules",),
    "pycontextify.ingest.report": ("IndexProgress", "IndexReport"),
    "pycontextify.library.api": (
        "HydrateReport",
        "Index",
        "hydrate_index",
        "index_tree",
        "open_index",
        "publish_index",
    ),
    "pycontextify.publish.report": ("PublishReport",),
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: the server must answer before faiss and onnxruntime are in."""
    import importlib

    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(home), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
