"""Which names of members are admitted."""

from __future__ import annotations

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
        ("...", "..."),
        ("..a/b..", "..a/b.."),
        ("ab:c", "ab:c"),
        ("ü/日本", "ü/日本"),
        ("\udcff", "\udcff"),
        (" ", " "),
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
    ("first", "second"), [("a", "A"), ("straße", "STRASSE"), ("é", "e\u0301"), ("a", "a "), ("a/b", "a./b")]
)
def test_what_some_file_systems_confuse_collides(first: str, second: str) -> None:
    """Case, composition, dots and spaces at the end."""
    ledger = NameLedger()
    ledger.admit(first, directory=False)
    with pytest.raises(ExtractError) as caught:
        ledger.admit(second, directory=False)
    assert caught.value.code == "member_case_collision"


@given(name=st.text(st.characters(codec=None), max_size=40) | st.text("./\\:aC\0\n", max_size=12))
def test_no_admitted_name_leads_anywhere(name: str) -> None:
    """Joined to a directory, it stays below it, on any system."""
    try:
        path = NameLedger().admit(name, directory=False)
    except ExtractError as error:
        verdict = (error.code, str(error).isprintable())
        assert verdict == ("member_name_hostile", True)
        return
    assert path
    assert not {"", ".", ".."} & set(path.split("/"))
    assert "\\" not in path
    assert path[1:2] != ":" or not path[0].isascii() or not path[0].isalpha()
