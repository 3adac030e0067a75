"""The lock files: they pin what pyproject.toml asks for, with hashes, and nothing is installed past them."""

from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.ci.script import ROOT, script

pins = script("pins")

LOCKS = ["project", "runtime", "build", "docs", "peers", "tools"]


def asked() -> Iterator[tuple[str, str]]:
    """Each lock file's name with a requirement that pyproject.toml has for it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    yield from ((name, each) for name in ("project", "runtime") for each in project["project"]["dependencies"])
    yield from (("project", each) for each in project["project"]["optional-dependencies"]["dev"])
    yield from (("build", each) for each in project["build-system"]["requires"])
    yield from (
        (name, each) for name in ("build", "docs", "peers", "tools") for each in project["dependency-groups"][name]
    )


def versions(lock: str) -> dict[str, set[str]]:
    """What a lock file pins: one version for most names, more where they differ by platform."""
    found: dict[str, set[str]] = {}
    for pin in pins.pinned((ROOT / "locks" / f"{lock}.txt").read_text(encoding="utf-8")):
        name, _, version = pin.partition("==")
        found.setdefault(name, set()).add(version)
    return found


@pytest.mark.parametrize(("lock", "text"), sorted(set(asked())))
def test_what_pyproject_asks_for_is_pinned(lock: str, text: str) -> None:
    """A new requirement without `make lock` after it fails here: pip would be told to install without dependencies."""
    requirement = Requirement(text)
    pinned = versions(lock).get(canonicalize_name(requirement.name), set())
    assert pinned, f"{requirement.name} is not in locks/{lock}.txt: run make lock"
    assert all(version in requirement.specifier for version in pinned), pinned


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes(lock: str) -> None:
    """And nothing in a lock file is anything else: no option, no address, no requirement without a version."""
    text = (ROOT / "locks" / f"{lock}.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    entries = "\n".join(lines).replace("\\\n", " ").splitlines()
    assert len(entries) == len(pins.pinned(text))
    for entry in entries:
        requirement, *hashes = entry.split(" --hash=")
        assert "==" in requirement
        assert hashes
        assert all(each.strip().startswith("sha256:") for each in hashes), requirement


def test_what_is_installed_together_is_pinned_together() -> None:
    """The build's packages and the project's go into one environment: a name in both has one version."""
    project, build = versions("project"), versions("build")
    assert {name: build[name] for name in build.keys() & project.keys()} == {
        name: project[name] for name in build.keys() & project.keys()
    }


def test_what_a_server_runs_with_is_what_was_tested() -> None:
    """The image's packages are the project's, in the same versions, and none of those that only tests need."""
    runtime = pins.pinned((ROOT / "locks" / "runtime.txt").read_text(encoding="utf-8"))
    project = pins.pinned((ROOT / "locks" / "project.txt").read_text(encoding="utf-8"))
    assert runtime < project
    assert not {name.partition("==")[0] for name in runtime} & {"pytest", "mypy", "ruff", "hypothesis"}


@pytest.mark.parametrize(
    ("target", "lock", "then"),
    [("docs", "docs", "mkdocs build --strict"), ("bench", "peers", "-m benchmarks --peers")],
)
def test_what_has_an_environment_of_its_own_is_installed_by_hash(
    tmp_path: Path, target: str, lock: str, then: str
) -> None:
    """With wheels alone."""
    command = ["make", "--dry-run", f"VENV={tmp_path / 'venv'}", target]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.replace("\\\n", " ")
    (install,) = [line for line in said.splitlines() if f"locks/{lock}.txt" in line]
    assert "--require-hashes --only-binary :all:" in install
    assert install.split()[-1] == f"locks/{lock}.txt"
    assert then in said


def test_the_makefile_installs_nothing_past_the_hashes(tmp_path: Path) -> None:
    """Each of its pip installs is of a lock file, with hashes, or of this project alone; none builds in isolation."""
    ready = tmp_path / "venv" / ".ready"
    command = ["make", "--dry-run", f"VENV={tmp_path / 'venv'}", str(ready)]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    installs = [line for line in said.splitlines() if "pip install" in line]
    assert len(installs) == 3
    for line in installs:
        assert "--no-build-isolation" in line
        assert ("--require-hashes" in line and "--only-binary :all:" in line) or line.endswith("--no-deps --editable .")


def test_a_pin_is_read_with_and_without_marker() -> None:
    """One line for each, whatever follows the version."""
    hashed = "\\\n    --hash=sha256:00\n"
    lock = f"# one==1\na-b==1.0 {hashed}c.d==2!3.post1 ; sys_platform == 'win32' {hashed}"
    assert pins.pinned(lock) == {"a-b==1.0", "c.d==2!3.post1"}
