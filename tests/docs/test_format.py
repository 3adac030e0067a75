"""The specification of the format, held against the code that reads and writes it."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from pycontextify.index import chunks_file, vectors_form
from pycontextify.snapshot import config, manifest, origin, referrer
from pycontextify.snapshot.history import RECOVERED
from pycontextify.snapshot.signature import SIGNATURE_LIMIT

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "reference" / "snapshot-format.md").read_text(
    encoding="utf-8"
)


def test_the_schema_is_word_for_word() -> None:
    """What a reader compares a chunks file with."""
    (told,) = re.findall(r"<!-- schema -->\n\n```sql\n(.*?)\n```", PAGE, re.DOTALL)
    assert told == chunks_file._SCHEMA.strip()


@pytest.mark.parametrize(
    ("name", "kind", "more"),
    [
        ("config", config.SnapshotConfig, {"schema"}),
        ("encoder", config.EncoderInfo, set()),
        ("segment", config.SegmentInfo, set()),
        ("probe", config.Probe, set()),
    ],
)
def test_every_field_is_described(name: str, kind: type, more: set[str]) -> None:
    """Each table has the members that are written, and no others."""
    (table,) = re.findall(rf"<!-- fields: {name} -->\n\n(.*?)\n\n", PAGE, re.DOTALL)
    told = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert len(told) == len(set(told))
    assert set(told) == {each.name for each in fields(kind)} | more


@pytest.mark.parametrize(
    "word",
    [
        manifest.ARTIFACT_TYPE,
        manifest.CONFIG_TYPE,
        manifest.VECTORS_TYPE,
        manifest.CHUNKS_TYPE,
        manifest.DELETED_TYPE,
        manifest.ENCODER_TYPE,
        manifest.SIGNATURE_TYPE,
        referrer.SIGNATURE_FILE_TYPE,
        manifest._INDEX_TYPE,
        manifest._REF.pattern,
        manifest._REF_NAME,
        manifest._TITLE,
        manifest._SIGNS,
        manifest.LAYOUT_FILE.decode(),
        origin.BASE,
        RECOVERED,
        *(kind.decode() for kind in (vectors_form._FLAT, vectors_form._INVERTED, vectors_form._CENTROIDS)),
        vectors_form._ARRAYS.decode(),
    ],
)
def test_names_are_those_of_the_code(word: str) -> None:
    """Media types, annotations, kinds of vectors files."""
    assert word in PAGE


def test_numbers_are_those_of_the_code() -> None:
    """Sizes of heads, and limits."""
    flat = PAGE.partition("**Flat**")[2].partition("**Inverted file**")[0]
    told = sum(map(int, re.findall(r"^\| (\d+) \|", flat, re.MULTILINE)))
    assert told == vectors_form._HEAD.size + vectors_form._QUANTIZER.size + vectors_form._COUNT.size
    for part in (vectors_form._HEAD, vectors_form._QUANTIZER):
        assert f"| {part.size} |" in PAGE.partition("**Inverted file**")[2]
    assert (manifest.DOCUMENT_LIMIT, SIGNATURE_LIMIT) == (4 << 20, 8 << 10)
    assert (vectors_form._FP16, vectors_form._LISTS_PER_ROOT, vectors_form._MOST_DIMENSIONS) == (4, 16, 1 << 20)
