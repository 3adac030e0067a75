"""LiveIndex: what is leased is never closed, a swap waits for nobody, and whoever is last puts out the light."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.index.live import LiveIndex


class Closeable:
    """Counts how often it was closed; ``on_close`` is called first."""

    def __init__(self, on_close: Callable[[], object] = lambda: None) -> None:
        self.closed = 0
        self._on_close = on_close

    def close(self) -> None:
        """Count."""
        self._on_close()
        self.closed += 1


def test_before_the_first_view_a_lease_is_of_nothing() -> None:
    """None, any number of times; and swapping nothing for nothing is allowed."""
    live: LiveIndex[Closeable] = LiveIndex()
    with live.lease() as one, live.lease() as other:
        assert one is other is None
    live.swap(None)


def test_a_view_nobody_reads_is_closed_by_the_swap() -> None:
    """At once, in the thread that swaps; the new one is lent from then on."""
    live: LiveIndex[Closeable] = LiveIndex()
    old, new = Closeable(), Closeable()
    live.swap(old)
    live.swap(new)
    assert (old.closed, new.closed) == (1, 0)
    with live.lease() as view:
        assert view is new
    live.swap(None)
    assert (old.closed, new.closed) == (1, 1)
    with live.lease() as view:
        assert view is None


def test_a_leased_view_is_closed_by_its_last_reader() -> None:
    """The swap does not wait for them, and they go on with what they have."""
    live: LiveIndex[Closeable] = LiveIndex()
    old, new = Closeable(), Closeable()
    live.swap(old)
    first, second = live.lease(), live.lease()
    assert first.__enter__() is second.__enter__() is old
    live.swap(new)
    with live.lease() as view:
        assert view is new
    first.__exit__(None, None, None)
    assert old.closed == 0
    second.__exit__(None, None, None)
    assert (old.closed, new.closed) == (1, 0)


def test_a_reader_that_fails_gives_its_lease_back() -> None:
    """An error in a search keeps nothing alive."""
    live: LiveIndex[Closeable] = LiveIndex()
    old = Closeable()
    live.swap(old)

    def read() -> None:
        with live.lease():
            live.swap(None)
            assert old.closed == 0
            raise RuntimeError("oops")

    with pytest.raises(RuntimeError, match="oops"):
        read()
    assert old.closed == 1


def test_swapping_in_what_is_live_changes_nothing() -> None:
    """It is not closed under its readers."""
    live: LiveIndex[Closeable] = LiveIndex()
    view = Closeable()
    live.swap(view)
    live.swap(view)
    assert view.closed == 0
    with live.lease() as leased:
        live.swap(view)
        assert leased is view
    assert view.closed == 0
    live.swap(None)
    assert view.closed == 1


@pytest.mark.parametrize("reader", [True, False], ids=["by a reader", "by the swap"])
def test_nothing_is_locked_while_a_view_is_closed(reader: bool) -> None:
    """Closing may take its time, and may even use the index: leases and swaps go on. (Else this test hangs.)"""
    live: LiveIndex[Closeable] = LiveIndex()
    seen: list[object] = []

    def use() -> None:
        with live.lease() as view:
            seen.append(view)
        thread = threading.Thread(target=lambda: live.swap(last))
        thread.start()
        thread.join(60)
        assert not thread.is_alive()

    old, new, last = Closeable(use), Closeable(), Closeable()
    live.swap(old)
    if reader:
        with live.lease():
            live.swap(new)
    else:
        live.swap(new)
    assert seen == [new]
    assert (old.closed, new.closed, last.closed) == (1, 1, 0)


def test_a_view_that_can_not_be_closed_does_not_spoil_the_next() -> None:
    """The swap has happened by then: the error gets out, the new view serves."""

    def fail() -> None:
        raise RuntimeError("stuck")

    live: LiveIndex[Closeable] = LiveIndex()
    new = Closeable()
    live.swap(Closeable(fail))
    with pytest.raises(RuntimeError, match="stuck"):
        live.swap(new)
    with live.lease() as view:
        assert view is new


steps = st.lists(
    st.just(("lease", 0)) | st.tuples(st.sampled_from(["release", "swap", "empty"]), st.integers(0, 50)), max_size=40
)


@given(steps=steps)
def test_any_order_of_leases_and_swaps(steps: list[tuple[str, int]]) -> None:
    """Against a model: a view is closed once, as soon as it is neither live nor leased, and not before."""
    live: LiveIndex[Closeable] = LiveIndex()
    made: list[Closeable] = []
    current: Closeable | None = None
    leases: list[tuple[AbstractContextManager[Closeable | None], Closeable | None]] = []
    for step, number in steps:
        match step:
            case "lease":
                lease = live.lease()
                leases.append((lease, lease.__enter__()))
                assert leases[-1][1] is current
            case "release" if leases:
                leases.pop(number % len(leases))[0].__exit__(None, None, None)
            case "swap":
                current = Closeable()
                made.append(current)
                live.swap(current)
            case "empty":
                current = None
                live.swap(None)
            case _:
                continue
        held = {id(view) for _, view in leases} | {id(current)}
        assert all(view.closed == (id(view) not in held) for view in made)
