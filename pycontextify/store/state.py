"""What an index directory remembers beyond its generations: the highest version seen of each line of snapshots.

It outlives every generation, a reset included: whoever can make a server forget what it has seen can make it go back.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from pycontextify.errors import StoreError
from pycontextify.snapshot.config import canonical_json, parse_count, parse_text
from pycontextify.snapshot.freshness import Highest
from pycontextify.store.durable import store_error, write_bytes
from pycontextify.store.layout import Layout

__all__ = ["forget", "highest_seen", "remember"]


def highest_seen(layout: Layout, line: str) -> Highest | None:
    """Return the highest version seen of a line of snapshots; None where none was.

    Raises StoreError when that can't be read: not to know is no reason to take anything.
    """
    told = _read(layout)
    try:
        return _highest(told[line]) if line in told else None
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(layout) from error


def remember(layout: Layout, line: str, highest: Highest) -> None:
    """Remember a version as the highest of its line, durably. Raises StoreError. Call it as the one that hydrates."""
    told = _read(layout)
    if told.get(line) != asdict(highest):
        write_bytes(layout.state, canonical_json({"highest": {**told, line: asdict(highest)}}))


def forget(layout: Layout, lines: Collection[str]) -> None:
    """Remember nothing of these lines. Raises StoreError. Call it as the one that hydrates."""
    told = _read(layout)
    if told.keys() & set(lines):
        kept = {line: highest for line, highest in told.items() if line not in lines}
        write_bytes(layout.state, canonical_json({"highest": kept}))


def _read(layout: Layout) -> dict[str, Any]:
    try:
        content = layout.state.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise store_error(error, layout.state) from error
    try:
        told = json.loads(content)["highest"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise _damaged(layout) from error
    if not isinstance(told, dict):
        raise _damaged(layout)
    return told


def _highest(raw: dict[str, Any]) -> Highest:
    return Highest(parse_count(raw["version"]), parse_text(raw["generation"]), parse_text(raw["at"]))


def _damaged(layout: Layout) -> StoreError:
    return StoreError(
        "the file that remembers the versions seen is damaged",
        code="state_damaged",
        asset=str(layout.state),
        hint="remove it, if what the source has now is sure to be new",
    )
