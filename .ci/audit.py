"""Fail when a locked package has a known vulnerability: ``audit.py PIP_AUDIT ALLOWED.txt LOCK.txt…``.

pip-audit asks PyPI, and OSV when PyPI tells nothing. Where neither can be reached nothing can be checked: that is no
failure, for it says nothing about the packages, but it is said so that nobody takes it for a clean bill. A
vulnerability that has been looked at and does no harm here has a line in ALLOWED.txt: ``ID  # why``.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Audit", "Vulnerability", "allowed_in", "audit_of", "main", "verdict", "was_unreachable"]

_SERVICES = ("pypi", "osv")
_UNREACHABLE = re.compile(
    r"ConnectionError|Timeout|NameResolutionError|Max retries exceeded|[Nn]etwork may be blocking"
)


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """A known vulnerability of a locked package; ``names`` are all that it goes by, its own first."""

    package: str
    names: tuple[str, ...]
    fixed_in: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.package}: {', '.join(self.names)}; fixed in {', '.join(self.fixed_in) or 'no version yet'}"


@dataclass(frozen=True, slots=True)
class Audit:
    """What pip-audit found: how many packages it knows, those it does not know, and the vulnerabilities."""

    checked: int
    unchecked: tuple[str, ...]
    vulnerabilities: tuple[Vulnerability, ...]


def main(pip_audit: str, allowed: Path, locks: Sequence[Path]) -> int:
    """Ask, say what was found, and return the exit code."""
    judged = allowed_in(allowed.read_text(encoding="utf-8"))
    failed = False
    for lock in locks:
        audit = _asked(pip_audit, lock)
        said, bad = verdict(lock.name, audit, judged)
        print(said)
        failed = failed or bad
    return int(failed)


def verdict(lock: str, audit: Audit, allowed: Mapping[str, str]) -> tuple[str, bool]:
    """Return what is to be said of a lock file, and whether it fails."""
    loose = [each for each in audit.vulnerabilities if not any(name in allowed for name in each.names)]
    lines = [f"{lock}: vulnerable, and not judged: {each}" for each in loose]
    if not audit.checked:
        lines.append(f"{lock}: !!! NOTHING WAS CHECKED for known vulnerabilities: no service told anything !!!")
    elif audit.unchecked:
        lines.append(f"{lock}: !!! NOT CHECKED for known vulnerabilities: {', '.join(audit.unchecked)} !!!")
    known = len(audit.vulnerabilities)
    lines.append(f"{lock}: {audit.checked} packages checked, {known} vulnerabilities, {len(loose)} of them not judged")
    return "\n".join(lines), bool(loose)


def audit_of(report: Mapping[str, Any]) -> Audit:
    """Read pip-audit's report, in its JSON form."""
    packages = report["dependencies"]
    checked = [each for each in packages if "skip_reason" not in each]
    return Audit(
        len(checked),
        tuple(each["name"] for each in packages if "skip_reason" in each),
        tuple(
            Vulnerability(
                f"{each['name']} {each['version']}", (found["id"], *found["aliases"]), tuple(found["fix_versions"])
            )
            for each in checked
            for found in each["vulns"]
        ),
    )


def allowed_in(text: str) -> dict[str, str]:
    """Return the reasons by the names of the vulnerabilities; raises ValueError for a line without a reason."""
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, why = map(str.strip, line.partition("#"))
        if name and not why:
            raise ValueError(f"{name} is allowed without a reason")
        if name:
            found[name] = why
    return found


def was_unreachable(said: str) -> bool:
    """Tell whether pip-audit, which gave no report, failed because of the network: what else it fails for is ours."""
    return _UNREACHABLE.search(said) is not None


def _asked(pip_audit: str, lock: Path) -> Audit:
    """Ask one service after the other, until one of them knows any package."""
    audit = Audit(0, (), ())
    for service in _SERVICES:
        options = ["--disable-pip", "--require-hashes", "--aliases", "on", "--progress-spinner", "off"]
        command = [
            pip_audit,
            "--vulnerability-service",
            service,
            "--requirement",
            str(lock),
            "--format",
            "json",
            *options,
        ]
        run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
        if run.stdout.startswith("{"):
            audit = audit_of(json.loads(run.stdout))
        elif not was_unreachable(run.stderr):
            raise SystemExit(f"pip-audit failed:\n{run.stderr}")
        if audit.checked:
            break
    return audit


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), [Path(each) for each in sys.argv[3:]]))
