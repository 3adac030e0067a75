"""Making a function a verb: options for its settings, from the one list of settings there is."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Annotated, Any

import typer

from pycontextify.cli.running import VERB_LOG_LEVEL, run_quietly, run_verb
from pycontextify.config import SETTINGS, Setting

__all__ = ["AsJson", "AsLines", "command", "examples", "verb"]

AsJson = Annotated[bool, typer.Option("--json", help="print JSON on standard output")]
"""The option of every verb whose output is of use to programs: one JSON document."""

AsLines = Annotated[bool, typer.Option("--json", help="print JSON on standard output, a line for each event")]
"""The same for a verb that takes its time; see `pycontextify.cli.lines`."""

_VERB_DEFAULTS = {"log_level": VERB_LOG_LEVEL}
"""Where a verb that ends by itself differs from serving."""


def verb(settings: Collection[str], *, interrupted: str) -> Callable[[Callable[..., int | None]], Callable[..., None]]:
    """Make a function a typer command that also takes these settings' options.

    The function's parameter ``settings`` is what they, the environment and the file give; its other parameters are the
    verb's own. What it returns is the exit code, None for 0. ``interrupted`` is for `run_verb`.
    """

    def decorate(run: Callable[..., int | None]) -> Callable[..., None]:
        def start(flags: dict[str, object], own: dict[str, Any]) -> int:
            work = run_quietly(lambda loaded: partial(run, settings=loaded)(**own))
            return run_verb(flags, work, interrupted=interrupted)

        return command(settings, run, start, defaults=_VERB_DEFAULTS)

    return decorate


def command(
    settings: Collection[str],
    like: Callable[..., object],
    start: Callable[[dict[str, object], dict[str, Any]], int],
    *,
    defaults: Mapping[str, str],
) -> Callable[..., None]:
    """Return a typer command with the name, help and parameters of ``like``, and options for these settings.

    ``start`` is given the settings' flags and the other parameters, and returns the exit code. ``defaults`` are told in
    place of the settings' own.
    """
    taken = [setting for setting in SETTINGS if setting.name in settings]

    def run(**given: Any) -> None:
        flags = {setting.name: given.pop(setting.name) for setting in taken}
        raise typer.Exit(start(flags, given))

    own = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in inspect.signature(like, eval_str=True).parameters.values()
        if parameter.name != "settings"
    ]
    run.__name__, run.__doc__, run.__annotations__ = like.__name__, like.__doc__, {}
    signature = inspect.Signature([*own, *(_parameter(setting, defaults) for setting in taken)])
    run.__signature__ = signature  # type: ignore[attr-defined]  # inspect looks for it; functions do not declare it
    return run


def _parameter(setting: Setting, defaults: Mapping[str, str]) -> inspect.Parameter:
    default = defaults.get(setting.name, setting.default)
    shown = f" (default: {default})" if default else ""
    option = typer.Option(setting.flag or "", metavar=setting.form, help=setting.help + shown)
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(setting.name, kind, default=None, annotation=Annotated[str | None, option])


def examples(lines: Collection[str]) -> str:
    """Return the end of a help text: examples, a line each."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])
