"""The encoder: whether it opens, how long a sentence takes it, and whether it belongs to the index."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from pycontextify.errors import NotReadyError, PyContextifyError
from pycontextify.index.view import View
from pycontextify.library.doctor.finding import Finding, Level
from pycontextify.library.workspace import Workspace

__all__ = ["examine_encoder"]

_SENTENCE = "where is the retry policy"
_SLOW_SECONDS = 2.0


def examine_encoder(workspace: Workspace, monotonic: Callable[[], float] = time.monotonic) -> Iterator[Finding]:
    """Embed a sentence as a server would: with the index's encoder, or where there is no index, the settings' own.

    Blocks. What is wrong with the index itself is not told here.
    """
    try:
        view = workspace.open_current()
    except PyContextifyError:
        yield _found("encoder_untried", "the index can't be opened, and so not its encoder either", level="note")
        return
    if view is None:
        yield from _of_settings(workspace, monotonic)
        return
    try:
        yield from _of_index(view, monotonic)
    finally:
        view.close()


def _of_index(view: View, monotonic: Callable[[], float]) -> Iterator[Finding]:
    name = view.config.encoder.id
    began = monotonic()
    try:
        if view.degraded is None:
            view.embed(_SENTENCE)
            view.embed(_SENTENCE)
    except NotReadyError as error:
        yield _found("encoder_failed", str(error), _WORDS, "warning")
        return
    if view.degraded is not None:
        yield _found("encoder_missing", view.degraded, _WORDS, "warning")
        return
    yield _timed(f"{name}, which the index was built with, embeds a sentence", (monotonic() - began) / 2)


def _of_settings(workspace: Workspace, monotonic: Callable[[], float]) -> Iterator[Finding]:
    try:
        encoder = workspace.local_encoder()
        began = monotonic()
        encoder.embed_query(_SENTENCE)
    except PyContextifyError as error:
        yield _found(error.code, str(error), "without it nothing can be indexed here", "warning")
        return
    yield _timed(f"{encoder.info.id} embeds a sentence", monotonic() - began)


_WORDS = "until then words alone are searched"


def _timed(what: str, seconds: float) -> Finding:
    told = f"{what} in {seconds * 1000:.0f} ms"
    if seconds > _SLOW_SECONDS:
        return _found(
            "encoder_slow", told, "every search takes as long: look at the service, or at this machine", "warning"
        )
    return _found("encoder", told, level="ok")


def _found(code: str, what: str, hint: str = "", level: Level = "ok") -> Finding:
    return Finding(code, what, hint, area="encoder", level=level)
