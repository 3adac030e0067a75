"""A reader of published snapshots, written from docs/reference/snapshot-format.md alone: nothing of ours is imported.

It checks what the page says a reader must check on the way to an answer, and no more. Where the page says nothing, this
file can't either: what is guessed here is missing there.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import re
import sqlite3
import struct
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import tokenizers
import zstandard
from numpy.typing import NDArray

__all__ = ["Reader"]

REF_NAME = "org.opencontainers.image.ref.name"
DOCUMENT_LIMIT = 4 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """A chunk."""

    tree: str
    path: str
    lines: tuple[int, int]
    symbol: str
    language: str
    tags: tuple[str, ...]
    text: str


class Reader:
    """A snapshot: that of a ref in a layout."""

    def __init__(self, layout: Path, ref: str = "latest") -> None:
        self._layout = layout
        assert json.loads((layout / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
        listed = json.loads(_limited((layout / "index.json").read_bytes()))
        (entry,) = (each for each in listed["manifests"] if each.get("annotations", {}).get(REF_NAME) == ref)
        manifest = json.loads(_limited(self.blob(entry["digest"])))
        assert manifest["artifactType"] == "application/vnd.pycontextify.index.v1"
        self.config = json.loads(self.blob(manifest["config"]["digest"]))
        assert self.config["schema"] == 1
        layers = {layer["digest"] for layer in manifest["layers"]}
        encoder = self.config["encoder"]
        self.segments = [
            _Segment(self, layers, each, encoder["dimension"], encoder["digest"]) for each in self.config["segments"]
        ]
        assert set(encoder.get("files", {}).values()) <= layers

    def path(self, digest: str) -> Path:
        """Return where a blob is."""
        kind, _, name = digest.partition(":")
        assert kind == "sha256"
        assert re.fullmatch("[0-9a-f]{64}", name)
        return self._layout / "blobs" / kind / name

    def blob(self, digest: str) -> bytes:
        """Return a blob, verified."""
        content = self.path(digest).read_bytes()
        assert f"sha256:{hashlib.sha256(content).hexdigest()}" == digest
        return content

    @cached_property
    def embed(self) -> Callable[[str], NDArray[np.float32]]:
        """What embeds a query: the encoder of the snapshot."""
        return _encoder(self)

    def check_probes(self) -> int:
        """Ask each probe; return how many there are."""
        probes = self.config.get("probes", [])
        for probe in probes:
            best = self.segments[probe["segment"]].by_meaning(self.embed(probe["text"]))[:10]
            assert probe["row"] in [row for _, row in best]
        return len(probes)

    def by_meaning(self, query: str, limit: int = 10) -> list[Found]:
        """Return the chunks that mean the most alike, the best first."""
        vector = self.embed(query)
        best = [
            (score, number, row) for number, each in enumerate(self.segments) for score, row in each.by_meaning(vector)
        ]
        return [self.segments[number].chunk(row) for _, number, row in sorted(best, reverse=True)[:limit]]

    def by_words(self, query: str) -> list[tuple[float, Found]]:
        """Return the chunks that have any word of a query, with their scores, the best first of each segment."""
        return [(score, each.chunk(row)) for each in self.segments for score, row in each.by_words(_words(query))]


def _limited(content: bytes) -> bytes:
    assert len(content) <= DOCUMENT_LIMIT
    return content


# Segments


class _Segment:
    def __init__(self, reader: Reader, layers: set[str], told: dict[str, Any], dimension: int, encoder: str) -> None:
        assert {told["vectors"], told["chunks"], told.get("deleted") or told["chunks"]} <= layers
        self._vectors = _vectors(reader.blob(told["vectors"]), dimension)
        reader.blob(told["chunks"])
        self._file = sqlite3.connect(f"file:{reader.path(told['chunks'])}?mode=ro&immutable=1", uri=True)
        self.meta = {key: json.loads(value) for key, value in self._file.execute("SELECT key, value FROM meta")}
        assert self.meta["vectors"] == told["vectors"]
        assert self.meta["encoder"]["digest"] == encoder
        assert (self.meta["dimension"], self.meta["metric"]) == (dimension, "inner_product")
        gone = np.frombuffer(reader.blob(told["deleted"]) if told.get("deleted") else b"", dtype="<u4")
        assert (np.diff(gone.astype(np.int64)) > 0).all()
        self._live = np.ones(told["rows"], dtype=bool)
        self._live[gone] = False
        assert len(self._vectors) == told["rows"] == self.meta["rows"]
        self._check_rows(told)
        dictionary = self.meta["dictionary"]
        known = zstandard.ZstdCompressionDict(bytes.fromhex(dictionary)) if dictionary else None
        self._texts = zstandard.ZstdDecompressor(dict_data=known)

    def _check_rows(self, told: dict[str, Any]) -> None:
        row = live = 0
        for first, count in self._file.execute("SELECT first_row, row_count FROM documents ORDER BY first_row"):
            assert first == row
            kept = set(self._live[first : first + count].tolist())
            assert len(kept) == 1
            live += kept == {True}
            row += count
        assert (row, live) == (told["rows"], told["documents"])
        assert [row for (row,) in self._file.execute("SELECT id FROM chunks ORDER BY id")] == list(range(row))

    def by_meaning(self, vector: NDArray[np.float32]) -> list[tuple[float, int]]:
        """Return scores with rows, the best first."""
        scores = self._vectors @ vector
        return [(float(scores[row]), int(row)) for row in np.argsort(-scores) if self._live[row]]

    def by_words(self, words: set[str]) -> list[tuple[float, int]]:
        """Return BM25 scores with rows, the best first."""
        scores: dict[int, float] = defaultdict(float)
        total = len(self._vectors)
        for word in sorted(words):
            for (packed,) in self._file.execute("SELECT postings FROM words WHERE word = ?", (word,)):
                rows, parts = _postings(packed, total)
                rarity = math.log(1 + (total - len(rows) + 0.5) / (len(rows) + 0.5))
                for row, part in zip(rows, parts, strict=True):
                    scores[row] += rarity * 2.2 * part / 255
        return sorted(((score, row) for row, score in scores.items() if self._live[row]), key=lambda each: -each[0])

    def chunk(self, row: int) -> Found:
        """Return what a row is."""
        (told,) = self._file.execute(
            "SELECT d.id, d.tree, d.path, c.start_line, c.end_line, c.symbol, d.language, c.text"
            " FROM chunks c JOIN documents d ON d.id = c.document WHERE c.id = ?",
            (row,),
        )
        document, tree, path, first, last, symbol, language, text = told
        tags = tuple(tag for (tag,) in self._file.execute("SELECT tag FROM tags WHERE document = ?", (document,)))
        return Found(tree, path, (first, last), symbol, language, tags, self._texts.decompress(text).decode())


# Words


def _words(text: str) -> set[str]:
    """Return the words of a query: SQLite's tokenizer can be asked by way of a table of its own."""
    file = sqlite3.connect(":memory:")
    file.execute("CREATE VIRTUAL TABLE cut USING fts5(text, tokenize='porter unicode61')")
    file.execute("CREATE VIRTUAL TABLE found USING fts5vocab(cut, row)")
    file.execute("INSERT INTO cut VALUES(?)", (f"{text}\n{' '.join(_parts(text))}",))
    return {word for (word,) in file.execute("SELECT term FROM found")}


