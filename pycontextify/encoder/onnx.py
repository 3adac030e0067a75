"""Encoders on onnxruntime and tokenizers: the one place that imports either.

Rough figures for the default model on x86-64 with AVX2 (two cores, no VNNI), in tokens per second of processor time,
each read once or twice:

- Runs of 256 padded tokens are the quickest, 2,600; runs of 2,048 tokens reach 1,500 and of 8,192 (32 texts of 256)
  1,200, because their intermediate arrays leave the caches. The process then peaks at 270 MB instead of 900.
- A session of one thread makes 2,840, one of two 2,640, and 4 threads with a query each get 290 answers a second
  instead of 260; a lone query of 10 tokens takes 6 ms instead of 4.5. So a session has one thread, and a batch makes
  several runs at once, in threads of the caller: on Linux these inherit its niceness, which a session's own would not.
- Without onnxruntime's arena and memory patterns such runs are as quick, and memory goes back to the system: 220 MB
  are in use after batches of 8,192 tokens instead of 1,750.
- Opening the model leaves tens of megabytes behind that nobody uses, and glibc keeps them until it is asked. The 44 MB
  that stay are its weights, unfolded to float32; its tables aren't (see `pycontextify.encoder.graph`).
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import BertProcessing

from pycontextify.encoder.graph import look_up_first
from pycontextify.encoder.model import MODEL_FILE, TOKENIZER_FILE, VOCABULARY_FILE, LocalModel, read_directory
from pycontextify.encoder.pooling import group_runs, pool, unit_rows
from pycontextify.encoder.text import prepare
from pycontextify.errors import NotReadyError
from pycontextify.snapshot.config import EncoderInfo

__all__ = ["OnnxEncoder", "open_directory", "open_files", "open_model"]

_TOKENS_A_RUN = 256
_TEXTS_A_RUN = 32
_TYPES = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}
_PAD = ("[PAD]", "<pad>")
_FOLDER = "session.model_external_initializers_file_folder_path"
_FATAL = 4  # onnxruntime's highest log level: it raises what it logs, and we report what it raises


class OnnxEncoder:
    """An encoder that runs on this machine's processor. Made by `open_model`, `open_directory` or `open_files`."""

    def __init__(self, info: EncoderInfo, paths: Mapping[str, Path], network: _Network, threads: int) -> None:
        self._info = info
        self._paths = dict(paths)
        self._network = network
        self._threads = threads

    @property
    def info(self) -> EncoderInfo:
        """Which model this is."""
        return self._info

    @property
    def paths(self) -> Mapping[str, Path]:
        """Where the files named in ``info.files`` are."""
        return self._paths

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed any number of passages; shape (len(texts), dimension), row i for text i.

        Texts of like length should be neighbours: they share a run and are padded to its longest. Memory is bounded
        by the run (at most 32 texts and, unless a single text is longer, 256 tokens), not by the call.
        Raises NotReadyError ``encoder_failed``.
        """
        encodings = self._network.tokenize(prepare(texts, self._info.passage_prefix))
        runs = group_runs([len(encoding) for encoding in encodings], tokens=_TOKENS_A_RUN, texts=_TEXTS_A_RUN)
        rows = np.empty((len(texts), self._info.dimension), dtype=np.float32)

        def fill(run: slice) -> None:
            rows[run] = self._network.embed(encodings[run])

        threads = min(self._threads, len(runs))
        if threads <= 1:
            for run in runs:
                fill(run)
            return rows
        with ThreadPoolExecutor(threads, thread_name_prefix="encoder") as pool_of_threads:
            for _ in pool_of_threads.map(fill, runs):
                pass
        return rows

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Embed a query; shape (dimension,). Raises NotReadyError ``encoder_failed``."""
        (row,) = self._network.embed(self._network.tokenize(prepare([text], self._info.query_prefix)))
        return np.asarray(row)


def open_model(model: LocalModel, *, threads: int | None = None) -> OnnxEncoder:
    """Open a model found on this machine.

    ``threads`` bounds the runs that a call of ``embed_passages`` makes at once; all cores, at most 8, when None.
    Raises NotReadyError ``encoder_unreadable``.
    """
    network = _open_network(model.paths, model.pooling, model.max_tokens, model.id)
    return OnnxEncoder(model.describe(network.dimension), model.paths, network, threads or _cores())


def open_directory(directory: Path, *, threads: int | None = None) -> OnnxEncoder:
    """Open the model in a directory (see `read_directory`); raises NotReadyError."""
    return open_model(read_directory(directory), threads=threads)


def open_files(info: EncoderInfo, paths: Mapping[str, Path], *, threads: int | None = None) -> OnnxEncoder:
    """Open the encoder that a snapshot describes, from its blobs: ``paths`` gives the place of each of ``info.files``.

    Raises NotReadyError ``encoder_unreadable``, also when ``info`` contradicts itself or the model's dimension.
    """
    model = LocalModel.from_info(info, paths)
    if model.digest != info.digest:
        raise _unreadable("its files and settings are not those that its digest names", info.id)
    encoder = open_model(model, threads=threads)
    if encoder.info.dimension != info.dimension:
        found = encoder.info.dimension
        raise _unreadable(f"its vectors have {found} dimensions, the snapshot says {info.dimension}", info.id)
    return encoder


