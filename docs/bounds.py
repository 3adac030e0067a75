"""What bounds a figure of the benchmarks that falls short of its goal, by its name: the page tells it beside the figure.

A figure that falls short without a line here fails a test: whoever measured it knows why, or finds out.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["BOUNDS"]

_ARCHIVE = (
    "An archive is fetched whole, signature and all, before any of it is unpacked: what is unpacked is never of another version than "
    "what was verified, and a download that breaks off goes on where it was. So its bytes are written, read back for their digest and the "
    "signature's, and read again; only then they are unpacked, written and flushed, each in a thread of its own. A pipe "
    "does all of it at once and verifies nothing before. Unpacking a file while it still comes in is what could be gained. A layout has "
    "none of this, and is what to publish ([0022](../adr/0022-hydrating-at-the-disks-speed.md))."
)

BOUNDS: Mapping[str, str] = {
    "hydrate-cpu": (
        "Half of it is the event loop's thread: the kernel's copying, then asyncio and aiohttp, whose parser copies once more, and a trip "
        "to a thread for each MiB that is written. SHA-256 and reading back what is hashed take a quarter, writing it and opening the "
        "encoder the rest ([0022](../adr/0022-hydrating-at-the-disks-speed.md))."
    ),
    "hydrate-tar-zst": _ARCHIVE,
    "hydrate-tar-gz": _ARCHIVE,
    "lag-p99": (
        "Four streams that each have 256 KiB to read keep the loop itself at work for 2 to 4 ms a round; the rest is the interpreter's lock: "
        "hydration's threads need it between their reads and writes, and the loop waits for one such turn. They "
        "give way after 1 ms, which made it a fifth less; a shorter interval did not make it less again "
        "([0022](../adr/0022-hydrating-at-the-disks-speed.md))."
    ),
    "lag-max": (
        "One wait among some two thousand decides it: 42 ms in one turn of this run and 68 in the other, while others used the machine; four runs of "
        "the two days before had 26 to 45. From the next run on four turns are measured. In a quiet run, most of it is the encoder "
        "being opened, whose parser holds the interpreter's lock for 10 to 14 ms at a time."
    ),
    "search-p99": (
        "Two cores have to do for the web server, a hydration as fast as the disk, and searches. The slowest searches have their processor for "
        "17 of 45 ms, all of them while bytes come; hydration's threads have a lower priority, its event loop has not. The median is 1.1 to 1.4 "
        "times the idle one ([0022](../adr/0022-hydrating-at-the-disks-speed.md))."
    ),
    "search-hybrid": (
        "A search looks into 256 lists, for with fewer it misses more than one in a hundred of the nearest among vectors that were really embedded; "
        "of the 4,096 here, that is 48 MB to be read from memory, about half of the time. Until that was known, half as many lists and vectors that were too easy to find gave "
        "0.13. Codes of a sixteenth of the size to look through first, of another file format, should make it fast, and were not tried "
        "([0021](../adr/0021-probed-lists.md)). The rest is words, a quarter of a million postings a question, and the texts of what is found; "
        "to leave out postings that can't matter (MaxScore) was tried and is slower ([0020](../adr/0020-inverted-index.md))."
    ),
}
