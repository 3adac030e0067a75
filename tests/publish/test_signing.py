"""Secret keys in minisign's format, and the signatures they make."""

from __future__ import annotations

import base64
import os
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.errors import ConfigError, StoreError
from pycontextify.publish.signing import (
    SecretKey,
    _scrypt_parameters,
    generate_key,
    read_secret_key,
    sign,
    write_key_pair,
)
from pycontextify.snapshot.signature import parse_public_key, parse_signature, prehash
from tests.fakes.signers import OTHER, SIGNER, key_of, password_protected, reference, reference_key, vouched_by

PASSWORD = "hunter2 ünïcode"


def never() -> str:
    """The password of a key that has none."""
    raise AssertionError("nobody should be asked")


def unusable(path: Path, password: Callable[[], str] = never) -> str:
    """Return why a secret key file can't be used."""
    with pytest.raises(ConfigError) as caught:
        read_secret_key(path, password)
    assert (caught.value.code, caught.value.asset) == ("key_unusable", str(path))
    assert "keygen" in (caught.value.hint or "")
    return caught.value.what


def raw_of(path: Path) -> bytearray:
    """Return the bytes of a key file."""
    return bytearray(base64.b64decode(path.read_bytes().splitlines()[-1]))


def rewrite(path: Path, raw: bytearray) -> None:
    """Write a key file of these bytes."""
    path.write_bytes(b"untrusted comment: x\n" + base64.b64encode(raw) + b"\n")


def test_keys_are_all_different() -> None:
    """By id and by what signs; and the secret shows in no text that a key becomes."""
    keys = [generate_key() for _ in range(4)]
    assert len({key.key_id for key in keys}) == len({key.seed for key in keys}) == 4
    assert repr(SIGNER.seed) not in repr(SIGNER)
    assert SIGNER.seed.hex() not in repr(SIGNER)


def test_a_key_survives_being_written_and_read(tmp_path: Path) -> None:
    """Without a password nobody is asked; another implementation reads the same key, and the public one beside it."""
    path = tmp_path / "deep" / "index.key"
    public = write_key_pair(SIGNER, path, "")
    assert public == tmp_path / "deep" / "index.pub"
    assert read_secret_key(path, never) == SIGNER
    assert parse_public_key(public.read_text()) == SIGNER.public
    lines = public.read_text().splitlines()
    assert lines == [f"untrusted comment: minisign public key {SIGNER.public.name}", str(SIGNER.public)]
    assert reference.PublicKey.from_file(public).to_base64().decode() == str(SIGNER.public)
    assert reference.SecretKey.from_file(path).sign(b"x", trusted_comment="c") == reference.Signature.from_bytes(
        sign(SIGNER, prehash(b"x"), "c")
    )


@pytest.mark.parametrize(
    ("name", "beside"),
    [("a.key", "a.pub"), ("a", "a.pub"), ("a.b.key", "a.b.pub"), ("a.pub", "a.pub.pub"), ("a.key.key", "a.key.pub")],
)
def test_the_public_key_has_a_name_of_its_own(tmp_path: Path, name: str, beside: str) -> None:
    """The secret key's with another ending, and never the secret key's itself."""
    assert write_key_pair(SIGNER, tmp_path / name, "") == tmp_path / beside
    assert read_secret_key(tmp_path / name, never) == SIGNER


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_a_secret_key_is_its_owners_alone(tmp_path: Path) -> None:
    """Whatever the umask; the public key is for everybody whom that lets."""
    before = os.umask(0)
    try:
        public = write_key_pair(SIGNER, tmp_path / "index.key", "")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "index.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(public.stat().st_mode) == 0o666


@pytest.mark.parametrize("there", ["index.key", "index.pub"])
def test_no_key_is_ever_overwritten(tmp_path: Path, there: str) -> None:
    """Neither the secret nor the public one; and half a pair is not written."""
    (tmp_path / there).write_bytes(b"precious")
    with pytest.raises(ConfigError) as caught:
        write_key_pair(SIGNER, tmp_path / "index.key", "")
    assert (caught.value.code, caught.value.asset) == ("key_exists", str(tmp_path / there))
    assert caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_bytes() == b"precious"


