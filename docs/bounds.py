"""What bounds a figure of the benchmarks that falls short of its goal, by its name: the page tells it beside the figure.

A figure that falls short without a line here fails a test: whoever measured it knows why, or finds out.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["BOUNDS"]

BOUNDS: Mapping[str, str] = {}
