"""How a part tells what it measured."""

from __future__ import annotations

import json
import sys

__all__ = ["tell"]


def tell(**facts: object) -> None:
    """Print facts as JSON, once, at the end."""
    json.dump(facts, sys.stdout)
