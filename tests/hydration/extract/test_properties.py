"""What holds for archives of every kind, whatever is in them and whatever became of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pycontextify.errors import ExtractError, VerifyError
from pycontextify.hydration.extract import ExtractedLayout, ExtractedPair
from pycontextify.hydration.extract.kind import archive_in
from pycontextify.snapshot.digest import digest_of
from tests.hydration.extract.archives import WRITERS
from tests.hydration.extract.unpacker import CHUNKS, LAYOUT, PAIR, VECTORS, fresh_unpacker

NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp"), exclude_characters="/\\:"),
    min_size=1,
)
TREES = st.dictionaries(
    st.lists(NAMES.map(lambda part: f"{part}.md"), min_size=1, max_size=3).map("/".join).filter(lambda n: len(n) < 90),
    st.binary(max_size=2000).filter(lambda content: archive_in(content) is None),
    max_size=5,
)


@settings(max_examples=60, deadline=None)
@given(tree=TREES, kind=st.sampled_from([name for name in WRITERS if name != "tar of ustar"]))
def test_whatever_the_standard_library_writes_is_read(tree: dict[str, bytes], kind: str) -> None:
    """Any texts beside it: the pair comes out, or the names collide and that is what is said."""
    _, write = WRITERS[kind]
    with fresh_unpacker() as unpacker:
        try:
            extracted = unpacker(write({**tree, **PAIR}), "a")
        except ExtractError as error:
            assert error.code in ("member_case_collision", "member_duplicate")  # noqa: PT017 - either is right
            return
        assert isinstance(extracted, ExtractedPair)
        assert extracted.faiss.read_bytes() == VECTORS


@settings(max_examples=100, deadline=None)
@given(kind=st.sampled_from(sorted(WRITERS)), where=st.floats(0, 1, exclude_max=True))
def test_no_cut_archive_passes(kind: str, where: float) -> None:
    """Wherever it was cut; only the zeros that pad a tar archive are nobody's loss."""
    suffix, write = WRITERS[kind]
    content = write(LAYOUT)
    cut = content[: int(where * len(content))]
    members = sum(512 + len(blob) + -len(blob) % 512 for blob in LAYOUT.values())
    padding_only = suffix == ".tar" and len(cut) >= members + 1024
    with fresh_unpacker() as unpacker:
        if padding_only:
            assert isinstance(unpacker(cut, "a"), ExtractedLayout)
            return
        with pytest.raises(ExtractError):
            unpacker(cut, "a")


@settings(max_examples=150, deadline=None)
@given(kind=st.sampled_from(sorted(WRITERS)), where=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_a_damaged_archive_is_refused_or_harmless(kind: str, where: float, flip: int) -> None:
    """One byte changed anywhere: our errors and no others, or what was published and nothing else."""
    suffix, write = WRITERS[kind]
    content = bytearray(write(LAYOUT))
    content[int(where * len(content))] ^= flip
    with fresh_unpacker() as unpacker:
        try:
            extracted = unpacker(bytes(content), f"a{suffix}")
        except (ExtractError, VerifyError):
            assert list(unpacker.staging.iterdir()) == []
            return
        assert isinstance(extracted, ExtractedLayout)
        for digest, path in extracted.blobs.items():
            assert digest_of(path.read_bytes()) == digest


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(sorted(WRITERS)),
    damages=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=8)), min_size=1, max_size=4),
)
def test_much_damage_is_refused_or_harmless(kind: str, damages: list[tuple[float, bytes]]) -> None:
    """Bytes overwritten in several places, a pair within: zip and packed archives give the same content or none.

    What is plain in a tar archive has no checksum, but for its headers: members are as long as before, or refused.
    """
    suffix, write = WRITERS[kind]
    content = bytearray(write({"README.md": b"read me " * 99, **PAIR}))
    for where, noise in damages:
        at = int(where * len(content))
        content[at : at + len(noise)] = noise[: len(content) - at]
    with fresh_unpacker() as unpacker:
        try:
            extracted = unpacker(bytes(content), f"a{suffix}")
        except ExtractError:
            assert list(unpacker.staging.iterdir()) == []
            return
        assert isinstance(extracted, ExtractedPair)
        came = extracted.faiss.read_bytes(), extracted.sqlite.read_bytes()
        assert came == (VECTORS, CHUNKS) if suffix == ".zip" else list(map(len, came)) == [len(VECTORS), len(CHUNKS)]


@settings(max_examples=200, deadline=None)
@given(
    content=st.binary(max_size=2000),
    magic=st.sampled_from([b"PK\3\4", b"PK\5\6", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b""]),
)
def test_noise_is_refused(content: bytes, magic: bytes) -> None:
    """Whatever follows the first bytes of an archive."""
    with fresh_unpacker() as unpacker, pytest.raises(ExtractError):
        unpacker(magic + content, "a")
