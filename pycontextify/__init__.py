"""PyContextify: semantic search over code and documents, with an index that is built once and hydrated everywhere."""

from pycontextify._version import __version__

__all__ = ["__version__"]