class _Network:
    """A tokenizer and a graph that fit each other: texts in, unit vectors out. Thread safe: nothing changes."""

    def __init__(self, session: Any, tokenizer: Tokenizer, pooling: str, name: str) -> None:
        self._session = session
        self._tokenizer = tokenizer
        self._pooling = pooling
        self._name = name
        self._inputs = {item.name: _TYPES[item.type] for item in session.get_inputs()}
        self._output = _choose_output([item.name for item in session.get_outputs()])
        padding = [tokenizer.token_to_id(token) for token in _PAD]
        self._pad = next((number for number in padding if number is not None), 0)
        self.dimension = self.embed(self.tokenize(["dimension"])).shape[1]

    def tokenize(self, texts: list[str]) -> list[Encoding]:
        """Split into tokens, cut to the model's limit, not padded."""
        return self._tokenizer.encode_batch_fast(texts)

    def embed(self, encodings: Sequence[Encoding]) -> NDArray[np.float32]:
        """Run the graph once; shape (len(encodings), dimension)."""
        ids, mask = self._arrays(encodings)
        values = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        feed = {name: values[name].astype(kind, copy=False) for name, kind in self._inputs.items()}
        try:
            (output,) = self._session.run([self._output], feed)
            return unit_rows(output if output.ndim == 2 else pool(output, mask, self._pooling))
        except Exception as error:
            # onnxruntime's exceptions share no base class but Exception.
            raise NotReadyError(
                f"the encoder could not embed a text: {error}",
                code="encoder_failed",
                asset=self._name,
                hint="check that the model and its tokenizer belong together",
            ) from error

    def _arrays(self, encodings: Sequence[Encoding]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        width = max(1, *(len(encoding) for encoding in encodings))
        ids = np.full((len(encodings), width), self._pad, dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding)] = encoding.ids
            mask[row, : len(encoding)] = 1
        mask[:, 0] = 1  # a text without a single token would leave nothing to attend to
        return ids, mask


def _open_network(paths: Mapping[str, Path], pooling: str, max_tokens: int, name: str) -> _Network:
    try:
        session = _open_session(paths[MODEL_FILE])
        _check_inputs({item.name for item in session.get_inputs()}, name)
        return _Network(session, _open_tokenizer(paths, max_tokens), pooling, name)
    except NotReadyError:
        raise
    except Exception as error:
        # tokenizers raises bare Exception, onnxruntime classes that share no other base.
        raise _unreadable(f"the model can't be opened: {error}", name) from error


def _check_inputs(inputs: set[str], name: str) -> None:
    if unknown := inputs - {"input_ids", "attention_mask", "token_type_ids"}:
        raise _unreadable(f"the model asks for what a text doesn't give: {', '.join(sorted(unknown))}", name)


def _open_session(path: Path) -> Any:
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.log_severity_level = _FATAL
    path = path.resolve()
    options.add_session_config_entry(_FOLDER, str(path.parent))
    session = onnxruntime.InferenceSession(look_up_first(path) or path, options, providers=["CPUExecutionProvider"])
    _return_free_memory()
    return session


def _return_free_memory() -> None:
    """Have the C library give what is free back to the system, where it can be asked (malloc_trim(3), of glibc)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)


def _open_tokenizer(paths: Mapping[str, Path], max_tokens: int) -> Tokenizer:
    if TOKENIZER_FILE in paths:
        tokenizer = Tokenizer.from_str(paths[TOKENIZER_FILE].read_text(encoding="utf-8"))
    else:
        tokenizer = _bert_tokenizer(paths[VOCABULARY_FILE])
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


def _bert_tokenizer(path: Path) -> Tokenizer:
    """Build the tokenizer of an uncased BERT (arXiv:1810.04805) from its vocabulary, one piece a line."""
    pieces = path.read_text(encoding="utf-8").split("\n")
    vocabulary = {piece.rstrip("\r"): number for number, piece in enumerate(pieces) if piece}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))  # noqa: S106 - a token of text
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = BertProcessing(("[SEP]", vocabulary["[SEP]"]), ("[CLS]", vocabulary["[CLS]"]))
    tokenizer.add_special_tokens(
        [token for token in ("[UNK]", "[SEP]", "[CLS]", "[PAD]", "[MASK]") if token in vocabulary]
    )
    return tokenizer


def _choose_output(names: list[str]) -> str:
    """Prefer a ready vector, then the names under which token vectors are exported."""
    for name in ("sentence_embedding", "last_hidden_state", "token_embeddings"):
        if name in names:
            return name
    return names[0]


def _unreadable(what: str, name: str) -> NotReadyError:
    return NotReadyError(
        what,
        code="encoder_unreadable",
        asset=name,
        hint="keyword search goes on without it; name another embedding model, or publish the index again with one",
    )


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)  # not everywhere; a container's share of the cores where it is
    return min(8, len(affinity(0)) if affinity else os.cpu_count() or 1)
