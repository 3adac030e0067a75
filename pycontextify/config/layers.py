"""The layers that settings come from: what each gives, unread, under the setting's name."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pycontextify.config.origin import Given, Origin
from pycontextify.config.settings import SETTINGS, Setting
from pycontextify.errors import ConfigError
from pycontextify.redact import one_line

__all__ = [
    "argument_of",
    "from_arguments",
    "from_defaults",
    "from_environment",
    "from_file",
    "from_flags",
    "unknown_variables",
]


def from_defaults() -> dict[str, Given]:
    """Return the default of each setting, as text; None where it has none."""
    return {setting.name: Given(setting.default, Origin("default", setting.name)) for setting in SETTINGS}


def from_flags(flags: Mapping[str, object]) -> dict[str, Given]:
    """Return what the command line gives, by setting name; None stands for a flag that was not used.

    Raises ConfigError for a name that is no setting.
    """
    written = {setting.name: setting.flag or setting.name for setting in SETTINGS}
    for name in flags:
        if name not in written:
            raise _unknown(Origin("flag", name), name)
    return {name: Given(value, Origin("flag", written[name])) for name, value in flags.items() if value is not None}


def from_arguments(arguments: Mapping[str, object]) -> dict[str, Given]:
    """Return what the caller of a library function gives, by setting name; None stands for what was left out."""
    return {
        name: Given(value, Origin("argument", argument_of(name)))
        for name, value in arguments.items()
        if value is not None
    }


def argument_of(name: str) -> str:
    """Return what the library's functions call a setting. They have no provider: an address chooses the service."""
    return "embedding_url" if name == "embedding_provider" else name.removeprefix("index_bootstrap_")


def from_environment(environ: Mapping[str, str]) -> dict[str, Given]:
    """Return what the environment gives. An empty variable counts as unset: container tools leave such."""
    return {
        setting.name: Given(environ[setting.env], Origin("environment", setting.env))
        for setting in SETTINGS
        if environ.get(setting.env, "").strip()
    }


def unknown_variables(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each variable that looks like one of ours and is none. Values are not shown."""
    known = {setting.env for setting in SETTINGS}
    for name in sorted(environ):
        if name.upper().startswith("PYCONTEXTIFY_") and name not in known:
            meant = _nearest(name, SETTINGS)
            hint = f"did you mean {meant.env}?" if meant else "it changes nothing"
            yield one_line(f"environment {name}: there is no such setting; {hint}")


def from_file(path: Path, named_by: Origin) -> dict[str, Given]:
    """Return what a TOML file gives: flat keys, named as the settings.

    ``named_by`` tells who named the file. Raises ConfigError when it can't be read, is not TOML, or holds an unknown
    key.
    """
    keys = {setting.name for setting in SETTINGS if setting.in_file}
    given: dict[str, Given] = {}
    for key, value in _parse(_read(path, named_by), path).items():
        origin = Origin("file", key, path)
        if key not in keys:
            raise _unknown(origin, key)
        given[key] = Given(value, origin)
    return given


def _read(path: Path, named_by: Origin) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # editors on Windows put a byte order mark first
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(
            one_line(f"can't read {path}: {reason}"),
            code="config_file",
            asset=named_by.subject,
            hint="name a readable TOML file",
        ) from error


def _parse(text: str, path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(
            one_line(f"is not TOML: {error}"),
            code="config_file",
            asset=one_line(f"file {path}"),
            hint='write lines such as index_dir = "/srv/index"',
        ) from error


def _unknown(origin: Origin, name: str) -> ConfigError:
    meant = _nearest(name, [setting for setting in SETTINGS if setting.in_file])
    hint = f"did you mean {meant.name}?" if meant else "`pycontextify config show` lists all settings; they are flat"
    return ConfigError("there is no such setting", code="config_unknown_key", asset=origin.subject, hint=hint)


def _nearest(name: str, settings: Iterable[Setting]) -> Setting | None:
    """Return the setting that a name nearly is, whichever way it is written: key, flag or variable."""
    named = {setting.name: setting for setting in settings}
    named |= {setting.flag.lstrip("-").replace("-", "_"): setting for setting in named.values() if setting.flag}
    plain = name.lower().replace("-", "_").strip("_").removeprefix("pycontextify_")
    return next((named[near] for near in difflib.get_close_matches(plain[:80], named, n=1, cutoff=0.7)), None)
