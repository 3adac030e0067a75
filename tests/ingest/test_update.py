"""Bringing an index up to date: what is embedded, what is carried on, what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pycontextify.errors import IngestError, NotReadyError, PyContextifyError
from pycontextify.index.model import Query
from pycontextify.index.validate import passes, validate
from pycontextify.index.view import View
from pycontextify.ingest.crawl import CrawlRules
from pycontextify.ingest.report import IndexProgress, IndexReport, IndexRequest
from pycontextify.ingest.update import update_index
from pycontextify.snapshot.digest import Digest
from pycontextify.snapshot.history import CURRENT, PREVIOUS
from pycontextify.store.layout import Layout
from tests.fakes.encoder import TinyEncoder

MOMENT = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


class CountingEncoder(TinyEncoder):
    """A tiny encoder that remembers what it was asked to embed; told to, it fails."""

    def __init__(self, dimension: int = 32) -> None:
        super().__init__(dimension)
        self.embedded: list[str] = []
        self.failing = False

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed passages and remember them."""
        if self.failing:
            raise NotReadyError("the service went away", code="encoder_unreachable")
        self.embedded += texts
        return super().embed_passages(texts)


@dataclass
class Bench:
    """An index directory, a tree, and an encoder."""

    home: Path
    encoder: CountingEncoder = field(default_factory=CountingEncoder)
    progress: list[IndexProgress] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tree = self.home / "tree"
        self.tree.mkdir(parents=True)
        self.layout = Layout(self.home / "index")

    def write(self, files: dict[str, str]) -> None:
        """Put files into the tree."""
        for name, text in files.items():
            path = self.tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def update(
        self,
        *,
        root: Path | None = None,
        tree: str = "tree",
        tags: tuple[str, ...] = (),
        name: str | None = None,
        version: int | None = None,
        base: Digest | None = None,
        activate: bool = True,
    ) -> IndexReport:
        """Bring the tree up to date."""
        request = IndexRequest(root or self.tree, tree, tags, name, CrawlRules(), version, base, activate)
        return update_index(self.layout, request, self.encoder, on_progress=self.progress.append, now=lambda: MOMENT)

    def view(self, generation: Digest | None = None) -> View:
        """Open a generation, the current one if none is given."""
        generation = generation or self.layout.current()
        assert generation is not None
        return View.open(generation, self.layout.config(generation), self.layout.blob_path, self.encoder)

    def paths(self, generation: Digest | None = None) -> set[str]:
        """Return the paths of all documents that count."""
        view = self.view(generation)
        try:
            return {stored.document.path for segment in view.segments for stored in segment.live_documents()}
        finally:
            view.close()

    def find(self, text: str) -> list[str]:
        """Return the paths that a query finds by words."""
        view = self.view()
        try:
            return [hit.path for hit in view.search(Query(text, mode="keyword")).hits]
        finally:
            view.close()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A tree of three files, not indexed yet."""
    bench = Bench(tmp_path)
    bench.write(
        {"a.md": "# Apples\n\nred fruit\n", "b.md": "# Bananas\n\nyellow fruit\n", "c/d.py": "def pear():\n    pass\n"}
    )
    return bench


def test_a_new_index_holds_every_file(bench: Bench) -> None:
    """The first run embeds everything; the report counts it and the documents can be found."""
    report = bench.update(tags=("fruit",))
    assert (report.changed, report.added, report.updated, report.unchanged, report.removed) == (True, 3, 0, 0, 0)
    assert report.documents == 3
    assert report.version == 20261122120000
    assert bench.layout.current() == report.generation
    assert bench.paths() == {"a.md", "b.md", "c/d.py"}
    assert bench.find("yellow") == ["b.md"]
    view = bench.view()
    assert view.overview().tags == {"fruit": 3}
    view.close()


def test_nothing_changed_writes_nothing(bench: Bench) -> None:
    """The same tree again: no text is embedded, no file of the index is touched."""
    first = bench.update()
    bench.encoder.embedded.clear()
    before = {path: path.stat().st_mtime_ns for path in bench.layout.root.rglob("*") if path.is_file()}
    again = bench.update()
    assert (again.changed, again.generation, again.unchanged) == (False, first.generation, 3)
    assert bench.encoder.embedded == []
    assert {path: path.stat().st_mtime_ns for path in bench.layout.root.rglob("*") if path.is_file()} == before


def test_a_touched_file_is_not_a_changed_one(bench: Bench) -> None:
    """Content decides, never time: a fresh clone is not indexed anew."""
    bench.update()
    (bench.tree / "a.md").write_text((bench.tree / "a.md").read_text(encoding="utf-8"), encoding="utf-8")
    assert not bench.update().changed


def test_only_what_changed_is_embedded(bench: Bench) -> None:
    """One file changed, one added, one gone: the new generation has them so, and embeds two files' chunks."""
    bench.write({f"filler{number}.md": f"# Filler {number}\n\ntext {number}\n" for number in range(9)})
    bench.update()
    old = bench.layout.config(bench.layout.current() or Digest())
    bench.encoder.embedded.clear()
    bench.write({"a.md": "# Apricots\n\norange fruit\n", "e.md": "# Elderberries\n\nblack fruit\n"})
    (bench.tree / "b.md").unlink()
    report = bench.update()
    assert (report.added, report.updated, report.unchanged, report.removed) == (1, 1, 10, 1)
    assert len(bench.encoder.embedded) == 2
    assert bench.find("apples bananas") == []
    assert bench.find("orange") == ["a.md"]
    new = bench.layout.config(report.generation)
    assert new.segments[0].vectors == old.segments[0].vectors, "the old segment's blobs are carried on"
    assert new.segments[0].deleted is not None
    assert report.version > 20261122120000


