"""What there is to know about a setting, whichever it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pycontextify.config.readers import read_bool

__all__ = ["Setting", "about", "about_list"]


@dataclass(frozen=True, slots=True)
class Setting:
    """What there is to know about a setting.

    ``read`` turns text into the value; ``form`` shows what to write, as a help text's metavar does. ``default`` is in
    that form too; without one the value is ``absent``, unless the help says how another is found. ``separator`` stands
    between the items of a list. ``name`` is the key in the TOML file and the field of `Settings`. ``load`` turns what
    was read, its paths made absolute, into the value where that takes a look at files.
    """

    read: Callable[[str], object]
    form: str
    help: str
    default: str | None = None
    absent: object = None
    secret: bool = False
    flag_name: str | None = None
    separator: str = ","
    name: str = ""
    load: Callable[[Any], object] | None = None

    @property
    def env(self) -> str:
        """The environment variable."""
        return f"PYCONTEXTIFY_{self.name.upper()}"

    @property
    def flag(self) -> str | None:
        """The command line's flag; a secret has none, since flags show in process lists."""
        return None if self.secret else f"--{self.flag_name or self.name.replace('_', '-')}"

    @property
    def stands_alone(self) -> bool:
        """Whether the flag without a value means true."""
        return self.read is read_bool

    @property
    def in_file(self) -> bool:
        """Whether the TOML file may hold it: all but its own place."""
        return self.name != "config"


def about(
    read: Callable[[str], object],
    form: str,
    text: str,
    *,
    default: str | None = None,
    secret: bool = False,
    flag_name: str | None = None,
) -> dict[str, Setting]:
    """Return the metadata of the field of `Settings` that holds a setting's value."""
    return {"setting": Setting(read, form, text, default, secret=secret, flag_name=flag_name)}


def about_list(
    read: Callable[[str], object], form: str, text: str, *, load: Callable[[Any], object] | None = None
) -> dict[str, Setting]:
    """Return the same for a setting of any number of values."""
    return {"setting": Setting(read, form, text, absent=(), load=load)}
