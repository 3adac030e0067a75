"""Damaged files by the thousand, each opened, validated, searched and closed.

``python -m tests.hostile.mutate --count 100000 --seed 1 chunks`` prints what became of them, as JSON. What failed is
repeated by ``--first NUMBER --count 1``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import apsw
import faiss

from tests.hostile.children import FAILED, attempt_all
from tests.hostile.mutations import mutate
from tests.hostile.subjects import SUBJECTS, prepare, verdict

__all__ = ["main"]


def main() -> int:
    """Do what the command line asks for; return 1 when anything failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subject", choices=[*SUBJECTS])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    asked = parser.parse_args()
    started = time.monotonic()
    outcomes = _outcomes(asked.subject, asked.seed, range(asked.first, asked.first + asked.count))
    failures = {number: outcome for number, outcome in outcomes.items() if outcome.startswith(FAILED)}
    verdicts = Counter(outcome for number, outcome in outcomes.items() if number not in failures)
    report = {
        "subject": asked.subject,
        "seed": asked.seed,
        "first": asked.first,
        "count": len(outcomes),
        "seconds": round(time.monotonic() - started, 1),
        "versions": {"faiss": faiss.__version__, "apsw": apsw.apsw_version(), "sqlite": apsw.sqlite_lib_version()},
        "verdicts": dict(verdicts.most_common()),
        "failures": failures,
    }
    print(json.dumps(report, indent=1))  # noqa: T201 - the answer
    return 1 if failures else 0


def _outcomes(name: str, seed: int, numbers: range) -> dict[int, str]:
    with tempfile.TemporaryDirectory() as directory:
        subject = prepare(name, Path(directory))
        path = Path(directory, "damaged")

        def attempt(number: int) -> str:
            # A new file each time: what may still be mapped must not be written to.
            path.unlink(missing_ok=True)
            path.write_bytes(mutate(subject.form, seed, number))
            return verdict(subject, path)

        return dict(attempt_all(attempt, numbers))


if __name__ == "__main__":
    sys.exit(main())
