"""All hostile archives."""

from __future__ import annotations

from tests.hostile.case import Case
from tests.hostile.masses import MASSES
from tests.hostile.names import NAMES
from tests.hostile.others import OTHERS
from tests.hostile.packed import PACKED
from tests.hostile.tars import TARS
from tests.hostile.zips import ZIPS

__all__ = ["CASES"]

CASES: tuple[Case, ...] = (*TARS, *ZIPS, *NAMES, *PACKED, *MASSES, *OTHERS)
