"""The verb ``publish``."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pycontextify.index.chunks import Chunks
from pycontextify.publish.signing import read_secret_key, sign
from pycontextify.snapshot.config import SnapshotConfig
from pycontextify.snapshot.digest import parse_digest
from pycontextify.snapshot.signature import PublicKey, parse_public_key, prehash
from pycontextify.store.layout import Layout
from pycontextify.store.signed import signature_of
from tests.cli.conftest import Cli, Site
from tests.fakes.signers import OTHER, vouched_by


def test_a_directory_is_written_once(cli: Cli, site: Site, tmp_path: Path) -> None:
    """The second time nothing is copied."""
    publish = ("publish", tmp_path / "public", "--json", "--index-path", site.index)
    first, second = cli(*publish).result(), cli(*publish).result()
    assert (tmp_path / "public" / "index.json").is_file()
    assert 0 < first["bytes_copied"] <= first["bytes_total"]
    assert second["bytes_copied"] == 0
    assert second["generation"] == first["generation"]


def test_people_are_told_where_it_is(cli: Cli, site: Site, tmp_path: Path) -> None:
    """A path a line, then what it was."""
    shown = cli("publish", "--archive", tmp_path / "a.tar.gz", "--index-path", site.index)
    lines = shown.out.splitlines()
    assert lines[:2] == [str(tmp_path / "a.tar.gz"), str(tmp_path / "a.tar.gz.sha256")]
    assert lines[2].startswith("Published generation ")


def test_a_pair_is_four_files(site: Site) -> None:
    """Each file has its digest beside it."""
    names = {path.name for path in site.pair.iterdir()}
    assert names == {"small.faiss", "small.faiss.sha256", "small.sqlite", "small.sqlite.sha256"}


def test_the_files_have_the_name_that_was_given(cli: Cli, site: Site, tmp_path: Path) -> None:
    """By flag or environment; without one, they have the name that the index was built with."""
    pair = ("publish", "--index-path", site.index, "--pair")
    assert cli(*pair, tmp_path, "--index-name", "by-flag").code == 0
    assert cli(*pair, tmp_path, INDEX_NAME="by-environment").code == 0
    assert cli(*pair, tmp_path).code == 0
    assert {path.name for path in tmp_path.glob("*.faiss")} == {"by-flag.faiss", "by-environment.faiss", "small.faiss"}


@pytest.mark.parametrize("places", [(), ("here", "--pair", "there"), ("--archive", "a.zip", "--pair", "there")])
def test_one_place_must_be_named(cli: Cli, site: Site, places: tuple[str, ...]) -> None:
    """Not none, and not two."""
    refused = cli("publish", *places, "--index-path", site.index)
    assert refused.code == 2
    assert "name one place" in refused.err


def test_an_archive_of_no_known_kind_is_refused(cli: Cli, site: Site, tmp_path: Path) -> None:
    """The name says what to write."""
    refused = cli("publish", "--archive", tmp_path / "a.rar", "--index-path", site.index)
    assert refused.code == 2
    assert refused.err.endswith("[archive_kind]\n")


def test_without_an_index_there_is_nothing_to_publish(cli: Cli, tmp_path: Path) -> None:
    """And nothing is written."""
    failed = cli("publish", tmp_path / "public", "--index-path", tmp_path / "nowhere")
    assert failed.code == 1
    assert not (tmp_path / "public").exists()


def test_what_is_not_included_is_said_beside_the_report(cli: Cli, site: Site, tmp_path: Path) -> None:
    """A directory brings the encoder along, unless the index itself came without."""
    archived, where = site.archive.as_uri(), ("--index-path", tmp_path / "index")
    assert cli("hydrate", "--index-bootstrap-archive", archived, "--index-name", "small", *where).code == 0
    whole = cli("publish", tmp_path / "whole", "--json", "--index-path", site.index)
    assert (whole.err, whole.result()["lacks"]) == ("", None)
    without = cli("publish", tmp_path / "without", "--json", *where)
    assert without.err == f"note: {without.result()['lacks']}\n"
    assert "all-MiniLM-L6-v2-int8 is not included" in without.err


# Signed, and on terms


@pytest.fixture
def key(cli: Cli, tmp_path: Path) -> Path:
    """A secret key."""
    path = tmp_path / "index.key"
    assert cli("keygen", path, "--no-password").code == 0
    return path


def public_of(key: Path) -> PublicKey:
    """Return the public key that belongs to a secret one."""
    return parse_public_key(key.with_suffix(".pub").read_text())


def signature_at(site: Path) -> bytes | None:
    """Return the signature of what is published in a directory."""
    layout = Layout(site)
    return signature_of(layout, layout.refs(), layout.refs().refs["latest"].digest)


def config_at(site: Path) -> SnapshotConfig:
    """Return what is published in a directory says of itself."""
    layout = Layout(site)
    return layout.config(layout.refs().refs["latest"].digest)


def test_a_directory_is_published_signed(cli: Cli, site: Site, key: Path, tmp_path: Path) -> None:
    """By the key that was named; the snapshot is the one that it is unsigned."""
    done = cli("publish", tmp_path / "public", "--sign", key, "--json", "--index-path", site.index)
    assert (done.code, done.err) == (0, "")
    assert done.result()["generation"] == Layout(site.public).refs().refs["latest"].digest
    manifest = Layout(tmp_path / "public").read(Layout(tmp_path / "public").refs().refs["latest"].digest)
    signature = signature_at(tmp_path / "public")
    assert signature is not None
    assert vouched_by(public_of(key), manifest, signature)
    assert signature_at(site.public) is None


@pytest.mark.parametrize("kind", ["--archive", "--pair"])
def test_files_are_published_signed(cli: Cli, site: Site, key: Path, tmp_path: Path, kind: str) -> None:
    """Each has its signature beside it, which is told."""
    place = tmp_path / "out" / ("a.zip" if kind == "--archive" else "")
    done = cli("publish", kind, place, "--sign", key, "--index-path", site.index)
    names = ["a.zip"] if kind == "--archive" else ["small.faiss", "small.sqlite"]
    expected = [f"{name}{ending}" for name in names for ending in ("", ".sha256", ".minisig")]
    assert [Path(line).name for line in done.out.splitlines()[:-1]] == expected
    for name in names:
        path = tmp_path / "out" / name
        assert vouched_by(public_of(key), path.read_bytes(), path.with_name(f"{name}.minisig").read_bytes())


def test_a_signature_that_was_made_elsewhere_is_attached(cli: Cli, site: Site, key: Path, tmp_path: Path) -> None:
    """Publish, sign the manifest where the key is, and publish again with that: the manifest is the same."""
    publish = ("publish", tmp_path / "public", "--json", "--index-path", site.index)
    generation = parse_digest(cli(*publish).result()["generation"])
    manifest = Layout(tmp_path / "public").read(generation)
    file = tmp_path / "manifest.minisig"
    file.write_bytes(sign(read_secret_key(key, str), prehash(manifest), "made elsewhere"))
    for settings in ({}, {"INDEX_BOOTSTRAP_TRUSTED_KEYS": str(key.with_suffix(".pub"))}):
        done = cli(*publish, "--signature", file, **settings)
        assert (done.code, done.result()["generation"]) == (0, generation)
        assert signature_at(tmp_path / "public") == file.read_bytes()


def test_a_signature_of_something_else_is_not_attached(cli: Cli, site: Site, key: Path, tmp_path: Path) -> None:
    """Where it is known whom servers trust, it must be theirs and of this manifest; what was published stays."""
    publish = ("publish", tmp_path / "public", "--json", "--index-path", site.index)
    generation = parse_digest(cli(*publish, "--sign", key).result()["generation"])
    before = (tmp_path / "public" / "index.json").read_bytes()
    file = tmp_path / "manifest.minisig"
    trusted = {"INDEX_BOOTSTRAP_TRUSTED_KEYS": str(public_of(key))}
    manifest = Layout(tmp_path / "public").read(generation)
    for content, code in (
        (sign(read_secret_key(key, str), prehash(b"another"), "x"), "signature_invalid"),
        (sign(OTHER, prehash(manifest), "x"), "signature_untrusted"),
        (b"<html>", "signature_invalid"),
    ):
        file.write_bytes(content)
        refused = cli(*publish, "--signature", file, **trusted)
        assert (refused.code, "result" in refused.out) == (3, False)
        assert refused.err.endswith(f"[{code}]\n")
        assert str(file) in refused.err
        assert (tmp_path / "public" / "index.json").read_bytes() == before
    refused = cli(*publish, "--signature", file)
    assert refused.code == 3
    assert cli(*publish, "--signature", tmp_path / "none").err.endswith("[signature_unreadable]\n")
    assert (tmp_path / "public" / "index.json").read_bytes() == before


@pytest.mark.parametrize("place", [("--archive", "a.zip"), ("--pair", "out"), ("public", "--sign", "index.key")])
def test_a_signature_is_for_a_directory_and_goes_alone(cli: Cli, site: Site, place: tuple[str, ...]) -> None:
    """The files are not the same bytes the next time, and two signatures would be one too many."""
    refused = cli("publish", *place, "--signature", "x.minisig", "--index-path", site.index)
    assert refused.code == 2
    assert refused.err.endswith("[usage]\n")


@pytest.mark.parametrize("wrong", ["none.key", "index.pub", "."])
def test_a_key_that_is_none_is_refused(cli: Cli, site: Site, key: Path, tmp_path: Path, wrong: str) -> None:
    """Before anything is written; the public key, say."""
    refused = cli("publish", tmp_path / "public", "--sign", tmp_path / wrong, "--index-path", site.index)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.endswith("[key_unusable]\n")
    assert not (tmp_path / "public").exists()


def test_a_snapshot_can_have_an_end(cli: Cli, site: Site, tmp_path: Path) -> None:
    """That long from now, in a directory and in files; without a word of it, it has none."""
    before = datetime.now(UTC)
    for place in ((tmp_path / "public",), ("--pair", tmp_path / "pair")):
        assert cli("publish", *place, "--expires-in", "14d", "--index-path", site.index).code == 0
    after = datetime.now(UTC)
    with closing(Chunks.open(tmp_path / "pair" / "small.sqlite")) as chunks:
        ends = [config_at(tmp_path / "public").expires, chunks.meta["expires"]]
    for end in ends:
        assert end is not None
        assert before - timedelta(seconds=1) <= datetime.fromisoformat(end) - timedelta(days=14) <= after
    assert config_at(site.public).expires is None


def test_a_snapshot_can_have_another_channel(cli: Cli, site: Site, tmp_path: Path) -> None:
    """It stays what it is otherwise, and servers are to ask for that channel."""
    assert cli("publish", tmp_path / "public", "--channel", "beta.1", "--index-path", site.index).code == 0
    assert config_at(tmp_path / "public") == replace(config_at(site.public), channel="beta.1")


@pytest.mark.parametrize(
    ("flag", "wrong"),
    [
        *(("--expires-in", text) for text in ("14", "0s", "-1d", "400d", "soon", "", "1w", "'14d'")),
        *(("--channel", text) for text in ("", "a b", "../x", ".x", "é", "x" * 129, "$CHANNEL")),
    ],
)
def test_terms_that_can_not_be_read_are_refused(cli: Cli, site: Site, tmp_path: Path, flag: str, wrong: str) -> None:
    """In one line that names the option; nothing is written."""
    refused = cli("publish", tmp_path / "public", f"{flag}={wrong}", "--index-path", site.index)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith(f"error: {flag}: ")
    assert refused.err.count("\n") == 1
    assert not (tmp_path / "public").exists()


def test_an_older_index_is_published_when_somebody_says_so(cli: Cli, site: Site, tmp_path: Path) -> None:
    """It is refused at first; with --supersede it has a version above the one that it goes before."""
    publish = ("publish", tmp_path / "public", "--json", "--index-path", site.index)
    newer = cli(*publish, "--supersede").result()
    assert newer["version"] > config_at(site.public).version
    refused = cli(*publish)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.endswith("[version_lower]\n")
    assert "--supersede" in refused.err
    assert config_at(tmp_path / "public").version == newer["version"]
    assert cli(*publish, "--supersede").result()["version"] > newer["version"]
    assert cli(*publish, "--channel", "other").result()["version"] == config_at(site.public).version
