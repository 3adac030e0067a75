"""What is found when somebody looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from pycontextify.snapshot.manifest import Descriptor

__all__ = ["AREAS", "LEVELS", "Area", "Finding", "Level"]

Area = Literal["settings", "clients", "disk", "encoder", "source", "index"]
Level = Literal["ok", "note", "warning", "problem"]
"""``ok`` is as it should be; a ``note`` is worth knowing; a ``warning`` will hurt some day, or hurts a little; with a
``problem`` something does not work."""

AREAS: tuple[Area, ...] = get_args(Area)
"""In the order in which they are told: what matters most comes last, where a terminal's reader is."""

LEVELS: tuple[Level, ...] = get_args(Level)
"""From the best to the worst."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was looked at: its stable ``code``, what was found, and what to do about it, if anything.

    ``blob`` is what is damaged, where it is one blob.
    """

    code: str
    what: str
    hint: str = ""
    blob: Descriptor | None = None
    area: Area = "index"
    level: Level = "problem"

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"area": self.area, "level": self.level, "code": self.code, "what": self.what, "hint": self.hint}
