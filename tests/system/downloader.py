"""A process that downloads one file and does nothing else: ``python -m tests.system.downloader URL DIGEST SIZE PATH``.

It prints the most memory that it has held, in KiB. That is VmHWM, which begins anew with the program; ru_maxrss begins
with what the process that started it held.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import anyio

from pycontextify.hydration.transfer.connect import open_client
from pycontextify.hydration.transfer.mirrors import Mirrors
from pycontextify.hydration.transfer.transport import Download
from pycontextify.hydration.workers import Workers
from pycontextify.snapshot.digest import parse_digest

__all__ = ["main"]


async def _download(*arguments: str) -> None:
    url, digest, size, path = arguments
    with Workers() as workers:
        async with open_client(workers, Mirrors(time.monotonic), on_retry=lambda _note: None) as client:
            await client.download(Download("file", (url,), parse_digest(digest), int(size)), Path(path))


def main() -> None:
    """Download, and tell."""
    anyio.run(_download, *sys.argv[1:])
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    sys.stdout.write(status["VmHWM"].split()[0])


if __name__ == "__main__":
    main()
