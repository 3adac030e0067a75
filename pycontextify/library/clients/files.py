"""Reading and replacing a client's file: atomically, where it really is, its permissions kept, a copy put aside."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from pycontextify.library.clients.edit import ClientFileError
from pycontextify.store.durable import put_in_place, unique

__all__ = ["LARGEST", "backup_of", "read_text", "write_text"]

LARGEST = 32 << 20
"""The most bytes that a file of settings may have."""


def read_text(path: Path) -> str | None:
    """Return what a file holds, byte order mark and line ends as they are; None where there is none.

    Raises ClientFileError.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise ClientFileError(
                f"it has more than {LARGEST:,} bytes", asset=str(path), hint="put the entry in by hand"
            )
        return content.decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ClientFileError(
            f"it can't be read ({reason})", asset=str(path), hint="correct it, or put the entry in by hand"
        ) from error


def write_text(path: Path, before: str | None, text: str) -> None:
    """Replace a file that still holds ``before`` (None: that is not there). Symbolic links are followed.

    What was there is kept beside it, under `backup_of` its name, unless an earlier copy is. Raises ClientFileError, or
    StoreError; the file is then as it was.
    """
    real = Path(os.path.realpath(path))
    staged = real.with_name(f".{real.name}.{unique()}.tmp")
    if read_text(real) != before:
        raise ClientFileError("it was changed meanwhile", asset=str(path), hint="do it again")
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
        with staged.open("xb") as file:
            if before is not None:
                # Before there is anything in it: others may not read what they could not read before.
                shutil.copymode(real, staged)
            file.write(text.encode("utf-8"))
        if before is not None and not backup_of(real).exists():
            shutil.copy2(real, backup_of(real))
        put_in_place(staged, real)
    except OSError as error:
        raise ClientFileError(
            f"it can't be written ({error.strerror})", asset=str(path), hint="put the entry in by hand (--print)"
        ) from error
    finally:
        with suppress(OSError):
            staged.unlink(missing_ok=True)


def backup_of(path: Path) -> Path:
    """Return where the copy of a file lies."""
    return path.with_name(f"{path.name}.bak")
