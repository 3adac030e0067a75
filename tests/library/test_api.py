"""What `import pycontextify` offers, used as a program would, with the real encoder."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from pathlib import Path

import pytest

import pycontextify
from pycontextify.library.preview import preview_tree


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a small tree, its index, and the published snapshot."""
    home = tmp_path_factory.mktemp("library")
    tree = home / "tree"
    tree.mkdir()
    (tree / "net.py").write_text(
        'def fetch(url):\n    """Download a document over the network."""\n\n'
        'def sleep(seconds):\n    """Wait for some time."""\n',
        encoding="utf-8",
    )
    (tree / "cooking.md").write_text("# Soup\n\nBoil carrots and leeks for an hour.\n", encoding="utf-8")
    pycontextify.index_tree(tree, home / "index", tags=["example"])
    pycontextify.publish_index(home / "index", home / "public")
    return home


def test_meaning_is_found_without_a_shared_word(built: Path) -> None:
    """A question in other words finds the passage: the real model is at work."""
    with pycontextify.open_index(built / "index") as index:
        assert index.degraded is None
        assert index.search("vegetable recipe", mode="dense")[0].path == "cooking.md"
        assert index.search("get a file from the internet", limit=1)[0].symbol == "fetch"
        assert index.overview().languages == {"python": 1, "markdown": 1}


def test_filters_narrow_the_search(built: Path) -> None:
    """By language, by path, by tag; and what none passes is empty."""
    with pycontextify.open_index(built / "index") as index:
        assert {hit.path for hit in index.search("time", language="markdown")} == {"cooking.md"}
        assert {hit.path for hit in index.search("time", path="*.py")} == {"net.py"}
        assert index.search("time", tags=["other"]) == ()


def test_a_hydrated_index_brings_its_encoder(built: Path, tmp_path: Path) -> None:
    """Hydrating elsewhere gives the same generation, answering by meaning from the blobs alone."""
    report = pycontextify.hydrate_index(tmp_path / "index", url=(built / "public").as_uri())
    assert report.result == "installed"
    with pycontextify.open_index(tmp_path / "index") as index:
        assert index.generation == report.generation
        assert index.degraded is None
        assert index.search("vegetable recipe", mode="dense")[0].path == "cooking.md"
    assert pycontextify.hydrate_index(tmp_path / "index", url=(built / "public").as_uri()).result == "unchanged"


def test_a_hydrated_index_can_be_added_to(built: Path, tmp_path: Path) -> None:
    """Local indexing goes on where the hydrated generation ends, with the encoder that came with it."""
    pycontextify.hydrate_index(tmp_path / "index", url=(built / "public").as_uri())
    extra = tmp_path / "extra"
    extra.mkdir()
    (extra / "sky.md").write_text("# Stars\n\nPlanets circle the sun.\n", encoding="utf-8")
    report = pycontextify.index_tree(extra, tmp_path / "index")
    assert (report.added, report.documents) == (1, 3)
    with pycontextify.open_index(tmp_path / "index") as index:
        assert index.search("astronomy", mode="dense")[0].path == "sky.md"


def test_there_is_no_index_yet(tmp_path: Path) -> None:
    """Opening and publishing nothing says what to do first."""
    for use in (pycontextify.open_index, lambda path: pycontextify.publish_index(path, tmp_path / "public")):
        with pytest.raises(pycontextify.NotReadyError) as caught:
            use(tmp_path / "nothing")
        assert caught.value.code == "index_empty"
        assert "--" not in str(caught.value)


def test_settings_are_checked_as_everywhere(tmp_path: Path) -> None:
    """A wrong address is refused before anything is done."""
    with pytest.raises(pycontextify.ConfigError) as caught:
        pycontextify.hydrate_index(tmp_path, url="ftp://host/index")
    assert caught.value.code == "config_scheme"


HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (
            partial(pycontextify.hydrate_index, url="ftp://host/x"),
            "argument url: 'ftp://host/x' has the unknown scheme",
        ),
        (
            partial(pycontextify.hydrate_index, archive="https://host/x.zip", url="https://host/x"),
            "argument url and argument archive: only one place",
        ),
        (
            partial(pycontextify.hydrate_index, faiss_url="https://host/x"),
            "argument faiss_url: is half of a pair; give metadata_url too",
        ),
        (
            partial(pycontextify.hydrate_index, sha256=HEX),
            "argument sha256: there is nothing that it pins; give url or archive too",
        ),
        (pycontextify.hydrate_index, "no source to hydrate from is given; give url, archive, or faiss_url and"),
        (
            partial(pycontextify.open_index, embedding_url="http://localhost/v1"),
            "argument embedding_url: http needs the service's address and a model; give embedding_model too",
        ),
    ],
)
def test_a_mistake_is_named_as_the_caller_wrote_it(call: Callable[[Path], object], line: str, tmp_path: Path) -> None:
    """By its keyword argument: who calls a function has no flags."""
    with pytest.raises(pycontextify.ConfigError) as caught:
        call(tmp_path)
    assert str(caught.value).startswith(line)
    assert "--" not in str(caught.value)
    assert "PYCONTEXTIFY_" not in str(caught.value)


def test_the_library_does_not_read_the_environment(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the process's environment says is for the command line and the server."""
    monkeypatch.setenv("PYCONTEXTIFY_INDEX_BOOTSTRAP_URL", "nonsense")
    with pycontextify.open_index(built / "index") as index:
        assert index.version > 0


def test_a_preview_reads_nothing_into_an_index(built: Path) -> None:
    """A dry run lists what would be taken, and leaves no index."""
    preview = preview_tree(built / "tree", pycontextify.CrawlRules(exclude=("*.md",)))
    assert preview.files == ("net.py",)
    assert preview.ignored == 1
    assert preview.size == (built / "tree" / "net.py").stat().st_size


def test_every_public_name_is_there() -> None:
    """`__all__` is what can be had, and nothing else can."""
    for name in pycontextify.__all__:
        assert getattr(pycontextify, name) is not None
    with pytest.raises(AttributeError):
        pycontextify.secrets  # noqa: B018 - the access is the test


def test_its_types_are_for_those_who_use_it() -> None:
    """The marker that PEP 561 asks for: without it, a type checker takes every name here for Any."""
    assert files(pycontextify).joinpath("py.typed").is_file()


def test_importing_it_is_light() -> None:
    """The package alone imports nothing heavy: what is named is loaded when it is used."""
    code = (
        "import sys, pycontextify; "
        "print(sorted({'numpy', 'faiss', 'onnxruntime', 'aiohttp', 'mcp'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
