"""A change, to be looked at."""

from __future__ import annotations

from pycontextify.library.clients.told import diff_of

CANARY = "canary-7f3a"


def test_what_changes_is_shown() -> None:
    """As a unified diff."""
    assert diff_of(None, '{\n  "a": 1\n}\n', "x.json").splitlines() == [
        *("--- /dev/null", "+++ x.json", "@@ -0,0 +1,3 @@"),
        *("+{", '+  "a": 1', "+}"),
    ]
    assert diff_of("same", "same", "x.json") == ""


def test_values_beside_it_are_not() -> None:
    """Who has a token in the entry above need not show it, whatever it is called."""
    before = f'{{\n  "z": "{CANARY}",\n  "args": ["{CANARY}"]\n}}\n'
    shown = diff_of(before, before.replace("\n}", ',\n  "new": "yes"\n}'), "x.json")
    assert CANARY not in shown
    assert '+  "args": ["…"],' in shown
    assert ' "z": "…"' in shown
    assert '+  "new": "yes"' in shown


def test_secrets_in_what_is_replaced_are_hidden() -> None:
    """By the names that secrets have; addresses are shown without what they carry. References to variables stay."""
    before = f'{{"env": {{"API_KEY": "{CANARY}", "u": "https://me:{CANARY}@h.example/p?q={CANARY}"}}}}'
    shown = diff_of(before, '{"env": {"API_KEY": "${env:API_KEY}"}}', "x.json")
    assert CANARY not in shown
    assert '"API_KEY": "***"' in shown
    assert '"API_KEY": "${env:API_KEY}"' in shown
    assert "https://h.example/p" in shown


def test_a_ref_is_no_secret() -> None:
    """Our own addresses may name one."""
    assert "https://h.example/p#v2" in diff_of(None, '["https://h.example/p#v2"]', "x.json")


def test_nothing_in_it_moves_the_terminal() -> None:
    """Control characters are escaped, line ends of Windows are not shown at all."""
    shown = diff_of(None, "\x1b[2J\r\n", "x\ny")
    assert "\x1b" not in shown
    assert shown.splitlines()[1] == "+++ x\\ny"
