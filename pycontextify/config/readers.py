"""How each kind of value is read from the text a user wrote.

A reader takes text that `check_text` has passed and returns the value, or raises ConfigError with the code, what is
wrong and what to write instead. Who calls it adds where the text came from. A reader never shows a value without
redacting it: people paste secrets into the wrong place.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pycontextify.errors import ConfigError
from pycontextify.redact import redact_url
from pycontextify.snapshot.config import parse_file_name
from pycontextify.snapshot.digest import Digest, parse_digest

__all__ = [
    "HostPort",
    "check_text",
    "one_of",
    "read_bool",
    "read_channel",
    "read_digest",
    "read_file_name",
    "read_headers",
    "read_host",
    "read_host_port",
    "read_path",
    "read_port",
    "read_seconds",
    "read_size",
    "read_text",
    "refusal",
    "shown",
    "whole_number",
]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# What templates look like when nobody filled them in: ${VAR}, $(VAR) as Kubernetes writes it, {{ var }}; $VAR in
# capitals where a value or a part of a path begins (https://account.example/$web/ is an address); %VAR% and $var alone.
_TEMPLATE = re.compile(r"(\$\{|\$\(|\{\{)\s*([\w.-]*)")
_VARIABLE = re.compile(r"(?:^|[/\\=:@])(\$)([A-Z_][A-Z0-9_]+)(?![A-Za-z0-9])|^(\$)([A-Za-z_]\w*)$|^(%)([A-Za-z_]\w*)%")
_CLOSING = {"${": "}", "$(": ")", "{{": "}}", "%": "%"}
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([smhd])", re.IGNORECASE)
_LONGEST_DAYS = 365
_SIZES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_SIZE = re.compile(r"([0-9]{1,15})\s*([kmgt]i?)?b?", re.IGNORECASE)
_HEADER_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # RFC 9110, 5.6.2
_HEADER = re.compile(rf"({_HEADER_NAME}):\s*(\S.*)")
_HEADER_SEPARATOR = re.compile(rf",(?=\s*{_HEADER_NAME}:)")
# What a request says of itself; whoever sets these breaks it.
_OUR_HEADERS = re.compile(
    r"host|connection|content-.*|transfer-encoding|te|upgrade|accept-encoding|range|if-.*|expect", re.IGNORECASE
)
_TRUTH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9_])?")
_IPV6 = re.compile(r"(?=[^:]*:[^:]*:)[0-9A-Fa-f:.]{2,45}(?:%[\w.-]{1,32})?", re.ASCII)
_FILE_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?")
# Windows opens a device under these names, whatever the suffix.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HostPort:
    """Where to listen. ``host`` is a name or an IP address, an IPv6 one without brackets; port 0 means any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def refusal(what: str, hint: str, code: str = "config_value") -> ConfigError:
    """Build the error of a reader: ``what`` goes on after the setting's name, ``hint`` says what to write instead."""
    return ConfigError(what, code=code, hint=hint)


def shown(text: str, most: int = 80) -> str:
    """Return a value fit for a message: redacted, on one line, cut at ``most`` characters, in quotes."""
    visible = redact_url(text)
    return f"'{visible[: most - 3]}...'" if len(visible) > most else f"'{visible}'"


def check_text(text: str, *, secret: bool = False) -> str:
    """Strip white space; refuse what no setting can mean: nothing, an unset variable, control characters, quotes."""
    stripped = text.strip()
    if not stripped:
        raise refusal("is empty", "give it a value, or leave it out")
    if variable := _unset_variable(stripped, secret=secret):
        raise refusal(
            f"holds {variable} literally, so nothing has put a value there",
            "set that variable where the value is expanded, or write the value itself",
            "config_unset_variable",
        )
    if _CONTROL.search(stripped):
        raise refusal("holds a line break or another control character", "write it on one line")
    if len(stripped) > 1 and stripped[0] == stripped[-1] and stripped[0] in "\"'":
        raise refusal("has quotation marks around it", "write it without them")
    return stripped


def _unset_variable(text: str, *, secret: bool) -> str | None:
    """Return how an unset variable in the text is written, fit for a message, or None.

    ``$NAME`` can be a part of a password too: it is named only where no credentials can be.
    """
    if found := _TEMPLATE.search(text):
        return f"{found[1]}{found[2]}{_CLOSING[found[1]]}"
    if found := _VARIABLE.search(text):
        sign, name = (group for group in found.groups() if group is not None)
        if secret or "@" in text or re.search(r"[?#]", text[: found.start()]):
            return "a $VARIABLE"
        return f"{sign}{name}{_CLOSING.get(sign, '')}"
    return None


def read_text(text: str) -> str:
    """Read text that may be anything."""
    return text


def one_of(*choices: str) -> Callable[[str], str]:
    """Return a reader of one word out of ``choices``, in either case."""
    canonical = {choice.casefold(): choice for choice in choices}
    listed = f"{', '.join(choices[:-1])} or {choices[-1]}"

    def read(text: str) -> str:
        if (choice := canonical.get(text.casefold())) is not None:
            return choice
        near = difflib.get_close_matches(text[:80].casefold(), canonical, n=1)
        meant = f" (did you mean {canonical[near[0]]}?)" if near else ""
        raise refusal(f"{shown(text)} is not one of its values", f"write {listed}{meant}")

    return read


