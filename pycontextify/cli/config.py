"""``pycontextify config show``: every setting, its value and where that came from."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from pycontextify.cli.flags import ALL
from pycontextify.cli.verbs import AsJson, verb
from pycontextify.config import SETTINGS, Settings, describe
from pycontextify.redact import one_line

if TYPE_CHECKING:
    from pycontextify.config import Row

__all__ = ["EXAMPLES", "show"]

EXAMPLES = (
    "pycontextify config show",
    "pycontextify config show --config ci.toml --json",
)

_SEPARATORS = {setting.name: setting.separator for setting in SETTINGS}


@verb(ALL, interrupted="nothing was changed")
def show(settings: Settings, as_json: AsJson = False) -> None:
    """Show every setting, its value and where it came from.

    Secrets are hidden.
    """
    rows = describe(settings)
    if as_json:
        print(json.dumps({"settings": [asdict(row) for row in rows], "warnings": settings.warnings}, indent=2))
        return
    width = max(len(row.name) for row in rows)
    for row in rows:
        print(f"{row.name:<{width}}  {_value(row)}  ({row.origin})")


def _value(row: Row) -> str:
    match row.value:
        case None | []:
            return "-"
        case bool():
            return str(row.value).lower()
        case list():
            return one_line(_SEPARATORS[row.name].join(row.value))
        case _:
            return one_line(str(row.value))
