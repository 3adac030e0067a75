"""Two writers that do not see each other's lock, as on a network file system without: what is current stays whole."""

from __future__ import annotations

import random
import threading
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

import pytest

from pycontextify.errors import PyContextifyError, StoreError
from pycontextify.snapshot.digest import Digest, digest_of
from pycontextify.store.layout import Layout
from pycontextify.store.prune import prune
from tests.store.generations import build, store

POOL = [b"blob %d" % number for number in range(5)]


class Unlocked(Layout):
    """A layout whose writers do not exclude each other."""

    def lock(self, *, timeout: float) -> AbstractContextManager[None]:
        """Exclude nobody."""
        return nullcontext()


def write(layout: Layout, generation: int, contents: list[bytes]) -> bool:
    """Store a generation, activate it and prune, as every writer does; tell whether it was activated."""
    _, blobs = build(generation, *contents)
    with layout.lock(timeout=0), layout.leases.holding([digest_of(blob) for blob in blobs]):
        try:
            layout.activate([layout.add_bytes(blob) for blob in blobs][-1])
        except StoreError:
            return False
        with suppress(PyContextifyError):  # a ref of the other's that is gone: nothing is pruned
            prune(layout)
    return True


def test_whatever_they_do_at_the_same_time_current_is_whole(tmp_path: Path) -> None:
    """They share blobs, fall into each other's refs, and prune each other's leftovers."""
    layout = Layout(tmp_path)
    layout.create()
    activated: list[bool] = []
    broken: list[int] = []

    def work(seed: int) -> None:
        own, chosen = Unlocked(tmp_path, keep=1), random.Random(seed)  # noqa: S311 - a choice, no secret
        for turn in range(40):
            activated.append(write(own, 40 * seed + turn, chosen.sample(POOL, 2)))
            if layout.current() is None:
                broken.append(turn)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert layout.whole_current() is not None
    assert broken == []
    assert any(activated)
    assert layout.leased() == frozenset()


def test_what_is_leased_while_it_is_pruned_is_put_back(layout: Layout) -> None:
    """The other writer has found its blob there, and relies on it."""
    blob = layout.add_bytes(b"reused")
    other = Layout(layout.root)

    class Late(Layout):
        """A pruner that the other writer's lease comes too late for, the first time it looks."""

        def leased(self) -> frozenset[Digest]:
            found = super().leased()
            if not other.leased():
                other.leases.take([blob])
            return found

    assert prune(Late(layout.root)).blobs == 0
    assert layout.read(blob) == b"reused"
    other.leases.drop([blob])
    assert prune(layout).blobs == 1


def test_when_refs_break_while_pruning_everything_is_put_back(layout: Layout) -> None:
    """The other writer has made something current that can't be read."""
    stray, generation = layout.add_bytes(b"stray"), store(layout, 1, b"a", b"b")
    layout.activate(generation)

    class Late(Layout):
        """A pruner under whose hands index.json is damaged."""

        def leased(self) -> frozenset[Digest]:
            (layout.root / "index.json").write_bytes(b"{")
            return super().leased()

    before = {path.name for path in layout.blob_files()}
    with pytest.raises(StoreError):
        prune(Late(layout.root))
    assert {path.name for path in layout.blob_files()} == before >= {stray.hex}
