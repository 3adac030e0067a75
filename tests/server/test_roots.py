"""Which paths clients may have indexed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pycontextify.errors import IngestError
from pycontextify.server.roots import absolute, confined


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An allowed directory with another one beside it: ``outside``."""
    root = tmp_path / "root"
    (root / "inside" / "deep").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "rootless").mkdir()
    return root


def refused(path: Path, *roots: Path) -> IngestError:
    """Return the error that this path must raise."""
    with pytest.raises(IngestError) as raised:
        confined(path, roots)
    return raised.value


def test_what_lies_inside_is_let_through(root: Path) -> None:
    """The root itself, what is below it, by whichever way it is written, and what is missing there."""
    assert confined(root, [root]) == root.resolve()
    assert confined(root / "inside" / ".." / "inside" / "deep", [root]) == (root / "inside" / "deep").resolve()
    assert confined(root / "missing", [root]) == root.resolve() / "missing"
    assert confined(root / "inside", [root.parent / "nowhere", root]) == (root / "inside").resolve()


@pytest.mark.parametrize(
    "path",
    [
        *("outside", "rootless", ".", "root/..", "root/../outside", "root/inside/../../outside"),
        *("root/missing/../../outside", "nowhere", "outside/nowhere", "root\0", "x" * 5000),
    ],
)
def test_what_lies_outside_is_refused_in_the_same_words(root: Path, path: str) -> None:
    """Whether it is there or not: the answer tells nothing of other directories."""
    error = refused(root.parent / path, root)
    assert error.code == "path_not_allowed"
    assert error.what == "this server may not index that"
    assert error.hint is not None
    assert "PYCONTEXTIFY_ALLOWED_ROOTS" in error.hint
    assert str(root) not in error.hint


def test_links_are_followed_before_judging(root: Path) -> None:
    """A link inside that leads out is outside; one outside that leads in is inside, and named by where it leads."""
    outside = root.parent / "outside"
    (root / "out").symlink_to(outside)
    (root / "dangling").symlink_to(root.parent / "nowhere")
    (outside / "in").symlink_to(root / "inside")
    for escaping in (root / "out", root / "out" / "x", root / "dangling", root / "out" / ".." / "root" / ".."):
        assert refused(escaping, root).code == "path_not_allowed"
    assert confined(outside / "in" / "deep", [root]) == (root / "inside" / "deep").resolve()


def test_a_root_may_be_a_link(root: Path) -> None:
    """It stands for where it leads, at the moment it is asked."""
    link = root.parent / "link"
    link.symlink_to(root)
    assert confined(root / "inside", [link]) == (root / "inside").resolve()
    assert confined(link / "inside", [root]) == (root / "inside").resolve()
    link.unlink()
    link.symlink_to(root.parent / "outside")
    assert refused(root / "inside", link).code == "path_not_allowed"


def test_a_link_to_itself_is_refused(root: Path) -> None:
    """It leads nowhere, and so does a root that is one."""
    (root.parent / "loop").symlink_to(root.parent / "loop")
    assert refused(root.parent / "loop" / "x", root).code == "path_not_allowed"
    assert refused(root, root.parent / "loop").code == "path_not_allowed"


def test_without_roots_nothing_is_let_through(root: Path) -> None:
    """Not even the top of the file system."""
    for path in (root, Path(root.anchor)):
        assert refused(path).code == "path_not_allowed"


def test_the_top_as_a_root_lets_everything_through(root: Path) -> None:
    """Whoever sets it means it."""
    assert confined(root.parent / "outside", [Path(root.anchor)]) == (root.parent / "outside").resolve()


def test_the_clients_own_home_is_understood() -> None:
    """That of the server's user, that is."""
    assert absolute("~/src") == Path("~/src").expanduser()
    assert absolute("~") == Path.home()


@pytest.mark.parametrize("user", ["root", "nobody", "no-such-user"])
def test_other_homes_are_not(user: str) -> None:
    """The answer does not tell which users there are."""
    with pytest.raises(IngestError) as raised:
        absolute(f"~{user}/src")
    assert (raised.value.code, raised.value.what) == (
        "home_unknown",
        "the path starts at the home directory of another user",
    )


@pytest.mark.parametrize("path", ["src", "./src", "../src", "", "src/~"])
def test_a_path_must_be_absolute(path: str) -> None:
    """Relative to what, no client can know."""
    with pytest.raises(IngestError) as raised:
        absolute(path)
    assert raised.value.code == "path_relative"
