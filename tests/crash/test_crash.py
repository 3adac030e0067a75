"""Every write-side system call of every writer fails in turn, or is its last.

Whatever breaks: what is current afterwards is a whole generation, the old one or the new one, without any recovery,
and doing it once more ends as if nothing had happened.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pycontextify.config import Places, load_settings
from pycontextify.index.model import Query
from pycontextify.library.recovery import open_best
from pycontextify.library.workspace import Workspace
from pycontextify.snapshot.digest import Digest
from pycontextify.store.check import damaged_blobs
from pycontextify.store.layout import Layout
from tests.crash.forks import ELSEWHERE, FAILED
from tests.crash.stage import ACTS, open_view, prepare
from tests.crash.strace import FAULTS, Point, Runner

pytestmark = pytest.mark.system

NOWHERE = Path("/nonexistent")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directories as they are before each act."""
    home = tmp_path_factory.mktemp("prepared")
    prepare(home)
    return home


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    """What runs and breaks acts."""
    with Runner(tmp_path_factory.mktemp("scratch")) as runner:
        yield runner


class Scene:
    """One act, run again and again on fresh copies of its directories."""

    def __init__(self, runner: Runner, prepared: Path, home: Path, act: str) -> None:
        self.runner = runner
        self.act = act
        self.directory = home / ACTS[act].changes
        self.ref = ACTS[act].ref
        self._prepared = prepared
        self._home = home

    def reset(self) -> None:
        """Put everything back as it was before."""
        shutil.rmtree(self._home, ignore_errors=True)
        shutil.copytree(self._prepared, self._home)

    def points(self) -> list[Point]:
        """Return the calls to break."""
        self.reset()
        return self.runner.points(self.act, self._home)

    def break_at(self, point: Point, fault: str, *, reset: bool = True) -> int:
        """Run the act, broken; by default on directories that are as they were before."""
        if reset:
            self.reset()
        return self.runner.break_at(self.act, self._home, point, fault)

    def again(self) -> None:
        """Run the act once more, unbroken."""
        assert self.runner.run(self.act, self._home) == 0

    def is_sound(self) -> bool:
        """Tell whether what the ref points to is whole, to the byte, without any recovery."""
        layout = Layout(self.directory)
        return list(damaged_blobs(layout, [layout.refs().refs[self.ref]], deep=True)) == []

    def holds(self) -> Digest:
        """Return the generation that the directory holds, after its recovery: whole, to the byte, and answering."""
        if self.ref == "current":
            # Without a model, which takes longer to open than all else does: recovery asks for no meaning.
            settings = load_settings(
                {"index_dir": str(self.directory), "embedding_model": str(NOWHERE / "model")},
                {},
                places=Places(NOWHERE / "config", NOWHERE / "indexes"),
            )
            opened = open_best(Workspace(settings))
            assert opened.view is not None, opened.damage
            opened.view.close()
        layout = Layout(self.directory)
        target = layout.refs().refs[self.ref]
        assert list(damaged_blobs(layout, [target], deep=True)) == []
        view = open_view(target.digest, layout.config(target.digest), layout.blob_path)
        try:
            assert view.search(Query("validator", mode="keyword")).hits[0].path == "cache.md"
        finally:
            view.close()
        return target.digest


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.timeout(600)
def test_whatever_breaks(
    act: str, runner: Runner, prepared: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """KILL, ENOSPC and EIO at each call: the old generation or the new one, whole, and the next run converges."""
    scene = Scene(runner, prepared, tmp_path / "home", act)
    points = scene.points()
    new = scene.holds()
    scene.reset()
    old = scene.holds()
    outcomes: Counter[str] = Counter()
    for fault in FAULTS:
        for point in points:
            code = scene.break_at(point, fault)
            assert code != FAILED, f"{act}, {fault} at {point}: an error that is none of ours"
            assert scene.is_sound(), f"{act}, {fault} at {point}: in need of recovery"
            found = scene.holds()
            assert found in (old, new), f"{act}, {fault} at {point}"
            outcomes["elsewhere" if code == ELSEWHERE else f"{fault}: {'new' if found == new else 'old'}"] += 1
            scene.again()
            assert scene.holds() == new, f"{act}, {fault} at {point}: the next run does not converge"
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    record_property(act, f"{len(points)} points, {len(points) * len(FAULTS)} runs broken: {told}")
    assert len(points) >= 5
