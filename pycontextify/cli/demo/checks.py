"""What to say when a step of the demo does not show what it should."""

from __future__ import annotations

from pycontextify.errors import PyContextifyError

__all__ = ["DemoFailed", "expect"]


class DemoFailed(PyContextifyError):  # noqa: N818 - reads as the verdict it is
    """A step did not show what it should."""

    default_code = "demo_failed"


def expect(shown: object, what: str) -> None:
    """Raise DemoFailed, saying ``what`` happened instead, unless ``shown`` is true."""
    if not shown:
        raise DemoFailed(what)
