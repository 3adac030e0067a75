"""Trusted keys in the settings: a key's line, several, or files; and what is wrong is told without showing secrets."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from pycontextify.config import describe
from pycontextify.config.keys import load_public_keys, read_public_keys
from pycontextify.errors import ConfigError
from pycontextify.publish.signing import write_key_pair
from pycontextify.snapshot.signature import PublicKey
from tests.config.conftest import Load
from tests.fakes.signers import OTHER, SIGNER

NAME = "index_bootstrap_trusted_keys"
FLAG = "--index-bootstrap-trusted-keys"
KEY, ANOTHER = str(SIGNER.public), str(OTHER.public)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A directory with a pair of keys in files."""
    write_key_pair(SIGNER, tmp_path / "index.key", "")
    return tmp_path


def keys_in(text: str) -> tuple[PublicKey, ...]:
    """Return the keys that a value names."""
    return load_public_keys(read_public_keys(text))


def mistake(text: str) -> ConfigError:
    """Return the error that a value must raise."""
    with pytest.raises(ConfigError) as caught:
        keys_in(text)
    assert caught.value.code == "config_value"
    assert caught.value.hint
    return caught.value


def test_a_key_is_its_line() -> None:
    """Or several, comma-separated: what any of them has signed is taken."""
    assert read_public_keys(KEY) == (SIGNER.public,)
    for text in (f"{KEY},{ANOTHER}", f" {KEY} , {ANOTHER} ,", f",{KEY},,{ANOTHER}"):
        assert read_public_keys(text) == (SIGNER.public, OTHER.public)


