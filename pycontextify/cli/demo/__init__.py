"""``pycontextify demo``: the main job on real input, before one's eyes.

==============  =====================================================================
module          job
==============  =====================================================================
``story``       the order of things, and what each step must show
``build``       indexing and publishing: what a CI job does
``host``        a static host on loopback, slowed down so that one can watch
``child``       the real server, as a process of its own
``client``      a real MCP client
``watch``       following /status
``told``        the account of it, in words
``checks``      what to say when a step does not show what it should
==============  =====================================================================
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from pycontextify.cli.screen import drawing_to
from pycontextify.cli.verbs import verb
from pycontextify.config import Settings
from pycontextify.errors import ConfigError

__all__ = ["EXAMPLES", "demo"]

EXAMPLES = (
    "pycontextify demo",
    "pycontextify demo --docs README.md --docs docs --keep /tmp/demo",
)


@verb({"log_level"}, interrupted="everything that the demo started has ended, nothing is left behind but a --keep DIR")
def demo(
    settings: Settings,
    docs: Annotated[
        list[Path] | None, typer.Option(metavar="PATH", exists=True, help="also index this; may be repeated")
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(metavar="DIR", file_okay=False, help="work in this empty directory and leave it there"),
    ] = None,
) -> None:
    """Show it all: index, publish, hydrate, search, hot-swap.

    Indexes four packages of Python's standard library, publishes the index, lets a real server hydrate from it while
    an MCP client asks, and then changes something. Takes a minute or two, and touches nothing outside its directory.
    """
    from pycontextify.cli.demo.story import tell

    # A proxy knows nothing of what runs on loopback, and the demo talks to nobody else.
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    with _ending_as_on_ctrl_c(), _workplace(keep) as place:
        tell(place, [path.resolve() for path in docs or ()], drawing_to(settings))


@contextlib.contextmanager
def _ending_as_on_ctrl_c() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does, so that the server is not left behind when a CI job is cancelled."""
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _workplace(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="pycontextify-demo-", ignore_cleanup_errors=True) as temporary:
            yield Path(temporary).resolve()
        return
    keep.mkdir(parents=True, exist_ok=True)
    if any(keep.iterdir()):
        raise ConfigError("is not empty", code="usage", asset="--keep", hint="name an empty or a new directory")
    yield keep.resolve()
