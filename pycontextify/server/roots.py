"""Which paths clients may have indexed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pycontextify.errors import IngestError

__all__ = ["absolute", "confined"]


def absolute(path: str) -> Path:
    """Return the path that a client names, with its own ``~`` expanded.

    Raises IngestError for one that starts anywhere else: at the server's working directory, which no client knows, or
    at another user's home, for whether there is one is nobody's business.
    """
    if path.startswith("~") and path[1:2] not in ("", "/", "\\"):
        raise _refusal(path, "the path starts at the home directory of another user", "home_unknown")
    try:
        found = Path(path).expanduser()
    except RuntimeError:
        raise _refusal(path, "the path starts at a home directory that is not known", "home_unknown") from None
    if not found.is_absolute():
        hint = "a relative one would be taken from wherever the server was started"
        raise IngestError("the path must be absolute", code="path_relative", asset=path, hint=hint)
    return found


def confined(path: Path, roots: Sequence[Path]) -> Path:
    """Return a path free of links, if it lies in one of these directories once all links are followed. Blocks.

    Raises IngestError otherwise, the same for what is there and what is not. A path inside may be missing too.
    """
    try:
        real = path.resolve()
    except (OSError, RuntimeError, ValueError):  # RuntimeError: a link to itself; ValueError: a NUL
        real = None
    if real is None or not any(real.is_relative_to(root) for root in _present(roots)):
        raise IngestError(
            "this server may not index that",
            code="path_not_allowed",
            asset=str(path),
            hint="PYCONTEXTIFY_ALLOWED_ROOTS (--allowed-roots) of the server names the directories that it may index",
        )
    return real


def _present(roots: Sequence[Path]) -> list[Path]:
    """Return the real places of those roots that exist."""
    found: list[Path] = []
    for root in roots:
        try:
            found.append(root.resolve(strict=True))
        except (OSError, RuntimeError, ValueError):
            continue
    return found


def _refusal(path: str, what: str, code: str) -> IngestError:
    return IngestError(what, code=code, asset=path, hint="write an absolute path")
