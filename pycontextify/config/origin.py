"""Where a value came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pycontextify.redact import one_line

__all__ = ["Given", "Origin"]


@dataclass(frozen=True, slots=True)
class Origin:
    """The layer a value came from, and how the setting is written there.

    ``written`` is ``--index-path``, ``PYCONTEXTIFY_INDEX_DIR`` or ``index_dir``; ``file`` is given for the layer of
    that name. As text: ``flag --index-path``, ``environment PYCONTEXTIFY_INDEX_DIR``, ``file /…/config.toml``,
    ``default``; ``argument index_dir`` for a keyword argument of a library function.
    """

    layer: Literal["flag", "argument", "environment", "file", "default"]
    written: str
    file: Path | None = None

    def __str__(self) -> str:
        match self.layer:
            case "default":
                return "default"
            case "file":
                return one_line(f"file {self.file}")
            case _:
                return one_line(f"{self.layer} {self.written}")

    @property
    def subject(self) -> str:
        """The setting and its source, as an error message begins: ``index_dir in file /home/…/config.toml``."""
        match self.layer:
            case "default":
                return f"default of {self.written}"
            case "file":
                return one_line(f"{self.written} in file {self.file}")
            case _:
                return str(self)


@dataclass(frozen=True, slots=True)
class Given:
    """A value as somebody wrote it, not read yet, and where."""

    value: object
    origin: Origin