def test_other_tags_are_a_change(bench: Bench) -> None:
    """Tags belong to the documents: giving others replaces them."""
    bench.update(tags=("old",))
    assert bench.update(tags=("new",)).updated == 3
    view = bench.view()
    assert view.overview().tags == {"new": 3}
    view.close()


def test_two_trees_live_side_by_side(bench: Bench, tmp_path: Path) -> None:
    """Each tree is brought up to date alone; equal paths in both are two documents."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.md").write_text("# Other apples\n", encoding="utf-8")
    bench.update()
    bench.update(root=other, tree="other")
    view = bench.view()
    assert view.overview().trees == {"other": 1, "tree": 3}
    hits = view.search(Query("apples", mode="keyword", path="other/*")).hits
    assert [(hit.tree, hit.path) for hit in hits] == [("other", "a.md")]
    view.close()
    assert bench.update().unchanged == 3


def test_a_label_does_not_silently_change_its_directory(bench: Bench, tmp_path: Path) -> None:
    """Another directory of the same name must not replace the first one's documents."""
    bench.update()
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "x.md").write_text("# X\n", encoding="utf-8")
    with pytest.raises(IngestError) as caught:
        bench.update(root=other, tree="tree")
    assert caught.value.code == "tree_label_taken"
    assert bench.paths() == {"a.md", "b.md", "c/d.py"}


def test_everything_gone_leaves_an_empty_generation(bench: Bench) -> None:
    """Deleting every file of an indexed tree is a change like any other."""
    bench.update()
    for path in [*bench.tree.rglob("*.md"), *bench.tree.rglob("*.py")]:
        path.unlink()
    report = bench.update()
    assert (report.documents, report.chunks, report.removed) == (0, 0, 3)
    assert bench.paths() == set()


