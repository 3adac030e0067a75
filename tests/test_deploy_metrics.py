"""Dashboard, alerts and the page about metrics speak of what the server tells, and of nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pycontextify.errors import ValidateError
from tests.fakes.engine import FakeEngine, make_view
from tests.server.test_routes import get, listening

ROOT = Path(__file__).resolve().parent.parent
DASHBOARD = ROOT / "deploy" / "grafana" / "dashboard.json"
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
ALERT_TESTS = ROOT / "deploy" / "prometheus" / "alerts.test.yml"
PAGE = ROOT / "docs" / "reference" / "metrics.md"
_NAME = re.compile(r"\b(?:pycontextify_[a-z_]+|process_[a-z_]+)")


@pytest.fixture
async def told() -> dict[str, str]:
    """Every name that a sample of a real scrape can have, with its type: of a server whose hydration has failed."""
    async with listening(FakeEngine(current=make_view())) as (parts, url):
        (await parts.fetching()).fail(ValidateError("rows differ", code="rows_differ", asset="x"))
        await parts.at_rest()
        text = (await get(f"{url}/metrics")).text
    found = {}
    for family in text_string_to_metric_families(text):
        found[family.name] = family.type
        found |= {sample.name: family.type for sample in family.samples}
    return found


@pytest.mark.parametrize("path", [DASHBOARD, ALERTS, ALERT_TESTS], ids=lambda path: path.name)
def test_every_metric_named_exists(path: Path, told: dict[str, str]) -> None:
    """A panel without data or an alert that can't fire is worse than none."""
    named = set(_NAME.findall(path.read_text(encoding="utf-8"))) - {"pycontextify_"}
    assert len(named) > 5
    assert named <= set(told)


def test_every_metric_is_in_the_page(told: dict[str, str]) -> None:
    """And named as Prometheus wants it: counters, and they alone, end in _total; sizes and times are in base units."""
    page = PAGE.read_text(encoding="utf-8")
    own = {name: kind for name, kind in told.items() if name.startswith("pycontextify_")}
    listed = set(re.findall(r"`([a-z_]+)`", page))
    for name, kind in own.items():
        short = re.sub(r"_(bucket|sum|count)$", "", name) if kind == "histogram" else name
        known = short.removeprefix("pycontextify_")
        assert known in listed or f"{known}_total" in listed, name
        assert not name.endswith("_total") or kind == "counter"
        assert not re.search(r"_(milliseconds|ms|minutes|hours|kb|mb|percent)\b", name)


def test_every_alert_is_explained_and_tested() -> None:
    """It says what happened and what to do, and its link leads to a heading; the rules' tests have it fire."""
    rules, page = ALERTS.read_text(encoding="utf-8"), PAGE.read_text(encoding="utf-8")
    tests = ALERT_TESTS.read_text(encoding="utf-8")
    names = re.findall(r"- alert: (\w+)", rules)
    assert len(names) == len(set(names)) == 10
    for name, rule in zip(names, rules.split("- alert: ")[1:], strict=True):
        for part in (
            "for:",
            "severity:",
            "summary:",
            "description:",
            f"runbook_url: docs/reference/metrics.md#{name.lower()}",
        ):
            assert part in rule, (name, part)
        assert f"### {name}\n" in page
        assert f"alertname: {name}\n        exp_alerts:" in tests


def test_the_dashboard_needs_nothing_but_a_prometheus() -> None:
    """Its data source is chosen where it is imported; panels are Grafana's own, each with a unit and words."""
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    assert board["templating"]["list"][0]["type"] == "datasource"
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for panel in board["panels"]:
        assert panel["type"] in ("stat", "timeseries", "table")
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"]["uid"] == "${datasource}"
        assert all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"])
