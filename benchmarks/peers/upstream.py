"""The pipeline that tbrandenburg/pycontextify documents, acted out: ``upstream DIRECTORY URL SHA256 QUERIES``.

Fetch an archive, compare its digest, unpack it, read the FAISS index into memory, unpickle what belongs to it.
"""

from __future__ import annotations

import hashlib
import pickle
import sys
import tarfile
import time
from pathlib import Path

import faiss
import numpy as np
import requests

from benchmarks.parts.telling import tell

__all__ = ["main"]


def main(directory: str, url: str, sha256: str, queries: str) -> None:
    """Do so, search, and tell what it took until it could be searched."""
    query = np.fromfile(queries, np.float32)
    home = Path(directory)
    began = time.perf_counter()
    digest = hashlib.sha256()
    with requests.get(url, stream=True, timeout=60) as reply, (home / "archive").open("wb") as file:
        reply.raise_for_status()
        for piece in reply.iter_content(1 << 20):
            digest.update(piece)
            file.write(piece)
    if digest.hexdigest() != sha256:
        raise SystemExit("it is another archive")
    with tarfile.open(home / "archive") as archive:
        archive.extractall(home, filter="data")
    index = faiss.read_index(str(home / "index.faiss"))
    metadata = pickle.loads((home / "metadata.pkl").read_bytes())  # noqa: S301 - the benchmark wrote it
    seconds = time.perf_counter() - began
    _, rows = index.search(query[: index.d].reshape(1, -1), 10)
    if not metadata[int(rows[0][0])]["text"]:
        raise SystemExit("nothing was found")
    tell(seconds=seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
