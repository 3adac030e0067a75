"""Languages are told by name, extension and first line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.ingest.language import LANGUAGES, language_of


@pytest.mark.parametrize(
    ("path", "text", "language"),
    [
        ("a.py", "", "python"),
        ("src/a.pyi", "", "python"),
        ("README.md", "", "markdown"),
        ("a.b/c.MD", "", "markdown"),
        ("a.js", "", "javascript"),
        ("a.ts", "", "typescript"),
        ("a.tsx", "", "tsx"),
        ("a.json", "", "json"),
        ("a.yml", "", "yaml"),
        ("a.toml", "", "toml"),
        ("a.h", "", "c"),
        ("a.hpp", "", "cpp"),
        ("A.java", "", "java"),
        ("a.go", "", "go"),
        ("a.rs", "", "rust"),
        ("a.htm", "", "html"),
        ("a.css", "", "css"),
        ("a.sh", "", "shell"),
        ("a.sql", "", "sql"),
        ("a.rst", "", "rst"),
        ("a.pdf", "", "pdf"),
        ("a.txt", "", "text"),
        ("Makefile", "", "makefile"),
        ("Makefile.am", "", "makefile"),
        ("deploy/Dockerfile", "", "dockerfile"),
        ("Dockerfile.dev", "", "dockerfile"),
        ("CMakeLists.txt", "", "cmake"),
        (".bashrc", "", "shell"),
        (".py", "", "text"),
        ("LICENSE", "", "text"),
        ("tool", "#!/usr/bin/env python3\n", "python"),
        ("tool", "#!/usr/bin/python3.11 -I\n", "python"),
        ("tool", "#!/usr/bin/env -S PYTHONPATH=. python3 -u\n", "python"),
        ("tool", "#! /bin/sh\n", "shell"),
        ("tool", "#!/usr/bin/env node\n", "javascript"),
        ("tool", "#!/opt/unheard/of\n", "text"),
        ("tool", "text\n#!/bin/sh\n", "text"),
        ("tool.txt", "#!/bin/sh\n", "shell"),
        ("tool.md", "#!/bin/sh\n", "markdown"),
    ],
)
def test_names_and_first_lines_tell(path: str, text: str, language: str) -> None:
    """A name that tells wins over the first line."""
    assert language_of(path, text) == language


@given(st.text(), st.text())
def test_every_answer_is_a_known_language(path: str, text: str) -> None:
    """People filter by these names, so there are no others."""
    assert language_of(path, text) in LANGUAGES


def test_languages_are_lower_case_words() -> None:
    """A filter is compared as it is."""
    assert all(language == language.lower() and language.isalnum() for language in LANGUAGES)
