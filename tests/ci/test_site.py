"""The look at the built documentation: nothing is loaded from elsewhere, and it can be searched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.ci.script import script

site = script("site")


@pytest.mark.parametrize(
    "page",
    [
        '<script src="https://cdn.example.com/a.js"></script>',
        '<link rel="stylesheet" href="//fonts.example.com/css">',
        '<link rel="preconnect" href="https://fonts.example.com">',
        '<img src="http://example.com/a.png">',
        "<style>@import 'https://example.com/a.css';</style>",
        '<p style="background: url(https://example.com/a.png)">',
    ],
)
def test_what_is_loaded_from_elsewhere_is_found(page: str) -> None:
    """In every way that a page has to make a browser ask for something."""
    assert len(site.loaded(page, kind=".html")) == 1


@pytest.mark.parametrize(
    "page",
    [
        '<a href="https://example.com">a link that somebody may follow</a>',
        '<link rel="canonical" href="https://example.com/page">',
        '<script src="assets/a.js"></script><img src="../images/a.svg">',
        '<img src="data:image/png;base64,AA==">',
    ],
)
def test_what_is_not_loaded_may_be_anywhere(page: str) -> None:
    """Links, names, and what lies beside the page."""
    assert site.loaded(page, kind=".html") == []


@pytest.mark.parametrize(
    "line", ["--8&lt;-- &quot;a.py&quot;", '<span>--8</span> <span>&lt;</span> --"a.py"', '--8&lt;-- "a.py"']
)
def test_a_file_that_is_not_shown_is_found(line: str) -> None:
    """The line that stands for it is left, as it was written or as a formatter thought that it is Python."""
    assert site.unfilled(f"<pre>{line}</pre>") == ["a.py"]
    assert site.unfilled("<p>A file of 8 &lt; 9 lines -- not more.</p>") == []


def test_a_site_is_looked_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Pages, styles, and what there is to search: each may be what is wrong."""
    (tmp_path / "search").mkdir()
    (tmp_path / "index.html").write_text("<p>Hello</p>", encoding="utf-8")
    assert site.main(tmp_path) == 1
    assert "nothing to search" in capsys.readouterr().out
    found = {"docs": [{"title": "Hello"}]}
    (tmp_path / "search" / "search_index.json").write_text(json.dumps(found), encoding="utf-8")
    assert site.main(tmp_path) == 0
    (tmp_path / "a.css").write_text("a { background: url('https://example.com/a.png') }", encoding="utf-8")
    assert site.main(tmp_path) == 1
    assert "a.css loads https://example.com/a.png" in capsys.readouterr().out
