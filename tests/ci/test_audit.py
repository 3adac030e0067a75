"""What is made of pip-audit's report."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.ci.script import ROOT, script

audit = script("audit")

CLEAN = {"name": "one", "version": "1.0", "vulns": []}
SKIPPED = {"name": "two", "skip_reason": "Dependency not found on PyPI and could not be audited: two (2.0)"}
BAD = {
    "name": "three",
    "version": "3.0",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.1"], "aliases": ["CVE-1", "GHSA-1"], "description": "…"}],
}


def said(*packages: dict[str, Any], allowed: dict[str, str] | None = None) -> tuple[str, bool]:
    """What is said of a report on these packages, and whether it fails."""
    text, failed = audit.verdict("lock.txt", audit.audit_of({"dependencies": packages, "fixes": []}), allowed or {})
    assert isinstance(text, str)
    assert isinstance(failed, bool)
    return text, failed


def pip_audit(directory: Path, *, pypi: str, osv: str, complaint: str = "") -> str:
    """A pip-audit that answers what it is told for each service; nothing, and it complains."""
    path = directory / "pip-audit"
    path.write_text(
        f"#!{sys.executable}\nimport sys\n"
        f"reply = {{'pypi': {pypi!r}, 'osv': {osv!r}}}[sys.argv[sys.argv.index('--vulnerability-service') + 1]]\n"
        f"print(reply, end='')\nsys.exit(reply or {complaint!r})\n"
    )
    path.chmod(0o755)
    return str(path)


def report(*packages: dict[str, Any]) -> str:
    """A report as pip-audit prints it."""
    return json.dumps({"dependencies": packages, "fixes": []})


@pytest.fixture
def allowed(tmp_path: Path) -> Path:
    """A list of what is allowed: nothing."""
    path = tmp_path / "allowed.txt"
    path.write_text("# nothing\n")
    return path


def test_a_clean_report_passes() -> None:
    """And says how much it is worth."""
    assert said(CLEAN) == ("lock.txt: 1 packages checked, 0 vulnerabilities, 0 of them not judged", False)


def test_a_vulnerability_fails() -> None:
    """With all its names, and what mends it."""
    text, failed = said(CLEAN, BAD)
    assert failed
    assert "three 3.0: PYSEC-1, CVE-1, GHSA-1; fixed in 3.1" in text


@pytest.mark.parametrize("name", ["PYSEC-1", "CVE-1", "GHSA-1"])
def test_a_vulnerability_may_be_allowed_by_any_of_its_names(name: str) -> None:
    """It is counted all the same."""
    text, failed = said(BAD, allowed={name: "we do not call it"})
    assert not failed
    assert "1 vulnerabilities, 0 of them not judged" in text


def test_what_was_not_checked_is_said_aloud() -> None:
    """Some or all of it: neither is a failure, and neither looks like a clean bill."""
    text, failed = said(CLEAN, SKIPPED)
    assert not failed
    assert "!!! NOT CHECKED for known vulnerabilities: two !!!" in text
    text, failed = said(SKIPPED)
    assert not failed
    assert "!!! NOTHING WAS CHECKED" in text


def test_an_allowance_has_a_reason() -> None:
    """Comments and empty lines are none."""
    assert audit.allowed_in("# text\n\nCVE-1  # we do not call it\n") == {"CVE-1": "we do not call it"}
    with pytest.raises(ValueError, match="CVE-2 is allowed without a reason"):
        audit.allowed_in("CVE-2\n")


def test_the_list_of_the_project_can_be_read() -> None:
    """Each line has its reason."""
    audit.allowed_in((ROOT / ".ci" / "vulnerabilities.txt").read_text(encoding="utf-8"))


def test_another_service_is_asked_when_the_first_one_knows_nothing(
    tmp_path: Path, allowed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it finds counts."""
    command = pip_audit(tmp_path, pypi=report(SKIPPED), osv=report(BAD))
    assert audit.main(command, allowed, [Path("lock.txt")]) == 1
    assert "three 3.0" in capsys.readouterr().out


@pytest.mark.parametrize(
    "complaint",
    [
        "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='api.osv.dev', port=443): Max retries exceeded",
        "ERROR:pip_audit._cli: Could not connect\nTip: your network may be blocking this service.",
        "requests.exceptions.ReadTimeout: read timed out",
    ],
)
def test_no_network_is_no_failure(
    complaint: str, tmp_path: Path, allowed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """But it is said that nothing was checked."""
    command = pip_audit(tmp_path, pypi="", osv="", complaint=complaint)
    assert audit.main(command, allowed, [Path("lock.txt")]) == 0
    assert "NOTHING WAS CHECKED" in capsys.readouterr().out


def test_any_other_trouble_is_a_failure(tmp_path: Path, allowed: Path) -> None:
    """A check that no longer works must not pass for one that found nothing."""
    command = pip_audit(tmp_path, pypi="", osv="", complaint="usage: pip-audit: error: unrecognized arguments")
    with pytest.raises(SystemExit, match="unrecognized arguments"):
        audit.main(command, allowed, [Path("lock.txt")])
