"""The plug is pulled: a real ext4, shut down at once without writing back what it has, at moment after moment.

``EXT4_IOC_SHUTDOWN`` is what the kernel's own file system tests use for a power cut: what was not flushed is gone. Half
of the time the file system's journal is written first, as it is every few seconds: then names are on the disk, and
bytes that nobody flushed are not. After mounting again, what is current must be a whole generation, and the next run
must converge.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from tests.crash.stage import ACTS, prepare
from tests.crash.strace import Runner
from tests.crash.test_crash import Scene

pytestmark = pytest.mark.system

CUTS = 50
_SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN, _IOR('X', 125, __u32), linux/fs/ext4/ext4.h
_LOG_FLUSH, _NO_LOG_FLUSH = 1, 2


class Disk:
    """An ext4 in a file, mounted; its power can be cut."""

    def __init__(self, home: Path) -> None:
        self._image, self.mounted = home / "image", home / "mounted"
        self.mounted.mkdir()
        with self._image.open("wb") as image:
            image.truncate(64 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", str(self._image)], check=True)
        self.mount()

    def mount(self) -> None:
        """Mount it; its journal is replayed."""
        # ext4 would flush a file that replaces another by itself; other file systems do not.
        subprocess.run(["mount", "-o", "loop,noauto_da_alloc", str(self._image), str(self.mounted)], check=True)

    def cut(self, *, journal: bool) -> None:
        """Cut its power: from now on every access fails. ``journal``: just after that has been written."""
        descriptor = os.open(self.mounted, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, struct.pack("I", _LOG_FLUSH if journal else _NO_LOG_FLUSH))
        finally:
            os.close(descriptor)

    def unmount(self) -> None:
        """Unmount it."""
        subprocess.run(["umount", str(self.mounted)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk of the test's own."""
    disk = Disk(tmp_path)
    yield disk
    disk.unmount()


@pytest.mark.timeout(600)
def test_fifty_power_cuts(disk: Disk, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """At 50 moments of hydrating, indexing, publishing and going back: the old generation or the new one, whole."""
    prepared = tmp_path / "prepared"
    prepared.mkdir()
    prepare(prepared)
    random = Random(4)  # noqa: S311 - nothing is kept secret with it
    outcomes: Counter[str] = Counter()
    acts = [act for act in ACTS if act != "prune"]
    with Runner(tmp_path) as runner:
        for number in range(CUTS):
            act = acts[number // 2 % len(acts)]
            scene = Scene(runner, prepared, disk.mounted / "home", act)
            points = scene.points()
            new = scene.holds()
            scene.reset()
            old = scene.holds()
            os.sync()
            scene.break_at(random.choice(points), "KILL", reset=False)
            disk.cut(journal=number % 2 == 0)
            disk.unmount()
            disk.mount()
            assert scene.is_sound(), f"{act}, cut {number}: in need of recovery"
            found = scene.holds()
            assert found in (old, new), f"{act}, cut {number}"
            outcomes["new" if found == new else "old"] += 1
            scene.again()
            assert scene.holds() == new
            shutil.rmtree(disk.mounted / "home")
    record_property(f"{CUTS} power cuts", ", ".join(f"{count} {what}" for what, count in sorted(outcomes.items())))
