"""Debian's minisign and ours: each takes the keys and the signatures that the other one makes."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pycontextify.publish.signing import read_secret_key
from pycontextify.snapshot.digest import parse_digest
from pycontextify.snapshot.signature import parse_public_key
from pycontextify.store.layout import Layout
from pycontextify.store.signed import signature_of
from tests.cli.conftest import Cli, Finished

pytestmark = pytest.mark.system

PASSWORD = "hunter2 of the key"

Minisign = Callable[..., str]


@pytest.fixture
def minisign(tmp_path: Path) -> Minisign:
    """Run the program where the test's files are; a password is typed as often as it may be asked for."""
    program = shutil.which("minisign")
    assert program is not None, "minisign is missing: `make test-system` installs it, or says how"

    def run(*arguments: str, password: str | None = None) -> str:
        typed = "" if password is None else f"{password}\n" * 2
        command = [program, *arguments]
        done = subprocess.run(command, check=False, cwd=tmp_path, input=typed, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


class Home:
    """An index, and our command line."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._cli = Cli(home)
        (home / "tree").mkdir()
        (home / "tree" / "moon.md").write_text("# The moon\n\nIt has no air.\n", encoding="utf-8")
        self("index", home / "tree", "--index-path", home / "index")

    def __call__(self, *arguments: object, password: str | None = None) -> Finished:
        """Run a verb that must succeed."""
        settings = {} if password is None else {"PYCONTEXTIFY_SIGN_PASSWORD": password}
        done = self._cli.spawn(*arguments, env=settings)
        assert done.code == 0, done.err
        return done

    def publish(self, *arguments: object, password: str | None = None) -> Finished:
        """Publish the index."""
        return self("publish", *arguments, "--json", "--index-path", self.home / "index", password=password)

    def hydrate(self, kind: str, place: Path, key: Path, *, into: str = "taken") -> Finished:
        """Hydrate from what was published, which this key must have signed."""
        source = (f"--index-bootstrap-{kind}", place.as_uri(), "--index-bootstrap-trusted-keys", key)
        return self._cli.spawn("hydrate", *source, "--index-path", self.home / into)

    def manifest(self) -> tuple[Path, Path]:
        """Put the manifest that was published, and its signature, into files of their own; return where."""
        site = Layout(self.home / "public")
        latest = site.refs().refs["latest"].digest
        path, beside = self.home / "manifest.json", self.home / "manifest.json.minisig"
        path.write_bytes(site.read(latest))
        beside.unlink(missing_ok=True)
        signature = signature_of(site, site.refs(), latest)
        if signature is not None:
            beside.write_bytes(signature)
        return path, beside


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A small index, below the directory that minisign runs in."""
    return Home(tmp_path)


@pytest.mark.parametrize("password", [None, PASSWORD])
def test_we_sign_with_its_keys(home: Home, minisign: Minisign, password: str | None) -> None:
    """With a password and without one; it takes what comes out, and so do servers that have its public key."""
    minisign("-G", "-p", "a.pub", "-s", "a.key", *(() if password else ("-W",)), password=password)
    secret, public = home.home / "a.key", home.home / "a.pub"
    home.publish(home.home / "public", "--sign", secret, password=password)
    home.publish("--archive", home.home / "index.zip", "--sign", secret, password=password)
    home.manifest()
    for name in ("manifest.json", "index.zip"):
        assert "Trusted comment: file:" in minisign("-V", "-p", "a.pub", "-m", name)
    assert home.hydrate("url", home.home / "public", public).code == 0
    assert home.hydrate("archive", home.home / "index.zip", public, into="other").code == 0


@pytest.mark.parametrize("password", [None, PASSWORD])
def test_it_signs_with_our_keys(home: Home, minisign: Minisign, password: str | None) -> None:
    """With a password and without one; and it finds the same public key in the secret one."""
    home("keygen", home.home / "a.key", *(() if password else ("--no-password",)), password=password)
    minisign("-R", "-s", "a.key", "-p", "again.pub", password=password)
    again, public = (parse_public_key((home.home / name).read_text()) for name in ("again.pub", "a.pub"))
    assert again == public
    home.publish("--archive", home.home / "index.zip")
    minisign("-S", "-s", "a.key", "-m", "index.zip", password=password)
    assert "verified" in minisign("-V", "-P", str(public), "-m", "index.zip")
    assert home.hydrate("archive", home.home / "index.zip", home.home / "a.pub").code == 0
    assert read_secret_key(home.home / "a.key", lambda: password or "").public == public


@pytest.mark.parametrize("form", ["", "-l"])
def test_its_signature_of_a_manifest_is_attached(home: Home, minisign: Minisign, form: str) -> None:
    """In either form: published unsigned, signed where the key is, published again with that, and taken by servers."""
    minisign("-G", "-W", "-p", "a.pub", "-s", "a.key")
    generation = parse_digest(home.publish(home.home / "public").result()["generation"])
    manifest, signature = home.manifest()
    minisign("-S", *form.split(), "-s", "a.key", "-m", manifest.name, "-t", "made elsewhere")
    made = signature.read_bytes()
    home.publish(home.home / "public", "--signature", signature)
    assert home.manifest() == (manifest, signature)
    assert signature.read_bytes() == made
    assert "Trusted comment: made elsewhere" in minisign("-V", "-p", "a.pub", "-m", manifest.name)
    assert home.hydrate("url", home.home / "public", home.home / "a.pub").code == 0
    assert Layout(home.home / "taken").current() == generation


def test_the_old_form_is_not_for_files(home: Home, minisign: Minisign) -> None:
    """It would need the whole of them in memory; the error says what to do, and that helps."""
    minisign("-G", "-W", "-p", "a.pub", "-s", "a.key")
    home.publish("--archive", home.home / "index.zip")
    minisign("-S", "-l", "-s", "a.key", "-m", "index.zip")
    refused = home.hydrate("archive", home.home / "index.zip", home.home / "a.pub")
    assert refused.code == 3
    assert "without minisign's option -l" in refused.err
    minisign("-S", "-s", "a.key", "-m", "index.zip")
    assert home.hydrate("archive", home.home / "index.zip", home.home / "a.pub").code == 0


def test_what_it_has_not_signed_is_refused(home: Home, minisign: Minisign) -> None:
    """By both: another key of its own, and another file under the same signature."""
    for name in ("a", "b"):
        minisign("-G", "-W", "-p", f"{name}.pub", "-s", f"{name}.key")
    home.publish("--archive", home.home / "index.zip")
    minisign("-S", "-s", "b.key", "-m", "index.zip")
    refused = home.hydrate("archive", home.home / "index.zip", home.home / "a.pub")
    assert refused.err.endswith("[signature_untrusted]\n")
    minisign("-S", "-s", "a.key", "-m", "index.zip")
    content = (home.home / "index.zip").read_bytes()
    (home.home / "index.zip").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    (home.home / "index.zip.sha256").unlink()
    refused = home.hydrate("archive", home.home / "index.zip", home.home / "a.pub")
    assert refused.err.endswith("[signature_invalid]\n")
    with pytest.raises(AssertionError, match="verification failed"):
        minisign("-V", "-p", "a.pub", "-m", "index.zip")
