"""Hydrating against what a shell would do with the same bytes."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from benchmarks.child import Used, part, run
from benchmarks.figure import Figure, Pair
from benchmarks.ground import Ground, Published

__all__ = ["archives", "hydrated", "layout", "size_of", "unsigned"]


def layout(ground: Ground) -> Iterator[Figure]:
    """A layout, by the clock against curl and by the processor against curl and a checksum."""
    index = ground.large
    wall, cpu = [], []
    for _ in range(ground.scale.times):
        ours = hydrated(ground, "url", index.url, ground.key)
        wall.append(Pair(ours.seconds, _curl(ground, index).seconds))
        cpu.append(Pair(ours.cpu, _curl(ground, index, "openssl dgst -sha256").cpu))
    each = tuple(Pair(pair.ours * 1e9 / index.size, pair.theirs * 1e9 / index.size) for pair in cpu)
    what = f"hydrate a layout of {size_of(index)}, cold, to searchable and durable"
    yield Figure("hydrate-layout", what, "`curl -o` of the same bytes, and fsync", "s", tuple(wall), 1.10)
    what = "processor time of it, for a gigabyte"
    yield Figure("hydrate-cpu", what, "curl, and openssl's SHA-256", "s/GB", each, 1.25)


def unsigned(ground: Ground) -> Iterator[Figure]:
    """The same layout where no key is trusted: all of it is read before it is served."""
    index = ground.middle
    pairs = [
        Pair(hydrated(ground, "url", index.url).seconds, _curl(ground, index).seconds)
        for _ in range(ground.scale.times)
    ]
    what = f"hydrate {size_of(index)}, trusting no signature: {index.rows:,} chunks are read through before they serve"
    yield Figure("hydrate-unsigned", what, "`curl -o` of the same bytes, and fsync", "s", tuple(pairs))


def archives(ground: Ground) -> Iterator[Figure]:
    """Archives, against pipes that download, check, unpack and write at the same time."""
    index, kinds = ground.large, {"tar.zst": "zstd -q -d", "tar.gz": "pigz -d"}
    with ThreadPoolExecutor() as makers:
        paths = list(makers.map(partial(ground.archive, index), kinds))
    for path, (kind, unpack) in zip(paths, kinds.items(), strict=True):
        url = f"{ground.host.url}/{path.name}"
        pairs = [
            Pair(hydrated(ground, "archive", url, ground.key).seconds, _piped(ground, url, unpack).seconds)
            for _ in range(ground.scale.times)
        ]
        yield Figure(
            f"hydrate-{kind.replace('.', '-')}",
            f"hydrate the same as a {kind} of {path.stat().st_size / 1e6:,.0f} MB",
            f"curl, openssl's SHA-256, `{unpack}` and tar in one pipe, and fsync",
            "s",
            tuple(pairs),
            1.00,
        )


def hydrated(ground: Ground, kind: str, url: str, *key: str) -> Used:
    """Hydrate an empty directory from an address, as a ``url`` or an ``archive``."""
    with ground.empty("hydrated") as directory:
        return Used(**part("parts.hydrate", directory, kind, url, *key))


def _curl(ground: Ground, index: Published, check: str = "") -> Used:
    """Fetch the blobs one after the other over one connection; then have the disk hold them, or check them."""
    with ground.empty("fetched") as directory:
        wanted = [
            word for number, path in enumerate(index.blobs) for word in ("-o", f"{number}", f"{index.url}/{path}")
        ]
        after = check or "sync --data"
        return _bash(f"curl -sSf {shlex.join(wanted)} && {after} *", directory)


def _piped(ground: Ground, url: str, unpack: str) -> Used:
    with ground.empty("fetched") as directory:
        pipe = f"curl -sSf {url} | tee sum | {unpack} | tar -xf - && wait $! && sync --data $(find . -type f)"
        return _bash(f"mkfifo sum && (openssl dgst -sha256 <sum >digest & {pipe})", directory)


def _bash(line: str, directory: Path) -> Used:
    return run(["bash", "-euo", "pipefail", "-c", line], cwd=directory)


def size_of(index: Published) -> str:
    """Tell the size of an index in words."""
    return f"{index.size / 1e9:.1f} GB" if index.size >= 1e9 else f"{index.size / 1e6:.0f} MB"
