"""Archives in, blobs out: what a hostile or damaged archive can't get past.

Nothing is ever extracted to where an archive says. The bytes of the few regular members that make an index are copied
into files that we name; everything else is read and judged all the same, for one bad member condemns the archive.

The two formats are read by readers of our own instead of `tarfile` and `zipfile`, because leniency is what hostile
archives live on. tarfile reads extension headers whole into memory, takes a damaged header in the middle for the end
and follows sparse maps; zipfile takes whatever surrounds or contradicts its entries. Ours read in bounded memory and
refuse at the first thing that two readers might understand differently.
"""

from __future__ import annotations

from pycontextify.hydration.extract.kinds import PackedKind, packed_kind
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
