"""The doctor's look at the settings."""

from __future__ import annotations

import pytest

from pycontextify.config import load_settings
from pycontextify.library.doctor.settings import examine_settings
from tests.fakes.child import settings

CANARY = "canary-7f3a"
URL = "https://example.com/i"


def told(**flags: object) -> list[tuple[str, str]]:
    """The codes and levels of what is found."""
    return [(each.code, each.level) for each in examine_settings(settings(flags))]


def test_every_value_has_its_origin() -> None:
    """As far as somebody has set it."""
    found = [each.what for each in examine_settings(settings({"index_bootstrap_url": f"{URL}#v2", "port": "9000"}))]
    assert f"index_bootstrap_url = {URL}#v2 (flag --index-bootstrap-url)" in found
    assert "port = 9000 (flag --port)" in found
    assert not [what for what in found if what.startswith("host ")]


@pytest.mark.parametrize(
    "flags",
    [
        {"index_bootstrap_refresh": "1h"},
        {"index_bootstrap_token": "x"},
        {"embedding_url": "http://localhost/v1", "embedding_provider": "onnx"},
    ],
)
def test_what_changes_nothing_is_told(flags: dict[str, object]) -> None:
    """Somebody expects something of it."""
    assert ("setting_unused", "warning") in told(**flags)


@pytest.mark.parametrize(
    ("url", "more", "warned"),
    [
        ("http://example.com/i", {}, True),
        ("http://example.com/i", {"index_bootstrap_sha256": "0" * 64}, False),
        ("http://127.0.0.1:8/i", {}, False),
        (URL, {}, False),
        ("file:///srv/i", {}, False),
    ],
)
def test_what_nobody_vouches_for_is_told(url: str, more: dict[str, object], warned: bool) -> None:
    """Over plain http anybody on the way may answer."""
    assert (("source_unprotected", "warning") in told(index_bootstrap_url=url, **more)) is warned


def test_unknown_variables_are_told() -> None:
    """By name; nothing of what they hold is shown, nor are secrets."""
    environ = {"PYCONTEXTIFY_PROT": CANARY, "PYCONTEXTIFY_INDEX_BOOTSTRAP_TOKEN": CANARY}
    found = list(examine_settings(load_settings({"index_dir": "x"}, environ)))
    assert [each.code for each in found].count("setting_unknown") == 1
    assert CANARY not in str(found)