def _parts(text: str) -> list[str]:
    mixed = [word for word in re.findall(r"[^\W_]+", text) if word.lower() != word]
    cut = [re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+", word) for word in mixed]
    return list(dict.fromkeys(part for parts in cut if len(parts) > 1 for part in parts))


def _postings(packed: bytes, total: int) -> tuple[list[int], list[int]]:
    width = packed[0]
    count = (len(packed) - 1) // (width + 1)
    assert count >= 1
    assert len(packed) == 1 + count * (width + 1)
    gaps = struct.unpack(f"<{count}{ {1: 'B', 2: 'H', 4: 'I'}[width] }", packed[1 : 1 + count * width])
    rows = [row - 1 for row in itertools.accumulate(gap + 1 for gap in gaps)]
    assert rows[-1] < total
    return rows, list(packed[1 + count * width :])


# Vectors


class _Fields:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def take(self, form: str) -> tuple[Any, ...]:
        """Return the next fields."""
        found = struct.unpack_from(f"<{form}", self._content, self._at)
        self._at += struct.calcsize(f"<{form}")
        return found

    def array(self, kind: str, count: int) -> NDArray[Any]:
        """Return the next numbers of a kind."""
        found = np.frombuffer(self._content, dtype=kind, count=count, offset=self._at)
        self._at += found.nbytes
        return found

    def head(self, kind: bytes) -> tuple[int, int]:
        """Return dimension and rows."""
        found, dimension, rows, _, trained, metric = self.take("4siq16sBi")
        assert (found, trained, metric) == (kind, 1, 0)
        return dimension, rows

    def quantizer(self, dimension: int) -> None:
        """Pass over a quantizer."""
        kind, _, its, size, learned = self.take("iqqqq")
        assert (kind, its, size, learned) == (4, dimension, 2 * dimension, 0)

    @property
    def ended(self) -> bool:
        """Whether nothing follows."""
        return self._at == len(self._content)


def _vectors(content: bytes, dimension: int) -> NDArray[np.float32]:
    fields = _Fields(content)
    read = {b"IxSQ": _flat, b"IwSq": _inverted}[content[:4]]
    rows = read(fields, dimension)
    assert fields.ended
    return rows.astype(np.float32)


def _flat(fields: _Fields, dimension: int) -> NDArray[Any]:
    its, count = fields.head(b"IxSQ")
    fields.quantizer(its)
    assert its == dimension
    assert fields.take("q") == (2 * its * count,)
    return fields.array("<f2", its * count).reshape(count, its)


def _inverted(fields: _Fields, dimension: int) -> NDArray[Any]:
    its, count = fields.head(b"IwSq")
    assert its == dimension
    lists, _ = fields.take("qq")
    assert 0 < lists <= 16 * count**0.5
    assert fields.head(b"IxFI") == (its, lists)
    assert fields.take("q") == (its * lists,)
    fields.array("<f4", its * lists)
    assert fields.take("bq") == (0, 0)
    fields.quantizer(its)
    assert fields.take("qb") == (2 * its, 0)
    kind, again, size, writing = fields.take("4sqq4s")
    assert (kind, again, size) == (b"ilar", lists, 2 * its)
    (told,) = fields.take("q")
    numbers = fields.array("<u8", told)
    sizes = numbers if writing == b"full" else _sparse(numbers.reshape(-1, 2), lists)
    assert (len(sizes), int(sizes.sum())) == (lists, count)
    rows = np.full((count, its), np.nan, dtype=np.float16)
    for size in sizes.tolist():
        codes = fields.array("<f2", size * its).reshape(size, its)
        rows[fields.array("<i8", size)] = codes
    assert not np.isnan(rows).any()
    return rows


def _sparse(pairs: NDArray[Any], lists: int) -> NDArray[Any]:
    sizes = np.zeros(lists, dtype=np.uint64)
    sizes[pairs[:, 0]] = pairs[:, 1]
    return sizes


# The encoder


def _encoder(reader: Reader) -> Callable[[str], NDArray[np.float32]]:
    told = reader.config["encoder"]
    assert told.get("provider", "onnx") == "onnx"
    files = told["files"]
    tokenizer = _tokenizer(reader, files)
    tokenizer.enable_truncation(told.get("max_tokens", 256))
    session = onnxruntime.InferenceSession(reader.blob(files["model.onnx"]))
    outputs = [each.name for each in session.get_outputs()]
    preferred = ("sentence_embedding", "last_hidden_state", "token_embeddings")
    output = next((name for name in preferred if name in outputs), outputs[0])

    def embed(query: str) -> NDArray[np.float32]:
        ids = tokenizer.encode(told.get("query_prefix", "") + query).ids
        kinds = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}
        values = {"input_ids": ids, "attention_mask": [1] * len(ids), "token_type_ids": [0] * len(ids)}
        feed = {each.name: np.array([values[each.name]], dtype=kinds[each.type]) for each in session.get_inputs()}
        (found,) = session.run([output], feed)
        if found.ndim == 3:
            found = found[:, 0] if told.get("pooling") == "cls" else found.mean(axis=1)
        return np.asarray(found[0] / np.linalg.norm(found[0]), dtype=np.float32)

    return embed


def _tokenizer(reader: Reader, files: dict[str, str]) -> Any:
    if "tokenizer.json" in files:
        return tokenizers.Tokenizer.from_str(reader.blob(files["tokenizer.json"]).decode())
    pieces = reader.blob(files["vocab.txt"]).decode().splitlines()
    numbers = {piece: number for number, piece in enumerate(pieces)}
    return tokenizers.BertWordPieceTokenizer(numbers, lowercase=True)
