"""The writers' lock: one at a time, in this process and among several, and never held by the dead."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import pycontextify
from pycontextify.errors import StoreError
from pycontextify.store.layout import Layout
from pycontextify.store.lock import writer_lock

HOLDER = """
import sys
from pathlib import Path
from pycontextify.store.lock import writer_lock

with writer_lock(Path(sys.argv[1]), timeout=10):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def _holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Run another process that holds the lock until its standard input is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
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


def _assert_locked(path: Path) -> None:
    with pytest.raises(StoreError) as caught, writer_lock(path, timeout=0):
        pass
    assert caught.value.code == "store_locked"
    assert caught.value.hint


def test_two_writers_of_one_process_exclude_each_other(tmp_path: Path) -> None:
    """The second is refused while the first is at work, and not afterwards."""
    path = tmp_path / "lock"
    with writer_lock(path, timeout=0):
        _assert_locked(path)
    with writer_lock(path, timeout=0):
        pass


def test_the_lock_is_let_go_after_an_error(tmp_path: Path) -> None:
    """A writer that fails does not shut the others out."""
    path = tmp_path / "lock"
    with pytest.raises(RuntimeError, match="oops"), writer_lock(path, timeout=0):
        raise RuntimeError("oops")
    with writer_lock(path, timeout=0):
        pass


def test_a_waiting_writer_gets_the_lock(tmp_path: Path) -> None:
    """Waiting writers get it when the one before has finished."""
    path, got = tmp_path / "lock", threading.Event()

    def wait() -> None:
        with writer_lock(path, timeout=30):
            got.set()

    thread = threading.Thread(target=wait)
    with writer_lock(path, timeout=0):
        thread.start()
        assert not got.is_set()
    thread.join(30)
    assert got.is_set()


def test_threads_write_one_after_the_other(tmp_path: Path) -> None:
    """Eight threads that read, add one and write lose no step."""
    path, number = tmp_path / "lock", tmp_path / "number"
    number.write_text("0", encoding="utf-8")

    def work() -> None:
        for _ in range(3):
            with writer_lock(path, timeout=60):
                number.write_text(str(int(number.read_text(encoding="utf-8")) + 1), encoding="utf-8")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert number.read_text(encoding="utf-8") == "24"


def test_it_may_be_entered_in_one_thread_and_left_in_another(tmp_path: Path) -> None:
    """Hydration enters and leaves in worker threads, not always the same one."""
    path = tmp_path / "lock"
    lock = writer_lock(path, timeout=0)
    _in_a_thread(lock.__enter__)
    _assert_locked(path)
    _in_a_thread(lambda: lock.__exit__(None, None, None))
    with writer_lock(path, timeout=0):
        pass


def _in_a_thread(work: Callable[[], object]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_another_process_is_excluded_and_excludes(tmp_path: Path) -> None:
    """The lock counts between processes, and the file that carries it may stay."""
    path = tmp_path / "lock"
    with _holder(path) as process:
        _assert_locked(path)
        assert process.stdin is not None
        process.stdin.close()
        with writer_lock(path, timeout=30):
            pass


def test_a_killed_holder_lets_go(tmp_path: Path) -> None:
    """The system frees the lock of a process that was killed; nobody has to clean up."""
    path = tmp_path / "lock"
    with _holder(path) as process:
        _assert_locked(path)
        process.kill()
        with writer_lock(path, timeout=30):
            pass


def test_the_message_names_the_index_directory(layout: Layout) -> None:
    """Whoever reads it sees which directory is meant, not where its lock is."""
    with layout.lock(timeout=0), pytest.raises(StoreError) as caught, layout.lock(timeout=0):
        pass
    assert caught.value.asset == str(layout.root)


def test_a_place_for_the_lock_that_is_none_is_a_store_error(tmp_path: Path) -> None:
    """A file where a directory should be."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError) as caught, writer_lock(tmp_path / "file" / "lock", timeout=0):
        pass
    assert caught.value.code == "disk_failed"
    assert caught.value.hint
