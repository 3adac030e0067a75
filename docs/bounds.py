"""What bounds a figure of the benchmarks that falls short of its goal, by its name: the page tells it beside the figure.

A figure that falls short without a line here fails a test: whoever measured it knows why, or finds out.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["BOUNDS"]

_ARCHIVE = (
    "An archive is fetched whole, signature and all, before any of it is unpacked: what is unpacked is never of another version than "
    "what was verified, and a download that breaks off goes on where it was. So its bytes are written, read back for their digest, read "
    "for the signature's own hash, and read again; only then they are unpacked, written and flushed, each in a thread of its own. A pipe "
    "does all of it at once and verifies nothing before. Unpacking a file while it still comes in is what could be gained. A layout has "
    "none of this, and is what to publish ([0022](../adr/0022-hydrating-at-the-disks-speed.md))."
)

BOUNDS: Mapping[str, str] = {
    "hydrate-layout": (
        "The disk, whose speed the turns follow: what is fetched is flushed as it comes, and the fetch ends when that does. Opening the "
        "encoder and looking at what came adds 0.8 s, whatever the size. Two other runs of that day found 0.97 and 1.05."
    ),
    "hydrate-cpu": (
        "Half of it is the event loop's thread: the kernel's copying, then asyncio and aiohttp, which copy twice more, and two trips to a "
        "thread for each MiB that is written. SHA-256 and reading back what is hashed take a quarter, opening the encoder and looking at "
        "what came the rest, which is the same for an index of any size ([0022](../adr/0022-hydrating-at-the-disks-speed.md))."
    ),
    "hydrate-tar-zst": _ARCHIVE,
    "hydrate-tar-gz": _ARCHIVE,
    "lag-p99": (
        "The interpreter's lock: hydration's threads need it between their reads and writes, and the loop waits for one such turn. They "
        "give way after 1 ms, which made it a fifth less; a shorter interval did not make it less again "
        "([0022](../adr/0022-hydrating-at-the-disks-speed.md))."
    ),
    "search-p99": (
        "Two cores have to do for the web server, a hydration as fast as the disk, and searches. Hydration's threads have a lower priority, "
        "its event loop has not; which of them the slowest searches wait for was not looked into. How often threads have to give way makes "
        "no difference. The median is 1.1 to 1.3 times the idle one."
    ),
    "memory": (
        "It hardly grows with the index: some 75 MB are imports and 90 the encoder's session, of which 47 are its table of words, unfolded "
        "to float32 by onnxruntime (a query takes 98 ms instead of 8 without); the rest was not looked into. From 1.4 GB on it would be "
        "within the goal."
    ),
    "search-hybrid": (
        "Asked alone and again, the words take some 3 ms and the vectors 5, which are 24 MB to be read from memory; on questions never asked "
        "before, each with its own quarter of a million postings and its own lists of vectors, the two and the texts of what is found take "
        "11 to 14 ms, most of the difference being caches that are cold. To leave out postings that can't matter (MaxScore) was tried and is "
        "slower ([0020](../adr/0020-inverted-index.md))."
    ),
}
