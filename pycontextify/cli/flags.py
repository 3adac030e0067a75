"""Which settings each verb takes on the command line, and the straight way from there to serving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pycontextify.config import SETTINGS

__all__ = ["ALL", "BOOTSTRAP", "COMMON", "EMBEDDING", "serve_flags", "spelled_out", "with_default_verb"]

ALL = frozenset(setting.name for setting in SETTINGS if setting.flag is not None)
"""Every setting that has a flag."""

COMMON = frozenset({"config", "index_dir", "index_name", "log_level"})
"""What every verb takes."""

EMBEDDING = frozenset(name for name in ALL if name.startswith("embedding_"))
BOOTSTRAP = frozenset(name for name in ALL if name.startswith("index_bootstrap_"))

_VERB = "serve"
_NO_VERB_NEEDED = frozenset({"--help", "-h", "--version"})
_STANDING_ALONE = frozenset(setting.flag for setting in SETTINGS if setting.stands_alone)


def spelled_out(arguments: Sequence[str]) -> list[str]:
    """Give every flag that stands alone its value: ``--insecure`` becomes ``--insecure=true``.

    Flags with their value beside them stay as they are. Typer knows no option whose value may be left out, so this goes
    before everything else that reads the command line.
    """
    words = list(arguments)
    end = words.index("--") if "--" in words else len(words)
    for place in range(end):
        alone = place + 1 == len(words) or words[place + 1].startswith("-")
        if alone and words[place] in _STANDING_ALONE:
            words[place] = f"{words[place]}=true"
    return words


def serve_flags(arguments: Sequence[str]) -> Mapping[str, str] | None:
    """Read a command line that asks for serving and consists of settings alone: their text by their names.

    None for any other, a wrong one included: that is for typer to run or explain.
    """
    named = {setting.flag: setting.name for setting in SETTINGS if setting.flag is not None}
    rest = list(arguments[1:] if arguments[:1] == [_VERB] else arguments)
    given: dict[str, str] = {}
    while rest:
        flag, equals, value = rest.pop(0).partition("=")
        if not equals:
            value = rest.pop(0) if rest else "-"
        if flag not in named or (value.startswith("-") and not equals):
            return None
        given[named[flag]] = value
    return given


def with_default_verb(arguments: Sequence[str]) -> list[str]:
    """Put ``serve`` first where no verb is named."""
    first = arguments[0] if arguments else "-"
    return [_VERB, *arguments] if first.startswith("-") and first not in _NO_VERB_NEEDED else list(arguments)