def read_bool(text: str) -> bool:
    """Read true or false, as people write them: yes, no, on, off, 1, 0 too."""
    if (value := _TRUTH.get(text.lower())) is None:
        raise refusal(f"{shown(text)} is neither true nor false", "write true or false")
    return value


def read_digest(text: str) -> Digest:
    """Read a SHA-256: 64 hex digits, with or without ``sha256:``. The text is not shown: it may be anything."""
    digits = text.lower().removeprefix("sha256:")
    wrong = f"{len(digits)} characters" if len(digits) != 64 else "characters that are not hex digits"
    try:
        return parse_digest(text)
    except ValueError:
        # Not chained: that message quotes the text.
        raise refusal(
            f"is no SHA-256 digest of 64 hex digits: it has {wrong}",
            "write the 64 hex digits that sha256sum prints",
            "config_digest",
        ) from None


def read_seconds(text: str) -> float:
    """Read a duration such as ``30s``, ``5m``, ``1h`` or ``1d``; between a second and a year. Returns seconds."""
    hint = "write a number and its unit, such as 30s, 5m or 1h"
    if (match := _DURATION.fullmatch(text)) is None:
        raise refusal(f"{shown(text)} is not a duration", hint)
    seconds = float(match[1]) * _UNITS[match[2].lower()]
    if not 1 <= seconds <= _LONGEST_DAYS * _UNITS["d"]:
        raise refusal(f"{shown(text)} is not between 1s and {_LONGEST_DAYS}d", hint)
    return seconds


def read_size(text: str) -> int:
    """Read a size such as ``64GiB`` or ``500MB``; at least a byte. Returns bytes."""
    match = _SIZE.fullmatch(text)
    size = int(match[1]) * _SIZES[(match[2] or "").lower()] if match else 0
    if not 1 <= size < 2**60:
        raise refusal(f"{shown(text)} is not a size", "write a number and its unit, such as 500MB or 64GiB")
    return size


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Return a reader of whole numbers from ``least`` to ``most``."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise refusal(f"{shown(text)} is not a number from {least} to {most}", f"write {least} to {most}")
        return int(text)

    return read


def read_headers(text: str) -> tuple[tuple[str, str], ...]:
    """Read ``Name: value``, or several, comma-separated. What is wrong is never shown: values are secrets."""
    headers: list[tuple[str, str]] = []
    for number, piece in enumerate(_HEADER_SEPARATOR.split(text), start=1):
        match = _HEADER.fullmatch(piece.strip())
        if match is None:
            raise refusal(f"has a header (number {number}) that is none", "write Name: value, and a comma between two")
        if _OUR_HEADERS.fullmatch(match[1]):
            raise refusal(f"sets {match[1]}, which every request sets itself", "leave that one out")
        if not match[2].isascii():
            raise refusal(f"has a value for {match[1]} that is not ASCII", "encode it as its receiver expects")
        headers.append((match[1], match[2]))
    return tuple(headers)


def read_port(text: str) -> int:
    """Read a TCP port; 0 means any free one."""
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65535:
        raise refusal(f"{shown(text)} is not a port", "write a number from 0 to 65535 (0: any free port)")
    return int(text)


def read_host(text: str) -> str:
    """Read the name or IP address of an interface; an IPv6 address with or without brackets."""
    host = text.removeprefix("[").removesuffix("]")
    if _IPV6.fullmatch(host) or _HOST.fullmatch(text):
        return host
    raise refusal(f"{shown(text)} is not a host name or IP address", "write 127.0.0.1, ::1 or 0.0.0.0, say")


def read_host_port(text: str) -> HostPort:
    """Read ``HOST:PORT``; an IPv6 host in brackets."""
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not host or (":" in host and not bracketed):
        raise refusal(f"{shown(text)} is not HOST:PORT", "write 127.0.0.1:8765 or [::1]:8765, say")
    return HostPort(read_host(host), read_port(port))


def read_path(text: str) -> Path:
    """Read a path of the file system; ``~`` is the home directory. It may be relative still."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text):
        raise refusal(f"{shown(text)} is an address", "write the path of a local directory or file")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise refusal(f"{shown(text)} starts at a home directory that is not known", "write an absolute path") from None


def read_channel(text: str) -> str:
    """Read the name of a channel."""
    try:
        return parse_file_name(text)
    except ValueError:
        raise refusal(
            f"{shown(text)} is no name of a channel", "write letters, digits, '.', '_' or '-', such as my-project.main"
        ) from None


def read_file_name(text: str) -> str:
    """Read a name that is a file name on every system: ASCII letters, digits, ``.``, ``_`` and ``-``, at most 64."""
    if not _FILE_NAME.fullmatch(text) or _DEVICE.fullmatch(text):
        raise refusal(
            f"{shown(text)} is not usable as a file name everywhere",
            "write letters, digits, '.', '_' or '-', such as my-project (64 at most, a letter or digit first)",
        )
    return text
