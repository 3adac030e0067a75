"""What mkdocs does beside its own: long names in tables may break after an underscore, a slash or a dot."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["on_post_page"]

_CELL = re.compile(r"<td>.*?</td>", re.DOTALL)
_CODE = re.compile(r"<code>([^<]*)</code>")
_BREAK = re.compile(r"(?<=\w)([_/.])(?=\w)")


def on_post_page(output: str, **_: Any) -> str:
    """Put a place to break after each part of a name in a table. What is copied from there has none."""
    return _CELL.sub(lambda cell: _CODE.sub(_breakable, cell[0]), output)


def _breakable(code: re.Match[str]) -> str:
    return "<code>" + _BREAK.sub(r"\1<wbr>", code[1]) + "</code>"
