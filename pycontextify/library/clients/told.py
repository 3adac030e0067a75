"""A change of a client's file, to be looked at: a unified diff that shows no secret of other entries. Pure.

Lines that stay are there to find one's way: of what is in quotes there, names are shown, and values are not.
"""

from __future__ import annotations

import difflib
import re

from pycontextify.redact import one_line, redact_url

__all__ = ["diff_of"]

# A member whose name says that its value is for nobody else, up to the end of that value; "x": "…", x = '…'.
_SECRET = re.compile(
    r"""((["']?)[\w.-]*(?:token|key|secret|passw|auth|credential|cookie)[\w.-]*\2\s*[:=]\s*)("(?:[^"\\]|\\.)*"|'[^']*')""",
    re.IGNORECASE,
)
# What says where a value is to come from, and public keys, are no secrets.
_HARMLESS = re.compile(r"""["']\$\{[^}]*\}["']""")
_QUOTED = re.compile(r"""("(?:[^"\\]|\\.)*"|'[^']*')(\s*[:=])?""")
_LEFT_OUT = '"…"'
_REF = re.compile(r"[\w.-]{1,128}")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>,]+")


def diff_of(before: str | None, after: str, name: str) -> str:
    """Return how a file changes, as diff(1) shows it; None stands for one that is not there."""
    old, new = (_shown(text) for text in (before or "", after))
    label = one_line(name)
    lines = list(difflib.unified_diff(old, new, "/dev/null" if before is None else label, label, lineterm=""))
    # What only gets a comma, or loses one, stays as well.
    gone, come = ({line[1:].rstrip(",") for line in lines if line[0] == sign} for sign in "-+")
    stays = {*gone & come, *(line[1:].rstrip(",") for line in lines if line[0] == " ")}
    return "".join(f"{_quiet(line) if line[1:].rstrip(',') in stays else line}\n" for line in lines)


def _quiet(line: str) -> str:
    return _QUOTED.sub(lambda hit: hit[0] if hit[2] else _LEFT_OUT, line)


def _shown(text: str) -> list[str]:
    return [_masked(one_line(line.replace("\t", "    "))) for line in text.removesuffix("\n").split("\n") if text]


def _masked(line: str) -> str:
    hidden = _SECRET.sub(_hidden, line.removesuffix("\\r"))
    return _ADDRESS.sub(lambda found: _redacted(found.group()), hidden)


def _hidden(hit: re.Match[str]) -> str:
    return hit[0] if _HARMLESS.fullmatch(hit[3]) else f'{hit[1]}"***"'


def _redacted(address: str) -> str:
    """Return an address as it may be shown, with the ref that ours may have."""
    plain, mark, ref = address.partition("#")
    is_ref = mark and "@" not in address and _REF.fullmatch(ref)
    return f"{redact_url(plain)}#{ref}" if is_ref else redact_url(plain)