def test_a_link_that_leads_nowhere_is_not_followed(tmp_path: Path) -> None:
    """A secret would be written where somebody else has chosen."""
    (tmp_path / "index.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError):
        write_key_pair(SIGNER, tmp_path / "index.key", "")
    assert not (tmp_path / "elsewhere").exists()


def test_a_place_that_can_not_be_written_is_a_store_error(tmp_path: Path) -> None:
    """A file where a directory should be."""
    (tmp_path / "file").write_bytes(b"precious")
    with pytest.raises(StoreError) as caught:
        write_key_pair(SIGNER, tmp_path / "file" / "index.key", "")
    assert caught.value.hint


# Passwords


def test_a_password_is_as_much_work_as_minisign_makes_it(tmp_path: Path) -> None:
    """Another implementation opens the key with it; the work is what minisign's own keys ask for (1 GiB, seconds)."""
    path = tmp_path / "index.key"
    write_key_pair(SIGNER, path, PASSWORD)
    raw = raw_of(path)
    assert raw[:6] == b"EdScB2"
    assert (int.from_bytes(raw[38:46], "little"), int.from_bytes(raw[46:54], "little")) == (33_554_432, 1_073_741_824)
    assert SIGNER.seed not in raw
    read = reference.SecretKey.from_file(path)
    read.decrypt(PASSWORD)
    assert vouched_by(SIGNER.public, b"x", bytes(read.sign(b"x")))


def test_a_password_opens_a_key(tmp_path: Path) -> None:
    """One that another implementation has closed; it is asked for once."""
    asked = []

    def password() -> str:
        asked.append(1)
        return PASSWORD

    assert read_secret_key(password_protected(tmp_path, PASSWORD), password) == SIGNER
    assert asked == [1]


@pytest.mark.parametrize("password", ["", "hunter2", f"{PASSWORD} "])
def test_a_wrong_password_opens_nothing(tmp_path: Path, password: str) -> None:
    """It is said that it is wrong, and not what it was."""
    why = unusable(password_protected(tmp_path, PASSWORD), lambda: password)
    assert why == "the password is wrong"


@pytest.mark.parametrize(("work", "memory"), [(2**26, 2**30), (2**63, 2**14), (2**64 - 1, 2**64 - 1)])
def test_absurd_work_is_not_begun(tmp_path: Path, work: int, memory: int) -> None:
    """More than any key of minisign's asks for: a file could keep the machine busy for years."""
    path = password_protected(tmp_path, PASSWORD)
    raw = raw_of(path)
    raw[38:54] = work.to_bytes(8, "little") + memory.to_bytes(8, "little")
    rewrite(path, raw)
    assert unusable(path, lambda: PASSWORD) == "it asks for more work than any key of minisign's"


# Computed by hand from libsodium's pickparams (crypto_pwhash/scryptsalsa208sha256/pwhash_scryptsalsa208sha256.c).
@pytest.mark.parametrize(
    ("work", "memory", "parameters"),
    [
        (33_554_432, 1_073_741_824, (2**20, 8, 1)),  # OPSLIMIT_SENSITIVE, MEMLIMIT_SENSITIVE: what minisign uses
        (524_288, 16_777_216, (2**14, 8, 1)),  # OPSLIMIT_INTERACTIVE, MEMLIMIT_INTERACTIVE
        (16_777_216, 536_870_912, (2**19, 8, 1)),  # minisign, where there is no room for more
        (1_048_576, 33_554_432, (2**15, 8, 1)),  # what other implementations use
        (32_768, 16_777_216, (2**10, 8, 1)),  # OPSLIMIT_MIN; the work is the limit
        (0, 16_777_216, (2**10, 8, 1)),
        (33_554_432, 16_777_216, (2**14, 8, 64)),  # the memory is the limit: several lanes
    ],
)
def test_scrypt_is_asked_for_as_libsodium_does(work: int, memory: int, parameters: tuple[int, int, int]) -> None:
    """The two limits that a key file has become the three numbers of RFC 7914 as in libsodium."""
    assert _scrypt_parameters(work, memory) == parameters


@given(work=st.integers(0, 33_554_432), memory=st.integers(0, 2**64 - 1))
def test_no_key_takes_more_than_minisigns_own(work: int, memory: int) -> None:
    """Whatever a file says that is not refused, scrypt takes 1 GiB at most, and as much time as that takes to fill."""
    rounds, blocks, lanes = _scrypt_parameters(work, memory)
    assert rounds >= 2
    assert rounds & (rounds - 1) == 0
    assert (blocks, lanes >= 1) == (8, True)
    assert rounds * blocks * lanes * 128 <= 2**30
    assert blocks * lanes < 2**30


@pytest.mark.skipif(sys.platform == "win32", reason="processes have no such limits there")
def test_where_memory_is_short_it_is_said(tmp_path: Path) -> None:
    """A small container, say: an error with both ways out, and no key is half written."""
    script = """
        import resource, sys
        from pathlib import Path
        from pycontextify.errors import ConfigError
        from pycontextify.publish.signing import generate_key, write_key_pair
        resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))
        try:
            write_key_pair(generate_key(), Path(sys.argv[1], "index.key"), "password")
        except ConfigError as error:
            print(error.code, "--no-password" in error.hint)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)]
    assert subprocess.run(command, capture_output=True, check=True, text=True).stdout == "key_memory True\n"
    assert list(tmp_path.iterdir()) == []


# Damage


def test_any_flip_in_a_plain_key_is_found(tmp_path: Path) -> None:
    """In what it holds, for a damaged key would sign what nobody takes; what scrypt would need is not looked at."""
    path = tmp_path / "index.key"
    write_key_pair(SIGNER, path, "")
    whole = raw_of(path)
    for place in (*range(6), *range(54 + 8, len(whole))):
        for mask in (0x01, 0x80, 0xFF):
            raw = whole.copy()
            raw[place] ^= mask
            rewrite(path, raw)
            assert unusable(path) in {"it is damaged", "it is no minisign secret key"}


def test_a_damaged_key_with_its_checksum_is_found(tmp_path: Path) -> None:
    """Its id too: minisign writes no checksum for keys without a password, and other implementations do."""
    path = tmp_path / "index.key"
    path.write_bytes(bytes(reference.KeyPair.generate().secret_key))
    whole = raw_of(path)
    read_secret_key(path, never)
    for place in range(54, len(whole)):
        raw = whole.copy()
        raw[place] ^= 0x10
        rewrite(path, raw)
        assert unusable(path) == "it is damaged"


def test_any_flip_in_a_protected_key_is_found(tmp_path: Path) -> None:
    """In the password's form this can't be told from a wrong password."""
    path = password_protected(tmp_path, PASSWORD)
    whole = raw_of(path)
    for place in (6, 37, 54, 61, 62, 93, 94, 125, 126, 157):
        raw = whole.copy()
        raw[place] ^= 0x10
        rewrite(path, raw)
        assert unusable(path, lambda: PASSWORD) == "the password is wrong"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"untrusted comment: x\n",
        b"untrusted comment: x\nRWQAAEIy\n",
        b"\xff\xfe",
        "untrusted comment: é\n".encode(),
        str(SIGNER.public).encode(),
        b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk=\n-----END OPENSSH PRIVATE KEY-----\n",
        sign(SIGNER, prehash(b"x"), "x"),
        base64.b64encode(b"EdSdB2" + bytes(152)),
        base64.b64encode(b"EdScB3" + bytes(152)),
        base64.b64encode(b"EDScB2" + bytes(152)),
    ],
    ids=range(12),
)
def test_what_is_no_secret_key_is_refused(tmp_path: Path, content: bytes) -> None:
    """A public key, say, or a key of another program; before anybody is asked for a password."""
    path = tmp_path / "index.key"
    path.write_bytes(content)
    assert unusable(path) == "it is no minisign secret key"


def test_a_secret_key_that_can_not_be_read_is_refused(tmp_path: Path) -> None:
    """Not there, or a directory: the system says which."""
    assert "No such file" in unusable(tmp_path / "none.key")
    assert "can't be read" in unusable(tmp_path)


@given(content=st.binary(max_size=300) | st.binary(min_size=158, max_size=158).map(base64.b64encode))
def test_arbitrary_bytes_are_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Nothing but a ConfigError comes of them."""
    path = tmp_path_factory.getbasetemp() / "arbitrary.key"
    path.write_bytes(content)
    unusable(path)


# Signatures


@given(content=st.binary(max_size=100), name=st.text(max_size=5))
def test_what_we_sign_others_take(content: bytes, name: str) -> None:
    """For any bytes and any key; the same bytes and comment give the same signature file."""
    key = key_of(name)
    made = sign(key, prehash(content), "file:x\tversion:1")
    assert vouched_by(key.public, content, made)
    assert not vouched_by(key.public, content + b"x", made)
    assert sign(key, prehash(content), "file:x\tversion:1") == made
    assert parse_signature(made, asset="it").trusted_comment == b"file:x\tversion:1"


def test_a_signature_is_by_its_key_alone(tmp_path: Path) -> None:
    """The key whose file it was read from."""
    write_key_pair(OTHER, tmp_path / "other.key", "")
    made = sign(read_secret_key(tmp_path / "other.key", never), prehash(b"x"), "x")
    assert parse_signature(made, asset="it").key_id == OTHER.key_id
    assert vouched_by(OTHER.public, b"x", made)
    assert not vouched_by(SecretKey(OTHER.key_id, SIGNER.seed).public, b"x", made)
    assert bytes(reference_key(tmp_path, OTHER).sign(b"x", trusted_comment="x")) + b"\n" == made
