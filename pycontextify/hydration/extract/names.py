"""Which names a member may have. Pure.

No name of an archive ever becomes a path here, so a bad one could do no harm. It is refused all the same: whoever
writes such names means harm to somebody, and the archive has nothing that we need.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from pycontextify.errors import ExtractError
from pycontextify.hydration.extract.members import shown

__all__ = ["NameLedger"]

_LONGEST = 1024
_DEEPEST = 64
# Control characters; those that turn the direction of what follows or can't be seen; bytes that were no UTF-8; ends of
# lines and paragraphs.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# What Windows takes for a device, in any directory, with any ending and in any case.
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3]) *(\..*)?", re.IGNORECASE)


class NameLedger:
    """The names seen so far in one archive, by what the least discerning file system makes of them."""

    def __init__(self) -> None:
        self._files: dict[str, str] = {}
        self._directories: dict[str, str] = {}

    def admit(self, name: str, *, directory: bool) -> str:
        """Return the path that ``name`` means, with ``/`` between its parts and neither ``.`` nor a ``/`` at the end.

        Raises ExtractError for a hostile name, for one that is there already (a directory may be, as a directory) and
        for one that differs from another only in what some file systems do not tell apart.
        """
        parts = _parts(name)
        if not parts and not directory:
            raise _hostile(name, "names nothing")
        if name.endswith("/") and not directory:
            raise _hostile(name, "is that of a directory")
        path, key = "/".join(parts), _key("/".join(parts))
        known = self._files.get(key, self._directories.get(key, path))
        if known != path:
            raise ExtractError(
                f"{shown(path)} and {shown(known)} are the same to some file systems", code="member_case_collision"
            )
        if key in self._files or (key in self._directories and not directory):
            raise _twice(path)
        (self._directories if directory else self._files)[key] = path
        return path

    def check_tree(self) -> None:
        """Raise ExtractError when a file has the name of another member's directory. To be called at the end."""
        for key, path in (*self._files.items(), *self._directories.items()):
            if any(parent in self._files for parent in _parents(key)):
                raise _twice(path)


def _parts(name: str) -> list[str]:
    """Split a name; raises ExtractError when it is hostile."""
    if len(name.encode("utf-8", "surrogatepass")) > _LONGEST:
        raise _hostile(name, f"is longer than {_LONGEST:,} bytes")
    if not name.isprintable() and not _UNSEEN.isdisjoint(map(unicodedata.category, name)):
        raise _hostile(name, "has characters that can't be seen, or is no UTF-8")
    if "\\" in name:
        raise _hostile(name, "has a backslash")
    if name.startswith("/"):
        raise _hostile(name, "is absolute")
    if ":" in name:
        raise _hostile(name, "has a colon, which is a drive or a stream to Windows")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise _hostile(name, "leads upwards")
    if len(parts) > _DEEPEST:
        raise _hostile(name, f"is more than {_DEEPEST} directories deep")
    if any(part.endswith((".", " ")) for part in parts):
        raise _hostile(name, "ends in a dot or a space, which Windows leaves out")
    if any(map(_DEVICE.fullmatch, parts)):
        raise _hostile(name, "is that of a device to Windows")
    return parts


def _key(path: str) -> str:
    """Return what is the same for two names that any file system takes for one.

    Windows and macOS ignore case (some by lower case, some by upper case), macOS how an accent is composed.
    """
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", path).upper().casefold())


def _parents(key: str) -> Iterator[str]:
    while "/" in key:
        key = key.rpartition("/")[0]
        yield key


def _hostile(name: str, why: str) -> ExtractError:
    return ExtractError(f"a member's name {why}: {shown(name)}", code="member_name_hostile")


def _twice(path: str) -> ExtractError:
    return ExtractError(f"two members have the name {shown(path)}", code="member_duplicate")
