"""Fuzz targets: one for each parser of what comes from elsewhere.

Each takes whatever there is and returns if the outcome is one of those that are allowed: a value that holds together,
or the parser's own typed refusal. Anything else it raises.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pycontextify.errors import ExtractError, SnapshotRejected, UntrustedError, ValidateError
from pycontextify.hydration.extract.names import NameLedger
from pycontextify.snapshot.config import SnapshotConfig
from pycontextify.snapshot.digest import digest_of
from pycontextify.snapshot.manifest import Manifest, RefTable, build_manifest
from pycontextify.snapshot.pair import config_of_pair, segment_meta
from pycontextify.snapshot.referrer import Referrer, build_referrer
from pycontextify.snapshot.signature import check_document, parse_public_key, parse_signature, prehash
from tests.fakes.signers import key_of, signs
from tests.snapshot.strategies import CONFIG, anything

__all__ = ["TARGETS", "Target"]

_KEY = key_of("fuzz").public
_MANIFEST, _CONFIG = build_manifest(CONFIG, dict.fromkeys(CONFIG.blobs, 7))
_TABLE = RefTable().point("latest", digest_of(_MANIFEST), len(_MANIFEST)).copy("latest", "previous")
_SIGNATURE = signs(key_of("fuzz"))(prehash(_MANIFEST), "version:42")
_REFERRER = build_referrer(_TABLE.refs["latest"], _SIGNATURE)
_META: dict[str, Any] = {
    **json.loads(json.dumps(segment_meta(CONFIG, rows=10, documents=2, chunker=1))),
    "vectors": CONFIG.segments[0].vectors,
}


def changed(content: bytes) -> SearchStrategy[bytes]:
    """Return something near to good bytes: some of them replaced, left out or put in."""
    places = st.integers(0, len(content))
    edits = st.lists(st.tuples(places, st.integers(0, 4), st.binary(max_size=4)), min_size=1, max_size=4)

    def apply(edits: list[tuple[int, int, bytes]]) -> bytes:
        text = content
        for place, gone, put in edits:
            text = text[:place] + put + text[place + gone :]
        return text

    return edits.map(apply)


def documents(good: bytes) -> SearchStrategy[bytes]:
    """Return bytes, JSON of any kind, a good document with any value in any place, and one with bytes changed."""
    values = json.loads(good)

    def replaced(path: tuple[Any, ...], value: Any) -> bytes:
        copy = json.loads(good)
        inner = copy
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value
        return json.dumps(copy).encode("utf-8", "surrogatepass")

    anywhere = st.builds(replaced, st.sampled_from(list(_paths(values))), anything)
    return st.one_of(
        st.binary(max_size=200), anything.map(lambda value: json.dumps(value).encode()), anywhere, changed(good)
    )


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Any:
    """Yield the way to every value in a JSON document."""
    if path:
        yield path
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield from _paths(inner, (*path, step))


def manifest(content: bytes) -> None:
    """A manifest, an index.json, or the manifest of a signature; written again, it reads the same."""
    with suppress(ValidateError):
        found = Manifest.from_bytes(content)
        assert Manifest.from_bytes(found.to_bytes()) == found
    with suppress(ValidateError):
        table = RefTable.from_bytes(content)
        assert RefTable.from_bytes(table.to_bytes()).refs == table.refs
    with suppress(SnapshotRejected):
        assert 1 <= len(Referrer.from_bytes(content).layers) <= 8


def config(content: bytes) -> None:
    """A config; written again, it reads the same."""
    with suppress(ValidateError):
        found = SnapshotConfig.from_bytes(content)
        assert SnapshotConfig.from_bytes(found.to_bytes()) == found


def meta(value: dict[str, Any]) -> None:
    """The meta table of a chunks file."""
    with suppress(ValidateError):
        made = config_of_pair(value, vectors=CONFIG.segments[0].vectors, chunks=CONFIG.segments[0].chunks)
        assert SnapshotConfig.from_bytes(made.to_bytes()) == made


def signature(content: bytes) -> None:
    """A signature file: right if nothing that counts was changed, and a typed refusal otherwise."""
    with suppress(UntrustedError):
        parsed = parse_signature(content, asset="fuzz")
        check_document(parsed, [_KEY], _MANIFEST, asset="fuzz")
        good = _SIGNATURE.split(b"\n")
        assert [line.rstrip(b"\r") for line in content.split(b"\n")][1:4] == good[1:4]


def public_key(text: str) -> None:
    """A public key; written again, it is the same."""
    with suppress(ValueError):
        key = parse_public_key(text)
        assert parse_public_key(str(key)) == key


def member_names(names: list[tuple[str, bool]]) -> None:
    """The names in an archive: what is admitted stays below, and no two are one to any file system."""
    ledger, admitted = NameLedger(), list[str]()
    with suppress(ExtractError):
        for name, directory in names:
            path = ledger.admit(name, directory=directory)
            assert not path.startswith("/")
            assert ".." not in path.split("/")
            assert not any(character in path for character in "\\\0\n")
            admitted += [] if directory else [path.casefold()]
        ledger.check_tree()
        assert len(set(admitted)) == len(admitted)


Target = tuple[Callable[[Any], None], SearchStrategy[Any]]

_name_parts = st.sampled_from(
    ["..", ".", "", "a", "A", "ß", "SS", "é", "e\u0301", "CON", "nul.faiss", "x ", "x.", "C:", "\\", "\0"]
)
_names = st.lists(_name_parts | st.text(max_size=5), max_size=4).map("/".join)

TARGETS: dict[str, Target] = {
    "manifest": (manifest, documents(_MANIFEST) | documents(_TABLE.to_bytes()) | documents(_REFERRER)),
    "config": (config, documents(_CONFIG)),
    "meta": (
        meta,
        st.builds(lambda key, value: {**_META, key: value}, st.sampled_from([*_META]), anything)
        | st.dictionaries(st.sampled_from([*_META]), anything, max_size=3),
    ),
    "signature": (signature, st.binary(max_size=300) | changed(_SIGNATURE)),
    "public key": (
        public_key,
        st.text(max_size=60) | changed(str(_KEY).encode()).map(lambda raw: raw.decode("latin-1")),
    ),
    "member names": (member_names, st.lists(st.tuples(_names, st.booleans()), max_size=5)),
}
