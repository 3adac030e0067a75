"""From flags, environment and file to `Settings`: merge the layers, read each value, check that they fit together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import platformdirs

from pycontextify.config import layers
from pycontextify.config.origin import Given, Origin
from pycontextify.config.readers import check_text, read_path, refusal
from pycontextify.config.rules import check_together
from pycontextify.config.settings import BY_NAME, SETTINGS, Setting, Settings
from pycontextify.errors import ConfigError

__all__ = ["Places", "load_settings", "settings_of_call", "user_places"]


@dataclass(frozen=True, slots=True)
class Places:
    """Where this user's files live: the configuration file, which may not exist, and the directory for indexes.

    None for a user without a home directory.
    """

    config_file: Path | None
    indexes: Path | None


def user_places() -> Places:
    """Ask the operating system's conventions where this user's files live."""
    directory = _place(platformdirs.user_config_path)
    return Places(
        config_file=None if directory is None else directory / "config.toml",
        indexes=_place(platformdirs.user_data_path),
    )


def _place(find: Callable[..., Path]) -> Path | None:
    try:
        place = find("pycontextify", appauthor=False)
    except RuntimeError:  # a container may run under a number that no user has
        return None
    return place if place.is_absolute() else None


def load_settings(flags: Mapping[str, object], environ: Mapping[str, str], *, places: Places | None = None) -> Settings:
    """Return the settings in force: a flag goes before an environment variable, a file, and the default.

    ``flags`` maps setting names to what the command line gave, None where it gave nothing. ``places`` stands in for
    `user_places`.

    Raises ConfigError: one line that names the setting, its source, what is wrong and what to write instead. It tells
    the first mistake in the order of `SETTINGS`, and which other settings have one.
    """
    places = places or user_places()
    above = layers.from_environment(environ) | layers.from_flags(flags)
    return _settings(_from_file(above, places) | above, places, warnings=tuple(layers.unknown_variables(environ)))


def settings_of_call(arguments: Mapping[str, object]) -> Settings:
    """Return the settings of a library function's call: nothing but its arguments, by setting name, and defaults.

    ``index_dir`` must be among them. Raises ConfigError as `load_settings` does; it names the argument.
    """
    return _settings(layers.from_arguments(arguments), Places(config_file=None, indexes=None), warnings=())


def _settings(chosen: Mapping[str, Given], places: Places, *, warnings: tuple[str, ...]) -> Settings:
    given = {**layers.from_defaults(), **chosen}
    settings = Settings(
        **_placed(_read_all(given), given, places),
        origins=MappingProxyType({name: each.origin for name, each in given.items()}),
        warnings=warnings,
    )
    check_together(settings)
    return settings


def _from_file(above: Mapping[str, Given], places: Places) -> dict[str, Given]:
    """Return what the file gives that is named, or else the user's own if there is one."""
    named = above.get("config")
    if named is None:
        if places.config_file is None or not _is_file(places.config_file):
            return {}
        named = Given(places.config_file, Origin("default", "config"))
    path = cast("Path", _read_one(BY_NAME["config"], named))
    return {**layers.from_file(path, named.origin), "config": named}


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a container's user may not even look into the home directory it is given
        return False


def _read_all(given: Mapping[str, Given]) -> dict[str, Any]:
    """Read every value; raise the first mistake, which tells what else is wrong."""
    values: dict[str, Any] = {}
    mistakes: list[ConfigError] = []
    for setting in SETTINGS:
        try:
            values[setting.name] = _read_one(setting, given[setting.name])
        except ConfigError as error:
            mistakes.append(error)
    if not mistakes:
        return values
    first, *others = mistakes
    if others:
        first.hint = f"{first.hint} (also wrong: {', '.join(str(other.asset) for other in others)})"
    raise first


def _read_one(setting: Setting, given: Given) -> object:
    if given.value is None:
        return setting.absent
    try:
        read = setting.read(check_text(_as_text(setting, given.value), secret=setting.secret))
        value = _anchored_all(read, given.origin)
        return value if setting.load is None else setting.load(value)
    except ConfigError as error:
        error.asset = given.origin.subject
        raise


def _as_text(setting: Setting, value: object) -> str:
    """Return a value as it would be written in the environment, so that each kind is read in one place."""
    match value:
        case str() | Path():
            return str(value)
        case bool():
            return str(value).lower()
        case int() | float() if abs(value) < 1e15:
            return str(value)
        case list() | tuple() if setting.absent == () and all(isinstance(item, str) for item in value):
            return setting.separator.join(value)
        case _:
            kind = {"dict": "a table", "list": "a list"}.get(type(value).__name__, "not a text, number or truth value")
            raise refusal(f"is {kind}", "write it as one text, in quotes")


def _anchored_all(value: object, origin: Origin) -> object:
    match value:
        case Path():
            return _anchored(value, origin)
        case tuple():
            return tuple(_anchored(item, origin) if isinstance(item, Path) else item for item in value)
        case _:
            return value


def _anchored(path: Path, origin: Origin) -> Path:
    """Return the path made absolute: in a file, it starts from the file's directory."""
    try:
        return (origin.file.parent / path if origin.file else path).absolute()
    except OSError:
        raise refusal("is relative, and the working directory is gone", "write an absolute path") from None


def _placed(values: dict[str, Any], given: Mapping[str, Given], places: Places) -> dict[str, Any]:
    """Complete what depends on something else: defaults that are directories, and a model that is one."""
    if values["index_dir"] is None:
        if places.indexes is None:
            raise ConfigError(
                "this user has no home directory to keep an index in",
                code="config_missing",
                asset="default of index_dir",
                hint="give --index-path or PYCONTEXTIFY_INDEX_DIR",
            )
        values["index_dir"] = places.indexes / values["index_name"]
    if not values["allowed_roots"]:
        values["allowed_roots"] = _working_directory()
    if values["embedding_provider"] == "onnx" and values["embedding_model"] is not None:
        as_path = replace(BY_NAME["embedding_model"], read=read_path)
        values["embedding_model"] = str(_read_one(as_path, given["embedding_model"]))
    return values


def _working_directory() -> tuple[Path, ...]:
    """Return the one root that is allowed by default; none where it would be everything: editors start servers in /."""
    try:
        here = Path.cwd()
    except OSError:  # it is gone
        return ()
    return () if here == Path(here.anchor) else (here,)
