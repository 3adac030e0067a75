"""The file that one stream's bytes land in. It blocks: it lives in a thread, behind aiofiles."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import FileIO
from pathlib import Path

from pycontextify.store.durable import flush

__all__ = ["Landing"]

_FLUSHED = 8 << 20


class Landing(FileIO):
    """Buffers are written where the last ones ended, and then noted: one trip to a thread for both.

    ``note`` is told from where to where bytes count. ``vouched``: a digest will tell whether they are right; where none
    will, they are flushed to the disk before they count, 8 MiB at a time.
    """

    def __init__(self, path: Path, start: int, note: Callable[[int, int], None], *, vouched: bool) -> None:
        super().__init__(path, "r+")
        self.seek(start)
        self._note = note
        self._vouched = vouched
        self._noted = self._written = start

    def writelines(self, buffers: Iterable[bytes], /) -> None:  # type: ignore[override]  # only bytes come here
        """Write all of the buffers, one after the other."""
        for buffer in buffers:
            view = memoryview(buffer)
            while view:  # a write may take less than it is given
                view = view[self.write(view) :]
            self._written += len(buffer)
        if self._vouched or self._written - self._noted >= _FLUSHED:
            self._count()

    def close(self) -> None:
        """Note what is left to be, and close."""
        try:
            if not self.closed:
                self._count()
        finally:
            super().close()

    def _count(self) -> None:
        if self._written == self._noted:
            return
        if not self._vouched:
            flush(self.fileno())
        self._note(self._noted, self._written)
        self._noted = self._written
