"""Every stable error code of the package, found where it is written: the syntax trees of the modules are walked.

A code is written in one of four ways: with the error that is raised (``code="…"``), as the default of an error's class, in
a table beside its class, or as an argument of a function that makes the error. What is none of these is in `BY_HAND`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pycontextify import errors

__all__ = ["BY_HAND", "PACKAGE", "Code", "codes", "exit_code", "family"]

PACKAGE = Path(errors.__file__).resolve().parent
_GAP = "…"


@dataclass(frozen=True, slots=True)
class Code:
    """A code, the errors that carry it, and what they say: patterns, with … for what differs from case to case."""

    code: str
    kinds: tuple[str, ...]
    messages: tuple[tuple[str | None, str | None], ...]
    """What is said, and the hint that comes with it."""

    @property
    def says(self) -> tuple[str, ...]:
        """All that is said, each once."""
        return tuple(dict.fromkeys(says for says, _ in self.messages if says))

    @property
    def hints(self) -> tuple[str, ...]:
        """All hints, each once."""
        return tuple(dict.fromkeys(hint for _, hint in self.messages if hint))


@dataclass(frozen=True, slots=True)
class _Use:
    code: str
    kind: str
    says: str | None = None
    hint: str | None = None


BY_HAND = (
    _Use("http_…", "TransientFetchError", "the server answered … (408, 425, 429 and all from 500 up)"),
    _Use("http_…", "PermanentFetchError", "the server answered … (all others)"),
    _Use(
        "encoder_refused", "NotReadyError", "the embedding endpoint answered …", "check the API key, address and model"
    ),
    _Use("encoder_unreachable", "NotReadyError", "the embedding endpoint answered … (408, 429 and all from 500 up)"),
    _Use("request_too_slow", "HTTP 408", "the request took too long to arrive"),
    _Use(
        "index_empty",
        "finding of doctor",
        "there is no index in …",
        "index something into it, or name a source to fetch one from",
    ),
    _Use("index_recovered", "finding of doctor", "what is served is only what was left", "hydrate again"),
    *(
        _Use(f"blob_{kind}", "finding of doctor", f"the blob … {said}", "hydrate again: it is fetched alone")
        for kind, said in (
            ("missing", "is not there"),
            ("size", "has another size than it should"),
            ("rotten", "has other bytes than it should"),
            ("unreadable", "can't be read"),
        )
    ),
    _Use("internal", "any other", "unexpected …", "--log-level DEBUG shows where"),
)
"""What no rule below finds."""


@cache
def codes(package: Path = PACKAGE) -> tuple[Code, ...]:
    """Return every code of a package, in alphabetical order."""
    trees = _trees(package)
    kinds = frozenset(_error_classes(trees))
    uses = [*BY_HAND]
    makers = {name: maker for tree in trees for name, maker in _makers(tree, kinds).items()}
    for tree in trees:
        uses += _defaults(tree, kinds)
        uses += _raised(tree, kinds)
        uses += _tabled(tree, kinds)
        uses += _made(tree, {**makers, **_makers(tree, kinds)})
    return tuple(_code(code, [use for use in uses if use.code == code]) for code in sorted({use.code for use in uses}))


def family(kind: str, package: Path = PACKAGE) -> str:
    """Return the class in `pycontextify.errors` that an error is, or derives from; what is no error of ours as it is."""
    known, bases = set(errors.__all__), _bases(package)
    while kind not in known and kind in bases:
        kind = bases[kind]
    return kind


@cache
def _bases(package: Path) -> Mapping[str, str]:
    """Return the class that each class of a package derives from first."""
    classes = (node for tree in _trees(package) for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    return {node.name: _name(node.bases[0]) or "" for node in classes if node.bases}


def exit_code(kind: str) -> int | None:
    """Return what the command line ends with for a class of `pycontextify.errors`; None for what is none."""
    found = getattr(errors, kind, None)
    return found.exit_code if found is not None else None


@cache
def _trees(package: Path) -> tuple[ast.Module, ...]:
    return tuple(ast.parse(path.read_text(encoding="utf-8")) for path in sorted(package.rglob("*.py")))


def _code(code: str, uses: Iterable[_Use]) -> Code:
    listed = list(uses)
    return Code(
        code,
        tuple(sorted({use.kind for use in listed})),
        tuple(dict.fromkeys((use.says, use.hint) for use in listed if use.says or use.hint)),
    )


def _error_classes(trees: Iterable[ast.Module]) -> Iterator[str]:
    """Yield the names of our errors: the root, and every class that derives from one."""
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    known = {"PyContextifyError"}
    while True:
        more = {each.name for each in classes if any(_name(base) in known for base in each.bases)} - known
        if not more:
            break
        known |= more
    yield from known


def _defaults(tree: ast.Module, kinds: frozenset[str]) -> Iterator[_Use]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name in kinds:
            for line in node.body:
                targets = line.targets if isinstance(line, ast.Assign) else [getattr(line, "target", None)]
                value = getattr(line, "value", None)
                if any(_name(target) == "default_code" for target in targets) and isinstance(value, ast.Constant):
                    yield _Use(str(value.value), node.name)


def _raised(tree: ast.Module, kinds: frozenset[str]) -> Iterator[_Use]:
    for call in _calls(tree):
        given = {each.arg: each.value for each in call.keywords}
        name = _name(call.func)
        if name in kinds and (code := _text(given.get("code"))):
            yield _Use(code, name, _pattern(call.args[0] if call.args else None), _pattern(given.get("hint")))
        if name == "Refusal" and len(call.args) == 3 and (code := _text(call.args[1])):
            yield _Use(code, f"HTTP {_pattern(call.args[0])}", _pattern(call.args[2]))
        if name == "_failure" and len(call.args) == 2 and (code := _text(call.args[1])):
            yield _Use(code, "answer of a tool", _pattern(call.args[0]))


def _tabled(tree: ast.Module, kinds: frozenset[str]) -> Iterator[_Use]:
    """Yield rows such as ``(SomeForeignError, OurError, "code", "what it means")``."""
    for row in ast.walk(tree):
        if isinstance(row, ast.Tuple) and len(row.elts) == 4:
            kind, code, says = _name(row.elts[1]), _text(row.elts[2]), _text(row.elts[3])
            if kind in kinds and code and says:
                yield _Use(code, kind, says)


@dataclass(frozen=True, slots=True)
class _Maker:
    """A function that makes an error: of which kind, and which of its parameters is the code."""

    kind: str
    parameters: tuple[str, ...]
    default: str | None
    says: str
    """What its errors say, with … for its parameter ``what``."""


def _makers(tree: ast.Module, kinds: frozenset[str]) -> Mapping[str, _Maker]:
    found: dict[str, _Maker] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            ordered = [*node.args.args, *node.args.kwonlyargs]
            names = tuple(each.arg for each in ordered)
            if "code" not in names:
                continue
            defaults = dict(
                zip(names[: len(node.args.args)][::-1], map(_text, node.args.defaults[::-1]), strict=False)
            ) | dict(zip((each.arg for each in node.args.kwonlyargs), map(_text, node.args.kw_defaults), strict=True))
            for call in _calls(node):
                kind = _name(call.func)
                if kind in kinds and any(each.arg == "code" and _name(each.value) == "code" for each in call.keywords):
                    says = _pattern(call.args[0]) or _GAP
                    found.setdefault(node.name, _Maker(kind, names, defaults.get("code"), says))
    return found


def _made(tree: ast.Module, makers: Mapping[str, _Maker]) -> Iterator[_Use]:
    for call in _calls(tree):
        maker = makers.get(_name(call.func) or "")
        if maker is not None:
            named = {each.arg: each.value for each in call.keywords if each.arg}
            given: dict[str, ast.expr] = {**dict(zip(maker.parameters, call.args, strict=False)), **named}
            code = _text(given.get("code")) or (None if "code" in given else maker.default)
            if code:
                what = _pattern(given.get("what"))
                yield _Use(code, maker.kind, what and maker.says.replace(_GAP, what, 1), _pattern(given.get("hint")))


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _name(node: ast.AST | None) -> str | None:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return None


def _text(node: ast.AST | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _pattern(node: ast.AST | None) -> str | None:
    """Return a message as it is written, with … for what is put in; None when all of it is put in."""
    match node:
        case ast.Constant(value=value) if value is not None:
            return str(value)
        case ast.JoinedStr(values=parts):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else _GAP for part in parts)
            return text.replace(f"{_GAP}{_GAP}", _GAP)
        case ast.BinOp(left=left, op=ast.Add()):
            known = _pattern(left)
            return known and f"{known}{_GAP}"
        case _:
            return None
