"""The partial file: what counts after a crash, and that the digest is that of the bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.errors import StoreError
from pycontextify.hydration.transfer import partial as partial_module
from pycontextify.hydration.transfer.partial import Partial
from pycontextify.hydration.transfer.transport import Validators
from pycontextify.hydration.workers import Workers
from pycontextify.snapshot.digest import digest_of
from pycontextify.snapshot.signature import prehash

CONTENT = bytes(range(256)) * 40
URL = "https://user:c4nary@host/a.bin?token=c4nary"
SEEN = Validators('"v1"', "Wed, 25 Nov 2026 12:00:00 GMT")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the partial file lies."""
    return tmp_path / "a.part"


async def fill(partial: Partial, start: int, stop: int) -> None:
    """Write that part of the content."""
    async with partial.writer(start) as put:
        await put([CONTENT[start:stop]])


async def test_what_was_written_is_there_the_next_time(path: Path, workers: Workers) -> None:
    """Which bytes, what their source called them, and how many there are to be."""
    async with Partial(path, workers) as partial:
        await partial.describe(URL, SEEN, len(CONTENT))
        await fill(partial, 0, 100)
        await fill(partial, 500, 700)
    async with Partial(path, workers) as partial:
        assert list(partial.extents) == [(0, 100), (500, 700)]
        assert partial.validators(URL) == SEEN
        assert partial.size == len(CONTENT)
        assert not partial.whole


@pytest.mark.parametrize(("lasting", "flushed"), [(True, 3), (False, 0)])
async def test_what_is_kept_is_flushed_behind_the_writers(
    path: Path, workers: Workers, monkeypatch: pytest.MonkeyPatch, *, lasting: bool, flushed: int
) -> None:
    """Not an archive, which is gone as soon as it is unpacked: that would be twice the work for the disk."""
    calls: list[int] = []
    monkeypatch.setattr(partial_module, "flush", calls.append)
    monkeypatch.setattr(partial_module, "_BLOCK", 1024)
    monkeypatch.setattr(partial_module, "_FLUSHED_BEHIND", 3 * 1024)
    async with Partial(path, workers, lasting=lasting) as partial:
        await fill(partial, 0, len(CONTENT))
        await partial.end_at(len(CONTENT))
        assert await partial.digest() == digest_of(CONTENT)
    assert len(calls) == flushed


async def test_pieces_in_any_order_have_the_digest_of_the_whole(path: Path, workers: Workers) -> None:
    """It is taken behind the writers, from the first byte on."""
    async with Partial(path, workers, signed=True) as partial:
        await fill(partial, 5000, len(CONTENT))
        await partial.hash_on()
        assert partial.unhashed == 0
        await fill(partial, 0, 3000)
        await partial.hash_on()
        await fill(partial, 3000, 5000)
        assert partial.unhashed == len(CONTENT) - 3000
        await partial.end_at(len(CONTENT))
        assert partial.whole
        assert await partial.digest() == digest_of(CONTENT)
        assert await partial.prehash() == prehash(CONTENT)
    assert path.read_bytes() == CONTENT


async def test_a_resumed_file_has_the_digest_of_the_whole(path: Path, workers: Workers) -> None:
    """What an earlier process wrote is read again."""
    async with Partial(path, workers) as partial:
        await fill(partial, 0, 4000)
    async with Partial(path, workers, signed=True) as partial:
        await fill(partial, 4000, len(CONTENT))
        assert await partial.digest() == digest_of(CONTENT)
        assert await partial.prehash() == prehash(CONTENT)


async def test_a_reset_forgets_everything(path: Path, workers: Workers) -> None:
    """In this process and for the next."""
    async with Partial(path, workers, signed=True) as partial:
        await partial.describe(URL, SEEN, 4)
        await fill(partial, 0, 4000)
        await partial.hash_on()
        await partial.reset()
        assert (list(partial.extents), partial.size, partial.validators(URL)) == ([], None, Validators())
        await fill(partial, 0, len(CONTENT))
        assert await partial.digest() == digest_of(CONTENT)
        assert await partial.prehash() == prehash(CONTENT)
    async with Partial(path, workers) as partial:
        assert list(partial.extents) == [(0, len(CONTENT))]


@pytest.mark.parametrize("lost", range(1, 12))
async def test_a_journal_cut_anywhere_claims_no_more_than_was_written(path: Path, workers: Workers, lost: int) -> None:
    """Killed in the middle of a line, the line says nothing, and what is appended next is read all the same."""
    async with Partial(path, workers) as partial:
        await fill(partial, 0, 100)
        await fill(partial, 100, 200)
    journal = path.with_suffix(".journal")
    journal.write_bytes(journal.read_bytes()[:-lost])
    async with Partial(path, workers) as partial:
        assert partial.extents.total == (200 if lost == 1 else 100)
        await fill(partial, 200, 300)
    async with Partial(path, workers) as partial:
        assert list(partial.extents)[-1][1] == 300


async def test_a_file_shorter_than_its_journal_says_counts_as_short(path: Path, workers: Workers) -> None:
    """As a power cut may leave it."""
    async with Partial(path, workers) as partial:
        await fill(partial, 0, 100)
        await fill(partial, 200, 300)
    path.write_bytes(CONTENT[:250])
    async with Partial(path, workers) as partial:
        assert list(partial.extents) == [(0, 100), (200, 250)]
    path.unlink()
    async with Partial(path, workers) as partial:
        assert partial.extents.total == 0


@pytest.mark.parametrize("left", [b"", b"x" * 5000])
async def test_a_file_without_a_journal_counts_for_nothing(path: Path, workers: Workers, left: bytes) -> None:
    """And is gone."""
    path.write_bytes(left)
    async with Partial(path, workers) as partial:
        assert partial.extents.total == 0
    assert path.read_bytes() == b""


facts = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["size", "source", "etag"]), inner),
    max_leaves=6,
)


@given(lines=st.lists(facts.map(json.dumps).map(str.encode) | st.binary(max_size=12), max_size=8))
def test_no_journal_makes_it_fail(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    """Whatever is in it: at worst it counts for nothing, and never for bytes that are not there."""
    import asyncio

    path = tmp_path_factory.mktemp("p") / "a.part"
    path.write_bytes(bytes(50))
    path.with_suffix(".journal").write_bytes(b"\n".join(lines))

    async def check() -> None:
        with Workers() as workers:
            async with Partial(path, workers) as partial:
                assert partial.extents.end <= 50
                assert partial.size is None or partial.size >= 0
                await partial.hash_on()

    asyncio.run(check())


async def test_no_secret_is_written_down(path: Path, workers: Workers) -> None:
    """The journal names its sources as they may be shown."""
    async with Partial(path, workers) as partial:
        await partial.describe(URL, SEEN, 4)
    assert b"c4nary" not in path.with_suffix(".journal").read_bytes()


async def test_a_directory_that_is_gone_is_the_stores_error(tmp_path: Path, workers: Workers) -> None:
    """It names the file."""
    with pytest.raises(StoreError) as caught:
        async with Partial(tmp_path / "gone" / "a.part", workers):
            pass
    assert caught.value.asset == str(tmp_path / "gone" / "a.part")
