"""Which names of members are admitted."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.errors import ExtractError
from pycontextify.hydration.extract.names import NameLedger


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a", "a"),
        ("a/b.faiss", "a/b.faiss"),
        ("./a//b/.", "a/b"),
        ("...a", "...a"),
        ("..a/b..c", "..a/b..c"),
        (" a b", " a b"),
        ("ü/日本", "ü/日本"),
        ("a\u00a0b", "a\u00a0b"),
        ("console.md", "console.md"),
        ("com10/nullable", "com10/nullable"),
        ("é" * 512, "é" * 512),
    ],
)
def test_harmless_names(name: str, path: str) -> None:
    """Dots and slashes that mean nothing go."""
    assert NameLedger().admit(name, directory=False) == path


def test_directories_may_come_twice() -> None:
    """Writers repeat them, and the root is one."""
    ledger = NameLedger()
    for name in ("./", "a/", "a", "./a/"):
        ledger.admit(name, directory=True)
    ledger.admit("a/b", directory=False)
    ledger.check_tree()


@pytest.mark.parametrize("names", [("a", "a/b"), ("a/b", "a"), ("A/b/c", "a/B")])
def test_no_file_is_a_directory_too(names: tuple[str, str]) -> None:
    """In any order, and in the eyes of a file system that ignores case."""
    ledger = NameLedger()
    for name in names:
        ledger.admit(name, directory=False)
    with pytest.raises(ExtractError) as caught:
        ledger.check_tree()
    assert caught.value.code == "member_duplicate"


@pytest.mark.parametrize(
    ("first", "second"), [("a", "A"), ("straße", "STRASSE"), ("é", "e\u0301"), ("\u0131", "I"), ("a/b", "A/b")]
)
def test_what_some_file_systems_confuse_collides(first: str, second: str) -> None:
    """Case, up and down, and composition."""
    ledger = NameLedger()
    ledger.admit(first, directory=False)
    with pytest.raises(ExtractError) as caught:
        ledger.admit(second, directory=False)
    assert caught.value.code == "member_case_collision"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/a",
        "..",
        "a/..",
        "a\\b",
        "a\0b",
        "a\x9bb",
        "C:a",
        "a:b",
        "a.",
        "a ",
        "a /b",
        "nul",
        "CON.faiss",
        "a/com9.x.y",
        "\u202ea",
        "a\u200bb",
        "\udcff",
        "a\u2028",
        "é" * 513,
        "a/" * 64 + "a",
    ],
)
def test_hostile_names(name: str) -> None:
    """On whatever system."""
    with pytest.raises(ExtractError) as caught:
        NameLedger().admit(name, directory=False)
    assert caught.value.code == "member_name_hostile"
    assert str(caught.value).isprintable()


DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
NAMES = (
    st.text(st.characters(codec=None), max_size=40)
    | st.text("./\\:aC\0\n \u202e\u0131\u0130ß\u017f", max_size=12)
    | st.sampled_from(["nul", "aux.md", "Com1", "lpt3 .x"])
)


@given(name=NAMES)
def test_no_admitted_name_leads_anywhere(name: str) -> None:
    """Joined to a directory, it stays below it, is what it looks like, and means a plain file, on any system."""
    try:
        path = NameLedger().admit(name, directory=False)
    except ExtractError as error:
        verdict = (error.code, str(error).isprintable())
        assert verdict == ("member_name_hostile", True)
        return
    parts = path.split("/")
    assert not {"", ".", ".."} & set(parts)
    assert not set(path) & set("\\:\0\u202e")
    assert not any(part.partition(".")[0].rstrip(" ").lower() in DEVICES for part in parts)
    assert all(part == part.rstrip(". ") for part in parts)
    assert path.encode()  # which a lone surrogate can't be


@given(name=st.text(max_size=20), data=st.data())
def test_variants_of_a_name_collide(name: str, data: st.DataObject) -> None:
    """However case and composition are changed, one after the other, it is the same name to some file system."""
    changes: list[Callable[[str], str]] = [str.upper, str.lower, str.casefold]
    changes += [partial(unicodedata.normalize, "NFC"), partial(unicodedata.normalize, "NFD")]
    variant = name
    for change in data.draw(st.lists(st.sampled_from(changes), max_size=4)):
        variant = change(variant)
    ledger = NameLedger()
    try:
        path = ledger.admit(name, directory=False)
        other = NameLedger().admit(variant, directory=False)
    except ExtractError:
        return
    with pytest.raises(ExtractError) as caught:
        ledger.admit(variant, directory=False)
    assert caught.value.code == ("member_duplicate" if other == path else "member_case_collision")
