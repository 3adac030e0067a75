"""The verb ``keygen``, and the password of a secret key."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pycontextify.publish.signing import read_secret_key
from pycontextify.snapshot.signature import parse_public_key
from tests.cli.conftest import Cli, Site
from tests.cli.terminal import open_terminal
from tests.fakes.signers import password_protected

PASSWORD = "hunter2 of the key"


def never() -> str:
    """The password of a key that has none."""
    raise AssertionError("nobody should be asked")


def test_a_pair_of_keys_is_made(cli: Cli, tmp_path: Path) -> None:
    """Two files, and what servers are to be given; the secret key is its owner's alone and is not shown."""
    made = cli("keygen", tmp_path / "keys" / "index.key", "--no-password")
    assert (made.code, made.err) == (0, "")
    secret, public = tmp_path / "keys" / "index.key", tmp_path / "keys" / "index.pub"
    key = read_secret_key(secret, never)
    assert parse_public_key(public.read_text()) == key.public
    assert made.out.splitlines() == [
        str(secret),
        str(public),
        "Servers take what this key has signed, and nothing else, with:",
        f"  --index-bootstrap-trusted-keys {key.public}",
    ]
    assert stat.S_IMODE(secret.stat().st_mode) == (0o600 if os.name == "posix" else stat.S_IMODE(secret.stat().st_mode))
    assert secret.read_text().splitlines()[1] not in made.out


def test_the_keys_are_told_to_programs(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole paths, whatever was written; without one, files in the directory where one is."""
    monkeypatch.chdir(tmp_path)
    told = cli("keygen", "--no-password", "--json").json()
    assert told == {
        "secret_key": str(tmp_path / "pycontextify.key"),
        "public_key": str(tmp_path / "pycontextify.pub"),
        "key": str(read_secret_key(tmp_path / "pycontextify.key", never).public),
    }
    told = cli("keygen", "~/index.key", "--no-password", "--json").json()
    assert told["secret_key"] == str(cli.home / "index.key")
    assert (cli.home / "index.pub").is_file()


def test_no_two_pairs_are_the_same(cli: Cli, tmp_path: Path) -> None:
    """Each run makes a new one."""
    keys = [cli("keygen", tmp_path / name, "--no-password", "--json").json()["key"] for name in "ab"]
    assert keys[0] != keys[1]


@pytest.mark.parametrize("password", [(), ("--no-password",)])
@pytest.mark.parametrize("there", ["index.key", "index.pub"])
def test_no_key_is_overwritten(cli: Cli, tmp_path: Path, there: str, password: tuple[str, ...]) -> None:
    """A key that is lost can't be made again: exit code 2, and the other file is not made."""
    (tmp_path / there).write_bytes(b"precious")
    refused = cli("keygen", tmp_path / "index.key", *password, SIGN_PASSWORD=PASSWORD)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.endswith("[key_exists]\n")
    assert str(tmp_path / there) in refused.err
    assert {path.name for path in tmp_path.iterdir()} - {"home"} == {there}
    assert (tmp_path / there).read_bytes() == b"precious"


def test_where_nobody_can_type_a_password_one_is_needed(cli: Cli, tmp_path: Path) -> None:
    """In a pipeline: nothing hangs, and both ways out are told. No key is made."""
    refused = cli.spawn("keygen", tmp_path / "index.key")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.endswith("[password_needed]\n")
    assert "PYCONTEXTIFY_SIGN_PASSWORD" in refused.err
    assert "--no-password" in refused.err
    assert not (tmp_path / "index.key").exists()


def test_a_password_can_be_in_the_environment(cli: Cli, site: Site, tmp_path: Path) -> None:
    """Where nobody is there to type it; what is signed with it was signed by that key."""
    key = password_protected(tmp_path, PASSWORD)
    publish = ("publish", tmp_path / "public", "--index-path", site.index, "--sign", key)
    refused = cli(*publish)
    assert refused.code == 2
    assert refused.err.endswith("[password_needed]\n")
    assert "--no-password" not in refused.err
    wrong = cli(*publish, SIGN_PASSWORD="wrong canary")
    assert wrong.code == 2
    assert wrong.err.endswith("[key_unusable]\n")
    assert "the password is wrong" in wrong.err
    assert "canary" not in wrong.err
    assert not (tmp_path / "public").exists()
    done = cli(*publish, SIGN_PASSWORD=PASSWORD)
    assert (done.code, done.err) == (0, "")
    assert PASSWORD not in done.out


@pytest.mark.terminal
def test_a_password_can_be_typed(cli: Cli, site: Site, tmp_path: Path) -> None:
    """At a terminal; it is not shown, and what is asked goes to standard error, away from what is printed."""
    key = password_protected(tmp_path, PASSWORD)
    terminal, typed = open_terminal()
    with cli.start(
        *("publish", tmp_path / "public", "--json", "--index-path", site.index, "--sign", key),
        stdin=typed,
        start_new_session=True,  # without a terminal of its own, which would be asked first
    ) as child:
        os.close(typed)
        assert child.stdout is not None
        assert child.stderr is not None
        asked = ""
        while not asked.endswith(": "):
            asked += child.stderr.read(1)
        assert asked == f"Password of {key}: "
        os.write(terminal, f"{PASSWORD}\n".encode())
        out, err = child.communicate()
    os.close(terminal)
    assert child.returncode == 0, err
    assert PASSWORD not in out + err
    assert (tmp_path / "public" / "index.json").is_file()