def test_an_empty_tree_makes_no_index(tmp_path: Path) -> None:
    """Nothing to index is an error that says how to look, and leaves no generation behind."""
    bench = Bench(tmp_path)
    (bench.tree / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    with pytest.raises(IngestError, match="1 files were skipped, 0 ignored") as caught:
        bench.update()
    assert caught.value.code == "nothing_found"
    assert bench.layout.current() is None


def test_another_encoder_is_refused(bench: Bench) -> None:
    """Vectors of two encoders can't be compared; the index stays as it was."""
    first = bench.update().generation
    bench.encoder = CountingEncoder(dimension=16)
    bench.write({"new.md": "# New\n"})
    with pytest.raises(IngestError) as caught:
        bench.update()
    assert caught.value.code == "encoder_differs"
    assert bench.layout.current() == first


def test_a_failing_encoder_leaves_everything_as_it_was(bench: Bench) -> None:
    """The embedding service goes away in the middle: the old generation stays, nothing is left in staging."""
    first = bench.update().generation
    bench.write({"new.md": "# New\n"})
    bench.encoder.failing = True
    with pytest.raises(NotReadyError):
        bench.update()
    assert bench.layout.current() == first
    assert list(bench.layout.partial.iterdir()) == []
    bench.encoder.failing = False
    assert bench.update().added == 1


def test_versions_only_grow(bench: Bench) -> None:
    """A version of one's own is taken if it is higher; the clock's is always above the one before."""
    assert bench.update(version=7).version == 7
    bench.write({"a.md": "# Second\n"})
    with pytest.raises(IngestError) as caught:
        bench.update(version=7)
    assert caught.value.code == "version_not_higher"
    assert bench.update().version == 20261122120000
    bench.write({"a.md": "# Third\n"})
    assert bench.update().version == 20261122120001


def test_the_same_tree_gives_the_same_generation_anywhere(tmp_path: Path) -> None:
    """Two machines that build the same tree at the same moment publish the same bytes."""
    made = []
    for name in ("here", "there"):
        bench = Bench(tmp_path / name)
        bench.write({f"{number}.md": f"# Title {number}\n\nbody {number}\n" for number in range(20)})
        made.append(bench.update().generation)
    assert made[0] == made[1]


def test_what_is_not_activated_waits_under_its_own_ref(bench: Bench) -> None:
    """Without activation `current` stays, the new generation can be opened, and the next one can build on it."""
    first = bench.update().generation
    bench.write({"e.md": "# Elderberries\n"})
    second = bench.update(activate=False).generation
    assert bench.layout.current() == first
    assert bench.paths(second) == {"a.md", "b.md", "c/d.py", "e.md"}
    bench.write({"f.md": "# Figs\n"})
    third = bench.update(base=second, activate=False)
    assert third.added == 1
    saved = bench.update(base=third.generation)
    assert not saved.changed
    assert set(bench.layout.refs().refs) == {CURRENT, "unsaved"}


def test_three_generations_are_kept(bench: Bench) -> None:
    """Those before stay whole, for going back; older blobs go."""
    generations = []
    for number in range(4):
        bench.write({"a.md": f"# Edition {number}\n"})
        generations.append(bench.update().generation)
    refs = bench.layout.refs().refs
    assert [refs[f"{PREVIOUS}-2"].digest, refs[PREVIOUS].digest, refs[CURRENT].digest] == generations[1:]
    assert bench.paths(generations[1]) == {"a.md", "b.md", "c/d.py"}
    assert not bench.layout.blob_path(generations[0]).exists()


def test_the_generation_validates_itself(bench: Bench) -> None:
    """Probes are chosen, and they and everything else pass validation as a hydrating server would do it."""
    bench.write({f"{number}.md": f"# Title{number}\n\nsubject{number} matter{number}\n" for number in range(30)})
    view = bench.view(bench.update().generation)
    validate(view)
    assert len(view.config.probes) == 5
    assert len({probe.row for probe in view.config.probes}) == 5
    assert all(passes(view, probe) for probe in view.config.probes)
    view.close()


def test_an_index_keeps_its_name_until_another_is_given(bench: Bench) -> None:
    """Whoever brings it up to date need not know what it is called; one that nobody named is called index."""

    def name_of(report: IndexReport) -> str:
        return bench.layout.config(report.generation).name

    assert name_of(bench.update()) == "index"
    bench.write({"new.md": "# New\n"})
    assert name_of(bench.update(name="fruit")) == "fruit"
    bench.write({"newer.md": "# Newer\n"})
    assert name_of(bench.update()) == "fruit"


def test_progress_tells_every_stage_in_order(bench: Bench) -> None:
    """Scanning, embedding, writing; counts only grow within a stage."""
    bench.update()
    assert list(dict.fromkeys(step.stage for step in bench.progress)) == ["scanning", "embedding", "writing"]
    embedding = [step for step in bench.progress if step.stage == "embedding"]
    assert [step.done for step in embedding] == sorted(step.done for step in embedding)
    assert embedding[-1].done == embedding[-1].total == 3


def test_what_can_not_be_read_is_named(bench: Bench) -> None:
    """Binary and empty files are in the report with a reason, never silently left out; ignored ones are counted."""
    (bench.tree / "blob.bin").write_bytes(b"\x00\x01\x02" * 100)
    bench.write({"empty.md": "\n\n", ".gitignore": "ignored.md\n", "ignored.md": "# Ignored\n"})
    report = bench.update()
    skipped = {each.path: each.reason for each in report.skipped}
    assert set(skipped) == {"blob.bin", "empty.md"}
    assert all(skipped.values())
    assert report.ignored == 1


edits = st.lists(
    st.dictionaries(
        st.sampled_from(["a.md", "b.md", "c.md", "d/e.md"]),
        st.one_of(st.none(), st.sampled_from(["alpha", "beta", "gamma", "delta"])),
        max_size=4,
    ),
    min_size=1,
    max_size=12,
)


@given(edits)
def test_any_history_ends_like_a_fresh_index(
    tmp_path_factory: pytest.TempPathFactory, history: list[dict[str, str | None]]
) -> None:
    """However often a tree was edited, indexed and merged: the index holds what is in the tree, and nothing else."""
    bench = Bench(tmp_path_factory.mktemp("history"))
    contents: dict[str, str] = {"always.md": "omega"}
    bench.write({"always.md": "# omega\n"})
    for edit in history:
        for name, word in edit.items():
            if word is None:
                (bench.tree / name).unlink(missing_ok=True)
                contents.pop(name, None)
            else:
                bench.write({name: f"# {word}\n"})
                contents[name] = word
        bench.update()
        assert bench.paths() == set(contents)
        for word in ("alpha", "beta", "gamma", "delta", "omega"):
            assert set(bench.find(word)) == {name for name, held in contents.items() if held == word}


def test_an_error_is_one_of_ours(bench: Bench) -> None:
    """A root that is not there is said in our words."""
    with pytest.raises(PyContextifyError) as caught:
        bench.update(root=bench.home / "nowhere")
    assert caught.value.code == "tree_missing"
