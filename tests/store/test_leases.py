"""Leases: what the living have open is not pruned, what the dead had is, and nobody is in anybody's way."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import pycontextify
from pycontextify.snapshot.digest import digest_of
from pycontextify.store.layout import Layout
from pycontextify.store.leases import Leases, leased
from pycontextify.store.lock import if_free, lock_for_life
from pycontextify.store.prune import prune

X, Y = digest_of(b"x"), digest_of(b"y")
HOLDER = """
import sys
from pathlib import Path
from pycontextify.snapshot.digest import parse_digest
from pycontextify.store.layout import Layout

layout = Layout(Path(sys.argv[1]))
with layout.leases.holding([parse_digest(digest) for digest in sys.argv[2:]]):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(layout: Layout, *digests: str) -> Iterator[subprocess.Popen[str]]:
    """Run another process that holds blobs until its standard input is closed, or it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(layout.root), *digests],
        cwd=Path(pycontextify.__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def files(layout: Layout) -> list[str]:
    """The kinds of files that leases have left."""
    directory = layout.root / ".pycontextify" / "leases"
    return sorted(path.suffix for path in directory.iterdir()) if directory.is_dir() else []


def test_what_another_living_process_holds_is_not_pruned(layout: Layout) -> None:
    """Until that process lets it go; what it does not hold goes at once."""
    kept, stray = layout.add_bytes(b"kept"), layout.add_bytes(b"stray")
    with holder(layout, kept) as process:
        assert prune(layout).blobs == 1
        assert (layout.blob_path(kept).exists(), layout.blob_path(stray).exists()) == (True, False)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(30) == 0
        assert files(layout) == []
        assert prune(layout).blobs == 1


def test_what_a_killed_process_held_is_pruned(layout: Layout) -> None:
    """Its number may belong to somebody else by then: the lock tells, not the number. Its files are cleared away."""
    blob = layout.add_bytes(b"held")
    with holder(layout, blob) as process:
        process.kill()
        process.wait()
        assert files(layout) == [".json", ".lock"]
        assert prune(layout).blobs == 1
    assert files(layout) == []


def test_leases_of_this_process_count_too(layout: Layout) -> None:
    """Two layouts of one directory are two holders, whoever asks."""
    other = Layout(layout.root)
    with layout.leases.holding([X]), other.leases.holding([Y]):
        assert layout.leased() == other.leased() == {X, Y}
    assert layout.leased() == frozenset()


def test_a_blob_is_held_as_often_as_it_was_taken(layout: Layout) -> None:
    """Two views of one generation: closing the first leaves the second."""
    layout.leases.take([X, Y])
    layout.leases.take([X])
    layout.leases.drop([X, Y])
    assert layout.leased() == {X}
    layout.leases.drop([X])
    assert layout.leased() == frozenset()
    assert files(layout) == []


def test_nothing_is_written_before_the_first_lease(tmp_path: Path) -> None:
    """Nor for an empty one."""
    leases = Leases(tmp_path / "leases")
    leases.take([])
    leases.drop([])
    assert not (tmp_path / "leases").exists()


def test_it_can_hold_again_after_it_held_nothing(layout: Layout) -> None:
    """A server whose index was reset and came back."""
    for _ in range(2):
        with layout.leases.holding([X]):
            assert layout.leased() == {X}
        assert files(layout) == []


def test_threads_hold_side_by_side(layout: Layout) -> None:
    """Whatever they do at the same time, in the end nothing is held, and all along what is held is told."""
    layout.leases.take([X])
    seen: list[bool] = []

    def work() -> None:
        for _ in range(20):
            with layout.leases.holding([Y]):
                seen.append({X, Y} <= layout.leased())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 80
    assert layout.leased() == {X}
    layout.leases.drop([X])


def test_a_directory_that_can_not_be_written_to_is_held_all_the_same(tmp_path: Path) -> None:
    """Nobody prunes there either; holding raises nothing."""
    (tmp_path / "file").write_bytes(b"")
    leases = Leases(tmp_path / "file" / "leases")
    with leases.holding([X]):
        pass
    assert leased(tmp_path / "file" / "leases") == frozenset()


@pytest.mark.parametrize("content", [b"", b"{", b"1", b'["no digest"]', b'[1, "sha256:1"]', b"\xff"])
def test_what_can_not_be_read_holds_nothing(layout: Layout, content: bytes) -> None:
    """Rubbish in a lease file keeps nobody from pruning, and holds up nobody else's."""
    directory = layout.root / ".pycontextify" / "leases"
    with layout.leases.holding([X]):
        (directory / "rubbish.json").write_bytes(content)
        release = lock_for_life(directory / "rubbish.lock")
        assert layout.leased() == {X}
        release()


def test_being_looked_at_does_not_keep_one_from_holding(layout: Layout) -> None:
    """Whoever looks whether a lease is held locks it for a moment; its holder waits that moment."""
    path = layout.root / "life.lock"
    looking, taken = threading.Event(), threading.Event()

    def take() -> None:
        looking.wait()
        lock_for_life(path)()
        taken.set()

    thread = threading.Thread(target=take)
    thread.start()
    with if_free(path) as free:
        assert free
        looking.set()
        assert not taken.wait(0.05)
        path.unlink()  # as is done with what the dead have left
    assert taken.wait(5)
    thread.join()


def test_a_lock_that_is_held_is_not_free(tmp_path: Path) -> None:
    """In the process that holds it as well, and where it can't be told."""
    release = lock_for_life(tmp_path / "life.lock")
    with if_free(tmp_path / "life.lock") as free:
        assert not free
    release()
    with if_free(tmp_path / "life.lock") as free:
        assert free
    (tmp_path / "file").write_bytes(b"")
    with if_free(tmp_path / "file" / "life.lock") as free:
        assert not free


def test_leases_tell_nothing_of_who_holds(layout: Layout) -> None:
    """Neither a process number nor a host: digests alone."""
    with layout.leases.holding([X]):
        directory = layout.root / ".pycontextify" / "leases"
        (told,) = directory.glob("*.json")
        assert told.read_text(encoding="utf-8") == f'["{X}"]'
        assert str(os.getpid()) not in told.stem
