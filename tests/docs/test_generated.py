"""The pages that come from the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.advice import ADVICE
from docs.codes import codes, exit_code, family
from docs.pages import PAGES
from docs.record import without_fonts

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_up_to_date(name: str) -> None:
    """A new setting, code, tool or member of the status fails here until the page has it."""
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), "run `make tables`"


def test_every_way_to_write_a_code_is_found(tmp_path: Path) -> None:
    """With the error, as a default, in a table, through a function with and without its default, as a refusal."""
    (tmp_path / "errors.py").write_text(
        """
class PyContextifyError(Exception): ...
class Sad(PyContextifyError):
    default_code: ClassVar[str] = "as_default"
class Sadder(Sad): ...
def raised(name):
    raise Sad(f"{name} is lost", code="as_raised", hint="look for it")
def refusal(what, hint, code="as_its_default"):
    return Sadder(what, code=code, hint=hint)
refusal("is wrong", "correct it")
refusal("is wronger", "correct it", "as_argument")
refusal(what="is wrongest", hint="correct it", code="as_keyword")
TABLE = ((ValueError, Sad, "in_a_table", "it is in a table"),)
Refusal(421, "refused", "not here")
""",
        encoding="utf-8",
    )
    found = {each.code: each for each in codes(tmp_path)}
    assert {"as_default", "as_raised", "as_its_default", "as_argument", "as_keyword", "in_a_table", "refused"} <= set(
        found
    )
    assert found["as_raised"].says == ("… is lost",)
    assert found["as_raised"].hints == ("look for it",)
    assert found["as_its_default"].messages == (("is wrong", "correct it"),)
    assert found["as_argument"].kinds == ("Sadder",)
    assert found["refused"].kinds == ("HTTP 421",)


def test_each_message_stands_with_its_own_hint() -> None:
    """Who has a message need not guess which of a code's hints is meant."""
    page = (DOCS / "reference" / "errors.md").read_text(encoding="utf-8")
    assert "- *… is neither true nor false*: write true or false\n" in page
    assert "- *… is not a size*: write a number and its unit, such as 500MB or 64GiB\n" in page
    lines = [line for line in page.splitlines() if line.startswith("What to do: ")]
    assert len(lines) > 20
    assert not [line for line in lines if "; or " in line]


def test_what_tests_see_is_documented() -> None:
    """Every code that a test of ours expects is on the page."""
    known = {each.code for each in codes()}
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    seen = {code for text in texts for code in re.findall(r"\.code == \"([a-z]+(?:_[a-z0-9]+)*)\"", text)}
    own = {code for code in seen if not re.fullmatch(r"http_[0-9]+", code)}
    assert len(own) > 60
    made_up = {"gone", "broken", "odd", "test", "teapot"}
    assert own - made_up <= known


def test_every_code_says_what_to_do() -> None:
    """By its hint, by advice, or because the message itself is what to do."""
    told = {"refused": True}
    for each in codes():
        said = (
            bool(each.hints) or each.code in ADVICE or any(kind.startswith(("HTTP", "answer")) for kind in each.kinds)
        )
        assert said, each.code
        told[each.code] = said
    assert set(ADVICE) <= set(told)


def test_errors_end_with_their_exit_codes() -> None:
    """A class of another module ends as the one that it derives from."""
    assert (family("RangeRefused"), exit_code("PermanentFetchError")) == ("PermanentFetchError", 4)
    assert exit_code(family("UntrustedError")) == 3
    assert exit_code("HTTP 421") is None


def test_the_recording_asks_nobody_for_anything() -> None:
    """It is small, has no address of a font, and shows no place on the machine it was made on."""
    picture = (DOCS / "images" / "terminal.svg").read_text(encoding="utf-8")
    assert len(picture.encode()) < 100_000
    for word in ("@font-face", "url(http", "/tmp/", "/root", "/var"):  # noqa: S108 - what must not be there
        assert word not in picture
    for verb in ("index", "publish", "hydrate", "search"):
        assert f"pycontextify&#160;{verb}" in picture


def test_fonts_are_taken_out() -> None:
    """All of a picture but its fonts' addresses stays."""
    font = '@font-face { font-family: "A"; src: url("https://example.com/a.woff2") }'
    assert without_fonts(f"<svg><style>{font}\n{font} .a {{ fill: red }}</style></svg>") == (
        "<svg><style>.a { fill: red }</style></svg>"
    )


def test_every_environment_variable_named_exists() -> None:
    """No page and no recipe sets a variable that nothing reads; secrets of a CI are no settings."""
    from pycontextify.config import SETTINGS

    known = {setting.env for setting in SETTINGS} | {"PYCONTEXTIFY_KEY", "PYCONTEXTIFY_KEY_PASSWORD"}
    pages = [path for path in DOCS.rglob("*.md") if path.parent.name != "adr"]
    recipes = [path for path in (ROOT / "deploy").rglob("*") if path.is_file()]
    assert len(recipes) > 10
    for path in pages + recipes:
        named = set(re.findall(r"\bPYCONTEXTIFY_[A-Z0-9_]*[A-Z0-9]\b", path.read_text(encoding="utf-8")))
        assert named - known <= ({"PYCONTEXTIFY"} if path.name == "changelog.md" else set()), path
