"""Fail when an installed package has a licence that asks more of us than to name its authors: ``licences.py``.

What a package's metadata tell counts: its licence expression, else the one field, else the classifiers, all of them.
Where they tell nothing that can be read, somebody has to look, and what they saw stands in `JUDGED`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from typing import Protocol

__all__ = ["ALLOWED", "JUDGED", "Judgement", "Metadata", "allows", "main", "objection", "told"]

# MPL-2.0 binds whoever changes its files, and we change none.
ALLOWED = frozenset(
    {
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "MPL-2.0"),
        *("PSF-2.0", "Unlicense", "Zlib"),
    }
)

# What is meant where metadata use other words than SPDX, https://spdx.org/licenses/.
_MEANT = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD License": "BSD-3-Clause",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
_CLASSIFIER = "License :: OSI Approved :: "


@dataclass(frozen=True, slots=True)
class Judgement:
    """What somebody saw who looked: ``told`` is what the metadata said then, ``licence`` what it is, and why."""

    told: str
    licence: str
    why: str


JUDGED: Mapping[str, Judgement] = {
    "apsw": Judgement("any-OSI", "Zlib", "its LICENSE is that of zlib, or any that OSI has approved, as we like"),
    "forbiddenfruit": Judgement(
        "GNU General Public License v3 or later (GPLv3+) AND MIT",
        "MIT",
        "both licences come with it, for us to choose (README); and it is for tests only",
    ),
    "pypdfium2": Judgement(
        "BSD-3-Clause, Apache-2.0, dependency licenses",
        "BSD-3-Clause AND Apache-2.0",
        "the others are those of PDFium's parts, all of which only want to be named (its BUILD_LICENSES)",
    ),
}


class Metadata(Protocol):
    """What we read of a package's metadata."""

    def get_all(self, name: str, failobj: None = None, /) -> list[str] | None:
        """Return every value that a field has."""
        ...


def main() -> int:
    """Look at every package that is installed, say what is wrong, and return the exit code."""
    found = {each.metadata["Name"]: told(each.metadata) for each in distributions()}
    objections = [text for name, said in sorted(found.items()) if (text := objection(name, said))]
    for text in objections:
        print(text)
    print(f"{len(found)} packages installed, the licences of {len(objections)} of them not allowed")
    return 1 if objections else 0


def told(metadata: Metadata) -> str:
    """Return what a package tells of its licence, in the words of SPDX where they are known; it may be nothing."""
    expressions = metadata.get_all("License-Expression")
    fields = [line for line in metadata.get_all("License") or () if line and "\n" not in line]
    classifiers = metadata.get_all("Classifier") or ()
    approved = [line.removeprefix(_CLASSIFIER) for line in classifiers if line.startswith(_CLASSIFIER)]
    return " AND ".join(_MEANT.get(each, each) for each in expressions or fields or approved)


def objection(name: str, said: str) -> str | None:
    """Return what is wrong with a package's licence; None when it is allowed."""
    judged = JUDGED.get(name)
    if judged is None:
        return None if allows(said) else f"{name}: the licence {said or 'is not told'}"
    if judged.told != said:
        return f"{name}: the licence was judged when it was {judged.told!r}, and now it is {said!r}"
    return None if allows(judged.licence) else f"{name}: the licence {judged.licence}"


def allows(expression: str) -> bool:
    """Tell whether an expression of SPDX can be met with allowed licences alone; one that can't be read can't."""
    try:
        met, rest = _either(re.findall(r"[()]|[^\s()]+", expression))
    except ValueError:
        return False
    return met and not rest


def _either(tokens: Sequence[str]) -> tuple[bool, Sequence[str]]:
    met, rest = _both(tokens)
    while rest[:1] == ["OR"]:
        other, rest = _both(rest[1:])
        met = met or other
    return met, rest


def _both(tokens: Sequence[str]) -> tuple[bool, Sequence[str]]:
    met, rest = _one(tokens)
    while rest[:1] == ["AND"]:
        other, rest = _one(rest[1:])
        met = met and other
    return met, rest


def _one(tokens: Sequence[str]) -> tuple[bool, Sequence[str]]:
    """Read one licence, with its exception if it has one (which permits more), or what is in brackets.

    Raises ValueError.
    """
    if tokens[:1] == ["("]:
        met, rest = _either(tokens[1:])
        if rest[:1] != [")"]:
            raise ValueError("a bracket is not closed")
        return met, rest[1:]
    if not tokens:
        raise ValueError("it ends where a licence is expected")
    return tokens[0] in ALLOWED, tokens[3:] if tokens[1:2] == ["WITH"] else tokens[1:]


if __name__ == "__main__":
    sys.exit(main())
