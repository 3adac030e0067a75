"""The page as HTML. Jinja2 escapes whatever is put into a template, and none of them takes that back for a value.

Imported when the first page is asked for, in a worker thread: nobody who does not look at the page waits for Jinja2.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pycontextify.server.page.found import MODES

if TYPE_CHECKING:
    from pycontextify.server.page.found import Search
    from pycontextify.server.page.model import Frame, Seen

__all__ = ["REGIONS", "Paper"]

REGIONS = ("announced", "state", "work", "live", "kept", "past")
"""The parts of the page that change by themselves; each is a template, and an element with this id."""

_HERE = Path(__file__).parent / "templates"


class Paper:
    """Templates, style and script, read once; ``headers`` go with every page. Rendering touches no file.

    Making one blocks: it reads and compiles the templates.
    """

    def __init__(self) -> None:
        style, script = ((_HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
        environment = Environment(
            loader=FileSystemLoader(_HERE),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        # Our own files, and the only text that is not escaped.
        ours = {"style": Markup(style), "script": Markup(script)}  # noqa: S704 - files of the package
        environment.globals |= {**ours, "modes": MODES}
        self._page = environment.get_template("page.html")
        self._login = environment.get_template("login.html")
        self._regions = {name: environment.get_template(f"{name}.html") for name in REGIONS}
        self.headers = _headers(style, script)

    def page(self, seen: Seen, search: Search, frame: Frame) -> str:
        """Return the whole page."""
        return self._page.render(seen=seen, search=search, frame=frame)

    def regions(self, seen: Seen) -> dict[str, str]:
        """Return the HTML inside each of `REGIONS`."""
        return {name: template.render(seen=seen) for name, template in self._regions.items()}

    def login(self, root: str, asked: Mapping[str, str], failure: str = "") -> str:
        """Return the page that asks for the token, to be shown where ``root`` leads up from (`Frame`).

        ``asked`` is what was asked of the page, and goes along with the token.
        """
        return self._login.render(root=root, asked=asked, failure=failure)


def _headers(style: str, script: str) -> dict[str, str]:
    """Nothing is loaded but what is in the page itself, and nobody may frame it.

    The policy for the referrer is not ``no-referrer``: browsers would then send forms with an Origin of ``null``.
    """
    policy = (
        "default-src 'none'",
        f"style-src '{_hash(style)}'",
        f"script-src '{_hash(script)}'",
        *("connect-src 'self'", "img-src data:", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"),
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
        "Vary": "Accept, Cookie",
    }


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}"
