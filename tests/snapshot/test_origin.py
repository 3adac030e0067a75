"""Where a generation came from, as the refs tell."""

from __future__ import annotations

import pytest

from pycontextify.snapshot.digest import digest_of
from pycontextify.snapshot.manifest import MANIFEST_TYPE, Descriptor
from pycontextify.snapshot.origin import BASE, DIGEST, SEEN, base_of, is_local, laid_over, offers_of

ITSELF = str(digest_of(b"x"))
UNRELATED = "org.opencontainers.image.ref.name"


def ref(**notes: str) -> Descriptor:
    """A ref with these annotations, their names without dots."""
    names = {"base": BASE, "made_of": DIGEST, "seen": SEEN, "name": UNRELATED}
    return Descriptor(MANIFEST_TYPE, digest_of(b"x"), 1, {names[name]: text for name, text in notes.items()})


@pytest.mark.parametrize(
    ("target", "local", "base", "offers"),
    [
        (ref(), True, ITSELF, set()),
        (ref(name="current"), True, ITSELF, set()),
        (ref(seen="[]"), False, ITSELF, {ITSELF}),
        (ref(seen="[]", made_of="sha256:archive"), False, ITSELF, {ITSELF, "sha256:archive"}),
        (ref(seen="[]", base="sha256:base"), True, "sha256:base", {"sha256:base"}),
        (ref(base="sha256:base", made_of="sha256:archive"), True, "sha256:base", {"sha256:base", "sha256:archive"}),
    ],
)
def test_what_is_known_of_an_origin(target: Descriptor, *, local: bool, base: str, offers: set[str]) -> None:
    """Indexed here, fetched as it is, fetched as an archive, or indexed over what was fetched."""
    assert is_local(target) == local
    assert base_of(target) == base
    assert offers_of(target) == offers


def test_local_work_remembers_what_it_is_laid_over() -> None:
    """The base, and all that was known of its source, through any number of local generations."""
    first = laid_over(ref(seen="[1]", made_of="sha256:archive", name="current"))
    assert first == {BASE: ITSELF, SEEN: "[1]", DIGEST: "sha256:archive"}
    assert laid_over(Descriptor(MANIFEST_TYPE, digest_of(b"local"), 1, first)) == first


@pytest.mark.parametrize("base", [None, ref(), ref(name="current")])
def test_local_work_over_nothing_fetched_has_no_base(base: Descriptor | None) -> None:
    """A new index, or one that was indexed here altogether."""
    assert laid_over(base) == {}
