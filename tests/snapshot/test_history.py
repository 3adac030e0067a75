"""The history in the refs: newest use first, cut to what is kept, and what somebody went back from."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.snapshot.digest import digest_of
from pycontextify.snapshot.history import (
    CURRENT,
    LOCAL,
    PREVIOUS,
    RECOVERED,
    activated,
    find,
    generations,
    gone_back_from,
    names_of,
    rolled_back,
)
from pycontextify.snapshot.manifest import MANIFEST_TYPE, Descriptor, RefTable
from pycontextify.snapshot.origin import BASE, DIGEST, SEEN

NAMES = "ABCDEFGH"


def fetched(name: str, **notes: str) -> Descriptor:
    """A generation that came from a source."""
    return Descriptor(MANIFEST_TYPE, digest_of(name.encode()), len(name), {SEEN: "[]", **notes})


def indexed(name: str, base: str | None = None) -> Descriptor:
    """A generation that was indexed here, perhaps over a fetched one."""
    notes = {} if base is None else {BASE: str(digest_of(base.encode())), SEEN: "[]"}
    return Descriptor(MANIFEST_TYPE, digest_of(name.encode()), len(name), notes)


def order(table: RefTable) -> str:
    """The history as letters, newest use first."""
    by_digest = {digest_of(name.encode()): name for name in NAMES}
    return "".join(by_digest[each.digest] for each in generations(table))


def after(*steps: Descriptor, keep: int = 3) -> RefTable:
    """The refs after these were activated in turn."""
    table = RefTable()
    for step in steps:
        table = activated(table, step, keep=keep)
    return table


def digests(*names: str) -> set[str]:
    """The digests of generations, as text."""
    return {str(digest_of(name.encode())) for name in names}


def test_the_history_has_names_by_age() -> None:
    """``current``, ``previous``, ``previous-2``, …, as many as are kept; other refs are none of it."""
    table = after(*map(fetched, "ABCDE"), keep=4).point("latest", digest_of(b"A"), 1)
    assert set(table.refs) == {CURRENT, PREVIOUS, "previous-2", "previous-3", "latest"}
    assert order(table) == "EDCB"


def test_activating_again_moves_to_the_front() -> None:
    """A generation is in the history once, with the annotations that it was last activated with."""
    table = after(fetched("A"), fetched("B"), fetched("A", note="new"))
    assert order(table) == "AB"
    assert table.refs[CURRENT].annotations["note"] == "new"


@given(steps=st.lists(st.tuples(st.booleans(), st.sampled_from(NAMES)), max_size=12), keep=st.integers(1, 5))
def test_any_history_is_the_order_of_last_use(steps: Sequence[tuple[bool, str]], keep: int) -> None:
    """Going back to something that is kept is a use like activating; nothing that was used lately is missing."""
    table, expected = RefTable(), ""
    for back, name in steps:
        if back and name in expected:
            table = rolled_back(
                table, next(each for each in generations(table) if each.digest == digest_of(name.encode())), keep=keep
            )
        else:
            table = activated(table, fetched(name), keep=keep)
        expected = (name + expected.replace(name, ""))[:keep]
        assert order(table) == expected


def test_a_gap_in_the_names_is_no_harm() -> None:
    """Refs that somebody removed by hand, or that an older version left out, leave the order as it is."""
    table = after(*map(fetched, "ABC")).without([PREVIOUS])
    assert order(table) == "CA"
    assert order(activated(table, fetched("D"), keep=3)) == "DCA"


def test_what_was_indexed_here_is_kept_when_something_fetched_takes_its_place() -> None:
    """Under ``local``, however many generations come after it."""
    table = after(indexed("A"), *map(fetched, "BCDE"))
    assert order(table) == "EDC"
    assert table.refs[LOCAL].digest == digest_of(b"A")


def test_local_work_over_a_fetched_generation_is_kept_with_its_base() -> None:
    """So that going back to it knows what it was laid over."""
    table = after(fetched("A"), indexed("B", base="A"), fetched("C"))
    assert table.refs[LOCAL].annotations[BASE] == digest_of(b"A")


def test_no_local_ref_without_local_work() -> None:
    """Fetched after fetched, indexed after indexed, or the same again: nothing gives way."""
    assert LOCAL not in after(fetched("A"), fetched("B"), indexed("C"), indexed("D"), indexed("D")).refs


def test_what_was_gone_back_from_is_remembered() -> None:
    """By what its source calls it, in the refs alone: the blobs need not stay."""
    back = rolled_back(after(fetched("A"), fetched("B", **{DIGEST: "sha256:archive"})), fetched("A"), keep=3)
    assert order(back) == "AB"
    assert gone_back_from(back) == digests("B") | {"sha256:archive"}


def test_it_is_remembered_while_one_works_here() -> None:
    """However often: local generations push it out of the history, not out of mind."""
    table = rolled_back(after(fetched("A"), fetched("B")), fetched("A"), keep=3)
    for name in "CDEF":
        table = activated(table, indexed(name, base="A"), keep=3)
    assert order(table) == "FED"
    assert gone_back_from(table) == digests("B")


def test_it_is_forgotten_once_the_source_moves_on() -> None:
    """Something else was fetched: should the source have the old one again, it is news."""
    table = rolled_back(after(fetched("A"), fetched("B")), fetched("A"), keep=3)
    assert gone_back_from(activated(table, fetched("C"), keep=3)) == set()


def test_it_is_forgotten_when_somebody_asks_for_it() -> None:
    """By fetching it, or by going back to it."""
    table = rolled_back(after(fetched("A"), fetched("B")), fetched("A"), keep=3)
    assert gone_back_from(activated(table, fetched("B"), keep=3)) == set()
    assert gone_back_from(rolled_back(table, table.refs[PREVIOUS], keep=3)) == digests("A")


def test_going_back_twice_remembers_both() -> None:
    """From the third to the second to the first."""
    table = after(*map(fetched, "ABC"))
    for name in "BA":
        table = rolled_back(table, fetched(name), keep=3)
    assert gone_back_from(table) == digests("B", "C")


def test_one_generation_can_be_gone_back_from_to_local_work() -> None:
    """With ``keep`` 1 as well, where nothing but ``local`` is left to go back to."""
    table = after(indexed("A"), fetched("B"), keep=1)
    table = rolled_back(table, table.refs[LOCAL], keep=1)
    assert order(table) == "A"
    assert gone_back_from(table) == digests("B")


def test_going_back_from_what_has_no_source_leaves_no_mark() -> None:
    """Nobody offers it."""
    assert gone_back_from(rolled_back(after(indexed("A"), indexed("B")), indexed("A"), keep=3)) == set()


def test_going_back_from_local_work_to_its_base_leaves_no_mark() -> None:
    """The source offers the base, which is current."""
    assert gone_back_from(rolled_back(after(fetched("A"), indexed("B", base="A")), fetched("A"), keep=3)) == set()


def test_what_is_gone_back_to_is_sound_again() -> None:
    """That it once was only what was left does not follow it."""
    table = after(fetched("A", **{RECOVERED: "a blob was missing"}), fetched("B"))
    assert RECOVERED in table.refs[PREVIOUS].annotations
    assert RECOVERED not in rolled_back(table, table.refs[PREVIOUS], keep=3).refs[CURRENT].annotations


def test_recovering_an_older_one_does_not_mean_that_the_source_has_moved_on() -> None:
    """What was gone back from stays so."""
    table = rolled_back(after(*map(fetched, "ABC")), fetched("B"), keep=3)
    assert gone_back_from(activated(table, fetched("A", **{RECOVERED: "why"}), keep=3)) == digests("C")


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        (PREVIOUS, "A"),
        (str(digest_of(b"A")), "A"),
        (digest_of(b"A").hex[:8].upper(), "A"),
        ("sha256:" + digest_of(b"B").hex[:8], "B"),
        ("", None),
        ("sha256:", None),
        ("nightly", None),
        ("0" * 64, None),
    ],
)
def test_a_generation_is_found_by_ref_digest_or_its_beginning(wanted: str, name: str | None) -> None:
    """In upper or lower case, with the algorithm or without; nothing stands for nothing."""
    found = find(after(fetched("A"), fetched("B")), wanted)
    assert (None if found is None else found.digest) == (None if name is None else digest_of(name.encode()))


def test_a_beginning_that_two_have_finds_none() -> None:
    """It would be a guess."""
    table = RefTable()
    for number in range(40):  # 40 digests, 16 first digits: some begin alike
        table = table.point(f"ref{number}", digest_of(str(number).encode()), 1)
    firsts = [target.digest.hex[0] for target in table.refs.values()]
    shared = next(digit for digit in firsts if firsts.count(digit) > 1)
    assert find(table, shared) is None
    assert find(table, table.refs["ref7"].digest.hex) == table.refs["ref7"]


def test_names_are_told_in_order_of_use() -> None:
    """The history first, then the others by name."""
    table = after(fetched("A"), fetched("B")).point("latest", digest_of(b"A"), 1).point("a", digest_of(b"A"), 1)
    assert names_of(table, digest_of(b"A")) == [PREVIOUS, "a", "latest"]
    assert names_of(table, digest_of(b"none")) == []
