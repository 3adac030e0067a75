"""Archives in, blobs out: what a hostile or damaged archive can't get past.

Nothing is ever extracted to where an archive says. The bytes of the few regular members that make an index are copied
into files that we name; everything else is read and judged all the same, for one bad member condemns the archive. So
does one that is no part of an index and nothing that goes with one.

tarfile and zipfile read headers and directories. What they let pass is checked around them; each module says what.
"""

from __future__ import annotations

from pycontextify.hydration.extract.kind import PackedKind, packed_kind
from pycontextify.hydration.extract.limits import DEFAULT_LIMITS, ExtractLimits
from pycontextify.hydration.extract.unpack import ExtractedLayout, ExtractedPair, extract

__all__ = [
    "DEFAULT_LIMITS",
    "ExtractLimits",
    "ExtractedLayout",
    "ExtractedPair",
    "PackedKind",
    "extract",
    "packed_kind",
]
