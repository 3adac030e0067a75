"""Prometheus's own judgement of rules, of their tests, and of a real scrape."""

from __future__ import annotations

import shutil
import subprocess
from functools import partial
from pathlib import Path

import anyio.to_thread
import pytest

from tests.fakes.engine import FakeEngine, make_view
from tests.server.test_routes import get, listening

pytestmark = pytest.mark.system

RULES = Path(__file__).resolve().parents[2] / "deploy" / "prometheus"


def promtool(*arguments: str, given: str = "") -> str:
    """Run it where the rules are; it must be content."""
    program = shutil.which("promtool")
    assert program is not None, "promtool is missing: `make test-system` installs it, or says how"
    done = subprocess.run([program, *arguments], check=False, cwd=RULES, input=given, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_rules_are_in_order() -> None:
    """All of them are found."""
    assert "10 rules found" in promtool("check", "rules", "alerts.yml")


def test_the_rules_fire_when_they_should() -> None:
    """And are silent when they should not."""
    promtool("test", "rules", "alerts.test.yml")


def test_the_example_is_a_configuration() -> None:
    """Its syntax: the file of the token is somewhere else."""
    promtool("check", "config", "--syntax-only", "scrape.yml")


async def test_a_scrape_passes_the_linter() -> None:
    """Names, types, units and help, while hydrating and when served."""
    async with listening(FakeEngine()) as (parts, url):
        hydrator = await parts.fetching()
        hydrator.receive(1000)
        during = (await get(f"{url}/metrics")).text
        hydrator.install(make_view())
        await parts.at_rest()
        after = (await get(f"{url}/metrics")).text
    for text in (during, after):
        said = await anyio.to_thread.run_sync(partial(promtool, "check", "metrics", given=text))
        assert said.strip() == ""
