"""Write what comes from the code into the README and into the pages below docs/: `make tables`."""

from __future__ import annotations

from pathlib import Path

from benchmarks.results import Results
from docs.benchmarks import FULL, readme_part
from docs.marks import filled
from docs.pages import PAGES
from pycontextify.config import SETTINGS, Setting

README = Path(__file__).resolve().parent.parent / "README.md"


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
    """Return the README's text with the tables between their marks as they should be."""
    return filled(filled(text, "settings", settings_table()), "benchmarks", readme_part(Results.read(FULL)))


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")
    for name, made in PAGES.items():
        (README.parent / "docs" / name).write_text(made(), encoding="utf-8")
