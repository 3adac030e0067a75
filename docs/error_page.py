"""The page of error codes: what is said, with the hint that comes with it, grouped by what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from docs.advice import ADVICE
from docs.codes import Code, codes, exit_code, family
from docs.written import WRITTEN, page
from pycontextify import errors

__all__ = ["error_page"]

_GROUPS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "Settings and arguments",
        "Stop, and correct what the message names.",
        ("ConfigError",),
    ),
    (
        "Passing trouble with a source",
        "It is tried again by itself: three times at once with growing pauses, then after half a minute, one, two … a quarter "
        "of an hour.",
        ("TransientFetchError", "FetchError"),
    ),
    (
        "A source that does not give",
        "Asking again at once would get the same answer. The next look is after a quarter of an hour, or when somebody calls "
        "`rehydrate`.",
        ("PermanentFetchError",),
    ),
    (
        "Rejected",
        "The source answered, and what it gave must not be used. What was served goes on being served.",
        ("SnapshotRejected", "VerifyError", "UntrustedError", "ExtractError", "ValidateError"),
    ),
    ("The index directory", "Somebody has to look at the disk.", ("StoreError",)),
    ("Not there yet", "Ask again later, or do without.", ("NotReadyError",)),
    ("Indexing", "Correct what was asked to be indexed.", ("IngestError",)),
    ("Answers over HTTP", '`{"error": {"code": …, "message": …}}`, with the status that is named.', ("HTTP",)),
    (
        "Answers of tools",
        "Errors that an assistant sees; their code is in the text and in `_meta`.",
        ("answer of a tool",),
    ),
    ("Findings of `pycontextify doctor`", "With `--json`: `code`, `what`, `hint`.", ("finding of doctor",)),
    ("Everything else", "", ("PyContextifyError", "Exception", "any other")),
)


def error_page() -> str:
    """Every stable code, grouped by what to do next."""
    found = codes()
    parts = [
        "---",
        "hide: [toc]",
        "---",
        "",
        "# Error codes",
        "",
        "Every error says what happened, to which asset, and what to do, and carries a code that stays the same: in the status "
        "document (`hydration.last_error.code`), in the answers of tools, at the end of a command's message in square brackets, "
        "in logs. Scripts and alerts may match on it. Here `…` stands for what differs from case to case.",
        "",
        "The command line ends with 0 when all went well, 1 for a failure, 2 for a mistake in settings or arguments, 3 when what "
        "the source gave was rejected, 4 when it could not be reached, 130 when it was interrupted.",
        "",
    ]
    families = {kind: family(kind) for code in found for kind in code.kinds}
    told: set[str] = set()
    for title, about, kinds in _GROUPS:
        here = [
            code for code in found if code.code not in told and any(_within(families[k], kinds) for k in code.kinds)
        ]
        told |= {code.code for code in here}
        if here:
            parts += [f"## {title}", "", *([about, ""] if about else ())]
            for code in here:
                parts += _error(code, families)
    if missing := {code.code for code in found} - told:
        raise ValueError(f"no group of the page has {missing}")
    return page(*parts).replace(f"{WRITTEN}\n\n---\nhide: [toc]\n---\n", f"---\nhide: [toc]\n---\n\n{WRITTEN}\n", 1)


def _within(kind: str, kinds: Iterable[str]) -> bool:
    return any(kind == each or (each == "HTTP" and kind.startswith("HTTP")) for each in kinds)


def _error(code: Code, families: Mapping[str, str]) -> Iterator[str]:
    yield f"### `{code.code}` {{ #{_anchor(code.code)} }}"
    yield ""
    yield f"{', '.join(_kind(kind, families[kind]) for kind in code.kinds)}."
    together = len(_hints_of(code)) == 1
    for number, (says, hint) in enumerate(_messages(code)):
        if says != _GAP or not together:
            told = f": {_escaped(hint)}" if hint and not together else ""
            yield f"{chr(10) if number == 0 else ''}- *{_escaped(says)}*{told}"
    if together:
        yield ""
        yield f"What to do: {_escaped(_hints_of(code)[0])}.".replace("….", "…")
    if code.code in ADVICE:
        yield ""
        yield ADVICE[code.code]
    yield ""


_GAP = "…"


def _hints_of(code: Code) -> list[str]:
    return [hint for hint in code.hints if hint != _GAP]


def _messages(code: Code) -> Iterator[tuple[str, str]]:
    """Yield each message with the hints that come with it; those of messages that nobody can foretell stand under …"""
    told: dict[str, list[str]] = {}
    for says, hint in code.messages:
        hints = told.setdefault(says or _GAP, [])
        hints += [hint] if hint and hint not in (*hints, _GAP) else []
    yield from ((says, "; or ".join(hints)) for says, hints in told.items() if says != _GAP or hints)


def _anchor(code: str) -> str:
    return code.replace(_GAP, "status").replace("_", "-")


def _kind(kind: str, known: str) -> str:
    ends = exit_code(known)
    name = f"`{kind}`" if hasattr(errors, known) or kind != known else kind
    return f"{name} (exit code {ends})" if ends is not None else name[0].upper() + name[1:]


def _escaped(text: str) -> str:
    """Escape what Markdown would take for its own, but for code in backquotes."""
    pieces = text.split("`")
    plain = [piece.replace("*", r"\*").replace("_", r"\_").replace("<", "&lt;") for piece in pieces[::2]]
    pieces[::2] = plain
    return "`".join(pieces)
