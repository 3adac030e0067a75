"""Write what comes from the code into the README and into the pages below docs/: `make tables`."""

from __future__ import annotations

from pathlib import Path

from docs.pages import PAGES
from pycontextify.config import SETTINGS, Setting

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- settings:begin -->", "<!-- settings:end -->"


def settings_table() -> str:
    """Return every setting as a Markdown table."""
    rows = ["| flag | environment | default | what it is |", "| --- | --- | --- | --- |"]
    rows += [
        f"| {_flag(setting)} | `{setting.env}` | {f'`{setting.default}`' if setting.default else ''} | "
        f"{setting.help.replace('|', chr(92) + '|')} |"
        for setting in SETTINGS
    ]
    return "\n".join(rows)


def _flag(setting: Setting) -> str:
    return f"`{setting.flag}`" if setting.flag else "(none: a flag would show in process lists)"


def with_tables(text: str) -> str:
    """Return the README's text with the table between its marks as it should be."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{settings_table()}\n{END}{after}"


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")
    for name, made in PAGES.items():
        (README.parent / "docs" / name).write_text(made(), encoding="utf-8")
