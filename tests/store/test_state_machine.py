"""The store against a model, in any order: write, activate, crash at every step, recover, roll back, prune, back up.

The model knows what each generation consists of and which blobs have been harmed. What must hold after each step:

- what is current is whole, unless it was harmed and nobody has recovered yet;
- a crash leaves what was current before or what was to be, and never a mixture;
- everything in the history that was not harmed stays whole, as does whatever is leased.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pycontextify.errors import PyContextifyError
from pycontextify.snapshot.digest import Digest, digest_of
from pycontextify.snapshot.history import CURRENT, generations
from pycontextify.store.check import damaged_blobs, quarantine, rotten_files
from pycontextify.store.copies import add_link
from pycontextify.store.layout import Layout
from pycontextify.store.prune import prune
from pycontextify.store.reclaim import reclaim
from pycontextify.store.recover import mend, whole_generations
from tests.store.generations import build

KEEP = 3
POOL = [b"blob %d" % number for number in range(6)]
versions = st.integers(1, 12)
pairs = st.lists(st.sampled_from(POOL), min_size=2, max_size=3, unique=True)


class Store(RuleBasedStateMachine):
    """An index directory, its backup, and what ought to be in them."""

    def __init__(self) -> None:
        super().__init__()
        self._home = Path(tempfile.mkdtemp())
        self.layout = Layout(self._home / "index", keep=KEEP)
        self.backup = Layout(self._home / "backup", keep=KEEP)
        self.blobs: dict[Digest, list[bytes]] = {}
        self.history: list[Digest] = []
        self.saved: list[Digest] = []
        self.harmed: set[Digest] = set()
        self.damaged_refs = False
        self.leased: list[Digest] = []

    @initialize()
    def create(self) -> None:
        """Make the directory."""
        self.layout.create()

    def teardown(self) -> None:
        """Remove it all."""
        shutil.rmtree(self._home)

    # What writers do

    @rule(version=versions, contents=pairs)
    def activate(self, version: int, contents: list[bytes]) -> None:
        """Write a generation and make it current, as every writer does."""
        self._reopen()
        generation, blobs = self._known(version, contents)
        for blob in blobs:
            self._write(blob)
        self.layout.activate(generation)
        self._used(generation)

    @rule(version=versions, contents=pairs, steps=st.integers(0, 12), data=st.data())
    def crash(self, version: int, contents: list[bytes], steps: int, data: st.DataObject) -> None:
        """Die after some steps of the same: each blob is staged, then named; last of all the refs are.

        With a torn temporary file at the very step, and builds and downloads left behind.
        """
        self._reopen()
        before = self.layout.current()
        generation, blobs = self._known(version, contents)
        done, torn = divmod(steps, 2)
        for blob in blobs[:done]:
            self._write(blob)
        if done < len(blobs):
            if torn:
                blob = blobs[done]
                path = self.layout.blob_path(digest_of(blob))
                path.with_name(f".{path.name}.0123.tmp").write_bytes(blob[: data.draw(st.integers(0, len(blob)))])
            assert self.layout.current() == before
        elif torn:
            (self.layout.root / ".index.json.0123.tmp").write_bytes(b'{"manifests": [')
            assert self.layout.current() == before
        else:
            self.layout.activate(generation)
            self._used(generation)
        (self.layout.partial / "staging-0123").mkdir(exist_ok=True)
        (self.layout.partial / "copy-0123").write_bytes(b"half")
        (self.layout.partial / "0123.part").write_bytes(b"half")

    @rule(back=st.integers(1, KEEP))
    def roll_back(self, back: int) -> None:
        """Go back to what the history has there; what is not whole is refused, and nothing changes."""
        self._reopen()
        found = generations(self.layout.refs())
        if back >= len(found):
            return
        target = found[back]
        if self._is_harmed(target.digest):
            try:
                self.layout.roll_back(target)
            except PyContextifyError:
                return
            raise AssertionError("went back to what is not whole")
        self.layout.roll_back(target)
        self._used(target.digest)

    @rule()
    def prune(self) -> None:
        """Remove what nothing needs; where a manifest can't be read, nothing goes."""
        self._reopen()
        try:
            prune(self.layout)
        except PyContextifyError:
            assert any(generation in self.harmed for generation in self.history)
            return
        reached = {digest_of(blob) for each in [*self.history, *self.leased] for blob in self.blobs[each]}
        assert {path.name for path in self.layout.blob_files()} <= {digest.hex for digest in reached}

    # What happens to disks

    @precondition(lambda self: self.history)
    @rule(number=st.integers(0, KEEP - 1), blob=st.integers(0, 4), how=st.sampled_from(["gone", "short", "rotten"]))
    def harm(self, number: int, blob: int, how: str) -> None:
        """A blob of some generation in the history disappears, is cut short, or rots."""
        generation = self.history[number % len(self.history)]
        digest = digest_of(self.blobs[generation][blob % len(self.blobs[generation])])
        path = self.layout.blob_path(digest)
        if not path.exists():
            return
        content = path.read_bytes()
        match how:
            case "gone":
                path.unlink()
            case "short":
                path.write_bytes(content[:-1])
            case _:
                path.write_bytes(b"X" + content[1:])
        self.harmed.add(digest)

    @rule(content=st.sampled_from([b"", b"{", b"[]", b'{"manifests": 1}']))
    def damage_refs(self, content: bytes) -> None:
        """index.json is torn."""
        self._reopen()
        (self.layout.root / "index.json").write_bytes(content)
        self.damaged_refs = True

    # What readers do

    @precondition(lambda self: self.history)
    @rule()
    def lease(self) -> None:
        """A living process opens what is current, and keeps it open."""
        self._reopen()
        current = self.layout.current()
        if current is not None and not self._is_harmed(current):
            self.layout.leases.take([digest_of(blob) for blob in self.blobs[current]])
            self.leased.append(current)

    @precondition(lambda self: self.leased)
    @rule()
    def let_go(self) -> None:
        """It closes what it opened first."""
        self.layout.leases.drop([digest_of(blob) for blob in self.blobs[self.leased.pop(0)]])

    @rule()
    def reopen(self) -> None:
        """A server starts."""
        self._reopen()

    # Backups

    @rule()
    def back_up(self) -> None:
        """Link every whole generation of the history into the backup."""
        self._reopen()
        table = self.layout.refs()
        kept = [each for each in generations(table) if not self._is_harmed(each.digest)]
        self.backup.create()
        for each in reversed(kept):
            for blob in self.blobs[each.digest]:
                add_link(self.backup, self.layout.blob_path(digest_of(blob)))
            self.backup.activate(each.digest, each.annotations)
        self.saved = [each.digest for each in generations(self.backup.refs())]

    @precondition(lambda self: self.saved)
    @rule()
    def restore(self) -> None:
        """Bring the backup's current generation back, if its bytes are still right: links share them."""
        self._reopen()
        target = self.backup.refs().refs[CURRENT]
        sources = [self.backup.blob_path(digest_of(blob)) for blob in self.blobs[target.digest]]
        if any(damaged_blobs(self.backup, [target], deep=True)):
            return
        for source in sources:
            self.harmed.discard(add_link(self.layout, source))
        self.layout.roll_back(target)
        self._used(target.digest)

    # What must hold

    @invariant()
    def what_is_current_is_whole(self) -> None:
        """Unless it was harmed since; and it is what was used last."""
        if self.damaged_refs or not self.history:
            return
        current = self.layout.current()
        assert current == self.history[0]
        assert current is not None
        if not self._is_harmed(current):
            assert self.layout.whole_current() is not None

    @invariant()
    def what_was_not_harmed_is_there_to_the_byte(self) -> None:
        """All of the history, and all that is leased."""
        for generation in {*self.history, *self.leased}:
            for blob in self.blobs[generation]:
                if digest_of(blob) not in self.harmed:
                    assert self.layout.read(digest_of(blob)) == blob

    # How

    def _known(self, version: int, contents: list[bytes]) -> tuple[Digest, list[bytes]]:
        generation, blobs = build(version, *contents)
        self.blobs[generation] = blobs
        return generation, blobs

    def _write(self, blob: bytes) -> None:
        digest = self.layout.add_bytes(blob)
        self.harmed.discard(digest)

    def _used(self, generation: Digest) -> None:
        self.history = [generation, *(each for each in self.history if each != generation)][:KEEP]

    def _is_harmed(self, generation: Digest) -> bool:
        return any(digest_of(blob) in self.harmed for blob in self.blobs[generation])

    def _reopen(self) -> None:
        """Recover, as a server does at its start and with the same means; a deep look included."""
        reclaim(self.layout)
        if not self.damaged_refs and not self.harmed:
            return
        for damage in list(rotten_files(self.layout)):
            quarantine(self.layout, damage.blob)
        sound = [each for each in self.history if not self._is_harmed(each)]
        best = next(whole_generations(self.layout), None)
        if self.damaged_refs:
            mend(self.layout, best, "damaged")
            after = [each.digest for each in generations(self.layout.refs())]
            assert (best is None) == (not after)
            assert len(after) <= KEEP
            self.history, self.damaged_refs = after, False
        elif self.history and self._is_harmed(self.history[0]):
            mend(self.layout, best, "damaged")
            if sound:
                assert best is not None
                assert best.digest == sound[0]
            if best is not None:
                self._used(best.digest)


Store.TestCase.settings = settings(max_examples=40, stateful_step_count=30)
TestStore = Store.TestCase
