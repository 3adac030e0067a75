"""What bounds a figure of the benchmarks that falls short of its goal, by its name: the page tells it beside the figure.

A figure that falls short without a line here fails a test: whoever measured it knows why, or finds out.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["BOUNDS"]

_ARCHIVE = (
    "An archive is fetched whole, signature and all, before any of it is unpacked: what is unpacked is never of another version than "
    "what was verified, and a download that breaks off goes on where it was. So its bytes are written, read back for their digest, read "
    "for the signature's own hash, read again and written unpacked and flushed: twice the disk's work, one thing after the other, where "
    "a pipe does all at once and verifies nothing. Unpacking a file while it still comes in is what could be gained. A layout has none of "
    "this, and is what to publish."
)
_START = (
    "Eight ninths are what the SDK's own server takes as well; the rest is ours: settings, tools and their schemas. The turns differ "
    "by more than what is missing."
)

BOUNDS: Mapping[str, str] = {
    "hydrate-cpu": (
        "Half of it is the event loop's thread: the kernel's copying, then asyncio and aiohttp, which copy twice more, and two trips to a "
        "thread for each MiB that is written. SHA-256 and reading back what is hashed take a quarter, opening the encoder and looking at "
        "what came the rest, which is the same for an index of any size ([0022](../adr/0022-hydrating-at-the-disks-speed.md))."
    ),
    "hydrate-tar-zst": _ARCHIVE,
    "hydrate-tar-gz": _ARCHIVE,
    "start": _START,
    "start-cpu": _START,
    "lag-p99": (
        "Most likely the interpreter's lock, which a thread gives up every 5 ms at the latest: hydration's threads need it between their "
        "reads and writes, and the loop waits for one such turn. A shorter interval was not tried."
    ),
    "search-p99": (
        "Two cores have to do for the web server, a hydration as fast as the disk, and searches. Hydration's threads have a lower priority, "
        "its event loop has not; which of them the slowest searches wait for was not looked into. The median is 1.1 times the idle one."
    ),
    "memory": (
        "It hardly grows with the index: some 75 MB are imports and 90 the encoder's session, of which 47 are its table of words, unfolded "
        "to float32 by onnxruntime (a run takes 2.5 times as long without); the rest was not looked into. From 1.4 GB on it would be "
        "within the goal."
    ),
    "search-hybrid": (
        "Half of it is the words: a question has a quarter of a million postings among a million chunks, and each is added up. Vectors take "
        "some 4 of the 14 ms. To leave out postings that can't matter (MaxScore) is what could be gained "
        "([0020](../adr/0020-inverted-index.md))."
    ),
}
