"""What an archive may hold beside an index.

What goes with one: texts, licences, checksums and signatures, what systems leave everywhere, and what an index
directory keeps for itself. Anything else is refused, although it would not be copied either: an archive that brings a
program or another archive was not made to bring an index.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from pycontextify.errors import ExtractError
from pycontextify.hydration.extract.choose import is_blob, is_candidate
from pycontextify.hydration.extract.kind import HEAD, archive_in
from pycontextify.hydration.extract.members import shown

__all__ = ["check_extras", "plain"]

_PRIVATE = ".pycontextify"
_COMPANION = re.compile(
    r"""  .+\.(md|txt|rst|json|sha256|asc|sig|minisig|pub)                                # texts, checksums, signatures
        | (readme|licen[cs]e|copying|notice|authors|changelog|version|sha256sums)([-_][\w-]+)?
        | \._.+ | \.ds_store | thumbs\.db | desktop\.ini | \.gitignore | \.gitattributes  # what systems leave
    """,
    re.IGNORECASE | re.VERBOSE,
)


def check_extras(paths: Sequence[str]) -> None:
    """Raise ExtractError for the first file that is no part of an index and does not go with one."""
    for path in paths:
        if not is_candidate(path) and not _goes_along(PurePosixPath(path)):
            raise ExtractError(
                f"the member {shown(path)} has nothing to do with an index",
                code="member_unexpected",
                hint="leave it out: beside an index there may be texts, licences, checksums and signatures",
            )


def plain(path: str, content: Iterator[bytes]) -> Iterator[bytes]:
    """Yield a member's content; raises ExtractError, before the first byte, when it is an archive or packed itself.

    A blob may begin like one by chance: it is what its manifest says, and is known by its digest.
    """
    head = b""
    while len(head) < HEAD and (piece := next(content, None)) is not None:
        head += piece
    kind = None if is_blob(path) else archive_in(head[:HEAD])
    if kind is not None:
        raise ExtractError(
            f"the member {shown(path)} is packed itself ({kind})",
            code="archive_nested",
            hint="put the files of the index into it, not an archive of them",
        )
    if head:
        yield head
    yield from content


def _goes_along(path: PurePosixPath) -> bool:
    return _PRIVATE in path.parts[:-1] or _COMPANION.fullmatch(path.name) is not None
