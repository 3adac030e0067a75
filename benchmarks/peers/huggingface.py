"""Fetch files with huggingface_hub's downloader, and have the disk hold them: ``huggingface DIRECTORY URL…``."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"  # read when it is imported

from huggingface_hub.file_download import http_get

from benchmarks.parts.telling import tell

__all__ = ["main"]


def main(directory: str, *urls: str) -> None:
    """Fetch one after the other, as the hub's ``hf_hub_download`` does each, and tell what it took."""
    began, cpu = time.perf_counter(), time.process_time()
    for number, url in enumerate(urls):
        with Path(directory, f"{number}").open("wb") as file:
            http_get(url, file)
            file.flush()
            os.fsync(file.fileno())
    tell(seconds=time.perf_counter() - began, cpu=time.process_time() - cpu)


if __name__ == "__main__":
    main(*sys.argv[1:])
