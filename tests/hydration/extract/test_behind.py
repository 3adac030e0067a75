"""Work behind its owner: in order, little of it waiting, and nothing under way once the block is left."""

from __future__ import annotations

import threading

import pytest

from pycontextify.hydration.extract.behind import Behind


def test_steps_are_done_in_their_order_and_all_of_them() -> None:
    """And in one thread, which is not the owner's."""
    done: list[tuple[int, int]] = []
    with Behind() as behind, behind.finished():
        for number in range(100):
            behind.do(lambda number: done.append((number, threading.get_ident())), number)
    assert [number for number, _ in done] == list(range(100))
    assert len({thread for _, thread in done}) == 1
    assert threading.get_ident() not in {thread for _, thread in done}


def test_the_owner_waits_when_it_is_far_ahead() -> None:
    """What has not been done yet takes memory."""
    going, done = threading.Event(), list[int]()

    def step(number: int) -> None:
        going.wait()
        done.append(number)

    with Behind() as behind, behind.finished():
        threading.Timer(0.05, going.set).start()
        for number in range(20):
            behind.do(step, number)
            assert number - len(done) < 10


@pytest.mark.parametrize("steps", [1, 50])
def test_what_a_step_raises_reaches_the_owner(steps: int) -> None:
    """At the end of the block, or before that, from a later step."""

    def fail() -> None:
        raise OSError(28, "full")

    def work(behind: Behind) -> None:
        with behind.finished():
            for _ in range(steps):
                behind.do(fail)

    with Behind() as behind, pytest.raises(OSError, match="full"):
        work(behind)


def test_what_the_owner_raises_ends_the_rest() -> None:
    """The step that is under way ends first, so that a file can be closed; those after it are not begun."""
    begun, going, done = threading.Event(), threading.Event(), list[int]()

    def step(number: int) -> None:
        begun.set()
        going.wait()
        done.append(number)

    def work(behind: Behind) -> None:
        with behind.finished():
            for number in range(5):
                behind.do(step, number)
            begun.wait()
            threading.Timer(0.05, going.set).start()
            raise KeyError

    with Behind() as behind:
        with pytest.raises(KeyError):
            work(behind)
        assert done == [0]
        with behind.finished():
            behind.do(done.append, 7)
    assert done == [0, 7]
