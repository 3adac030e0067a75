"""Who fetches an index, each into an empty directory: we, and what a shell or a peer would do with the same bytes."""

from __future__ import annotations

import shlex
from pathlib import Path

from benchmarks.child import Used, part, run
from benchmarks.ground import Ground, Published

__all__ = ["aria2c", "curl", "hub", "hydrated", "piped"]


def hydrated(ground: Ground, kind: str, url: str, *key: str) -> Used:
    """Hydrate from an address, as a ``url`` or an ``archive``."""
    with ground.empty("hydrated") as directory:
        return Used(**part("parts.hydrate", directory, kind, url, *key))


def curl(ground: Ground, index: Published) -> Used:
    """Fetch the blobs one after the other over one connection, and have the disk hold them: that is the time.

    The processor's time has openssl's SHA-256 of them in it as well.
    """
    with ground.empty("fetched") as directory:
        wanted = [
            word for number, path in enumerate(index.blobs) for word in ("-o", f"{number}", f"{index.url}/{path}")
        ]
        fetched = _bash(f"curl -sSf {shlex.join(wanted)} && sync --data *", directory)
        return Used(fetched.seconds, fetched.cpu + _bash("openssl dgst -sha256 *", directory).cpu)


def piped(ground: Ground, url: str, unpack: str) -> Used:
    """Fetch an archive, and check, unpack and write it while it comes; then have the disk hold it."""
    with ground.empty("fetched") as directory:
        pipe = f"curl -sSf {url} | tee sum | {unpack} | tar -xf - && wait $! && sync --data $(find . -type f)"
        return _bash(f"mkfifo sum && (openssl dgst -sha256 <sum >digest & {pipe})", directory)


def aria2c(ground: Ground, index: Published) -> Used:
    """Fetch the blobs in four streams and check them; then have the disk hold them."""
    with ground.empty("fetched") as directory:
        lines = [f"{index.url}/{path}\n checksum=sha-256={Path(path).name}\n" for path in index.blobs]
        (directory / "wanted").write_text("".join(lines))
        return _bash("aria2c -q --no-conf -x4 -s4 -j4 --file-allocation=falloc -i wanted && sync --data *", directory)


def hub(ground: Ground, index: Published) -> Used:
    """Fetch the blobs with huggingface_hub's downloader; have the disk hold each."""
    urls = [f"{index.url}/{path}" for path in index.blobs]
    with ground.empty("fetched") as directory:
        return Used(**ground.peer("huggingface", directory, *urls))


def _bash(line: str, directory: Path) -> Used:
    return run(["bash", "-euo", "pipefail", "-c", line], cwd=directory)