def test_a_key_may_be_a_file(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The .pub file that keygen or minisign wrote, by its path from anywhere; mixed with lines as one likes."""
    public = files / "index.pub"
    assert keys_in(str(public)) == (SIGNER.public,)
    assert keys_in(f"{ANOTHER},{public}") == (OTHER.public, SIGNER.public)
    monkeypatch.chdir(files)
    monkeypatch.setenv("HOME", str(files))
    monkeypatch.setenv("USERPROFILE", str(files))
    assert keys_in("index.pub") == keys_in("~/index.pub") == (SIGNER.public,)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_the_comment_of_a_file_may_be_in_any_words(files: Path, encoding: str) -> None:
    """It is nobody's business; editors on Windows put a byte order mark first, and other line ends."""
    path = files / "other.pub"
    path.write_bytes(f"untrusted comment: Schlüssel für alle\r\n{ANOTHER}\r\n".encode(encoding))
    assert keys_in(str(path)) == (OTHER.public,)


@pytest.mark.parametrize("text", ["", " ", ",", " , ,"])
def test_there_must_be_a_key(text: str) -> None:
    """An empty list would mean that anything is taken."""
    assert mistake(text).what == "names no key"


@pytest.mark.parametrize("text", [KEY[:-1], KEY[:-2], f"{KEY}A", f"{KEY}=", KEY[:40], f"{KEY[:10]}{KEY[11:]}", "RW"])
def test_a_key_that_was_copied_in_part_is_told(text: str) -> None:
    """It looks like a key, so nobody hears of files that are not there; and how it begins, for there may be several."""
    error = mistake(f"{ANOTHER},{text}")
    assert "is a public key with something missing or too much" in error.what
    assert text[:12] in error.what
    assert f"({len(text)} characters)" in error.what
    assert error.hint == "copy all of its line, which has 56"


def test_a_secret_key_is_never_shown(files: Path, load: Load) -> None:
    """Its file named in the public one's place, or its line: neither the error nor its traceback holds any of it."""
    path = files / "index.key"
    line = path.read_text().splitlines()[-1]
    for given in (str(path), line, f"{KEY},{line}", line[:120], f"{line}="):
        error = load.mistake({NAME: given})
        shown = "".join(traceback.format_exception(error)) + repr(vars(error))
        pieces = {line[start : start + 6] for start in range(12, len(line) - 6)} - {"A" * 6}
        assert not [piece for piece in pieces if piece in shown]
    error = mistake(str(path))
    assert "holds no minisign public key" in error.what
    assert error.hint == "name the .pub file, never the secret key"


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b"", "holds no minisign public key"),
        (b"\xff\xfe\x00", "holds no minisign public key"),
        (f"{KEY}\n{ANOTHER}\n".encode(), "holds no minisign public key"),
        (b"x" * 10_000 + f"\n{KEY}".encode(), "holds no minisign public key"),
        (b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA== me@host\n", "holds no minisign public key"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes, wrong: str) -> None:
    """Two keys in one file too, for one of them would be left out quietly."""
    path = tmp_path / ("long" * 20) / "some.pub"
    path.parent.mkdir()
    path.write_bytes(content)
    error = mistake(str(path))
    assert wrong in error.what
    assert str(path) in error.what


def test_a_file_that_can_not_be_read_is_told(tmp_path: Path) -> None:
    """Not there, or a directory: what the system says, and what to write."""
    assert "No such file" in mistake(str(tmp_path / "none.pub")).what
    assert "can't be read" in mistake(str(tmp_path)).what
    assert "56 characters" in (mistake("none.pub").hint or "")


def test_an_address_is_no_file() -> None:
    """A key that is fetched from the same host as the index would vouch for nothing."""
    error = mistake("https://user:hunter2@host/index.pub")
    assert "is an address" in error.what
    assert "hunter2" not in str(error)


def test_a_key_that_anybody_can_sign_with_is_refused() -> None:
    """All zeros, such as a template has."""
    mistake(f"RWQ{'A' * 53}")


@pytest.mark.parametrize("layer", ["flag", "environment", "file"])
def test_the_setting_is_told(load: Load, files: Path, layer: str) -> None:
    """As the keys themselves, whole, wherever they come from: they are public, and people compare them."""
    value = f"{files / 'index.pub'},{ANOTHER}"
    match layer:
        case "flag":
            loaded = load({NAME: value})
        case "environment":
            loaded = load(INDEX_BOOTSTRAP_TRUSTED_KEYS=value)
        case _:
            load.write(f"{NAME} = '{value}'\n")
            loaded = load()
    assert loaded.index_bootstrap_trusted_keys == (SIGNER.public, OTHER.public)
    (row,) = (row for row in describe(loaded) if row.name == NAME)
    assert row.value == [KEY, ANOTHER]
    assert row.origin.startswith(layer)


def test_a_file_beside_the_configuration_file_needs_no_more_than_its_name(load: Load) -> None:
    """A path in a file starts from that file's directory, as all of them do, wherever the server was started."""
    write_key_pair(SIGNER, load.write(f'{NAME} = "index.pub,{ANOTHER}"\n').with_name("index.key"), "")
    assert load().index_bootstrap_trusted_keys == (SIGNER.public, OTHER.public)


def test_without_keys_anything_is_taken(load: Load) -> None:
    """The default; told as an empty list."""
    assert load().index_bootstrap_trusted_keys == ()
    (row,) = (row for row in describe(load()) if row.name == NAME)
    assert (row.value, row.origin) == ([], "default")


def test_a_wrong_key_names_the_setting(load: Load) -> None:
    """And where it was given."""
    assert load.mistake(INDEX_BOOTSTRAP_TRUSTED_KEYS="RWnonsense").asset == (
        "environment PYCONTEXTIFY_INDEX_BOOTSTRAP_TRUSTED_KEYS"
    )


def test_the_password_of_a_key_is_a_secret(load: Load) -> None:
    """It has no flag, for others see those, and `config show` hides it."""
    loaded = load(SIGN_PASSWORD="hunter2")
    assert loaded.sign_password == "hunter2"
    assert "hunter2" not in repr(loaded)
    (row,) = (row for row in describe(loaded) if row.name == "sign_password")
    assert row.value == "***"
