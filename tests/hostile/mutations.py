"""Seeded damage to bytes: pure, so that the number of a mutation is all that is needed to make it again.

A mutation is one to four strokes. Most fall where the structure is (``hot``: headers, counts, pointers), for what lies
in between is mostly content that anything may be written into.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

__all__ = ["Form", "mutate"]

_HOT_SHARE = 0.7
_MOST_STROKES = 4
_LONGEST_BLOCK = 512
_EDGES = (
    *(0, 1, 2, 3, 4, 7, 8, 13, 16, 100, 127, 128, 255, 256, 1023, 4095, 4096, 65535, 65536),
    *(2**k + more for k in (20, 31, 32, 40, 61, 62, 63) for more in (-1, 0, 1)),
    *(2**64 - 1, 2**64 - 2, 2**64 - 8, 2**64 - 4096),
)
"""Numbers that arithmetic on sizes trips over."""
_ORDERS: tuple[Literal["little", "big"], ...] = ("little", "big")


@dataclass(frozen=True, slots=True)
class Form:
    """A sound file, another of its kind to take pieces from, and where in it the structure is."""

    content: bytes
    donor: bytes
    hot: Sequence[range]


def mutate(form: Form, seed: int, number: int) -> bytes:
    """Return the ``number``-th damaged copy of a file."""
    random = Random(f"{seed}/{number}")  # noqa: S311 - it must be the same again
    content = bytearray(form.content)
    for _ in range(random.randint(1, _MOST_STROKES)):
        random.choices(_STROKES, _WEIGHTS)[0](content, form, random)
    return bytes(content)


def _place(content: bytearray, form: Form, random: Random) -> int:
    """Choose a byte, mostly of the structure; 0 when there is none."""
    if form.hot and random.random() < _HOT_SHARE:
        chosen = random.choice(form.hot)
        return min(random.randrange(chosen.start, chosen.stop), max(0, len(content) - 1))
    return random.randrange(len(content)) if content else 0


def _flip(content: bytearray, form: Form, random: Random) -> None:
    at = _place(content, form, random)
    content[at : at + 1] = bytes(byte ^ (1 << random.randrange(8)) for byte in content[at : at + 1])


def _byte(content: bytearray, form: Form, random: Random) -> None:
    at = _place(content, form, random)
    value = random.choice((0, 1, 2, 5, 10, 13, 127, 128, 129, 254, 255, random.randrange(256)))
    content[at : at + 1] = bytes(value for _ in content[at : at + 1])


def _number(content: bytearray, form: Form, random: Random) -> None:
    """Write a number of 2, 4 or 8 bytes over what is there, in either order: SQLite's are big-endian."""
    at, size = _place(content, form, random), random.choice((2, 4, 8))
    written = (random.choice(_EDGES) % (1 << 8 * size)).to_bytes(size, random.choice(_ORDERS))
    content[at : at + size] = written[: len(content) - at]


def _step(content: bytearray, form: Form, random: Random) -> None:
    """Make a number a little larger or smaller."""
    at, size = _place(content, form, random), random.choice((1, 2, 4, 8))
    order = random.choice(_ORDERS)
    old = int.from_bytes(content[at : at + size], order)
    content[at : at + size] = ((old + random.choice((-8, -1, 1, 8))) % (1 << 8 * size)).to_bytes(size, order)


def _copy(content: bytearray, form: Form, random: Random) -> None:
    """Write one piece of the file over another, of the same length."""
    start, at = _place(content, form, random), _place(content, form, random)
    piece = content[start : start + random.randint(1, _LONGEST_BLOCK)]
    content[at : at + len(piece)] = piece[: len(content) - at]


def _graft(content: bytearray, form: Form, random: Random) -> None:
    """Write a piece of the other file over the same place in this one: a page, half a file."""
    at = _place(content, form, random)
    if random.random() < 0.5:
        at -= at % 4096
    size = random.choice((random.randint(1, _LONGEST_BLOCK), 4096, len(content)))
    piece = form.donor[at : at + size]
    content[at : at + len(piece)] = piece


def _swap_pages(content: bytearray, form: Form, random: Random) -> None:
    pages = len(content) // 4096
    if pages > 1:
        one, two = (4096 * random.randrange(pages) for _ in range(2))
        content[one : one + 4096], content[two : two + 4096] = content[two : two + 4096], content[one : one + 4096]


def _remove(content: bytearray, form: Form, random: Random) -> None:
    at = _place(content, form, random)
    del content[at : at + random.choice((1, 2, 4, 8, random.randint(1, _LONGEST_BLOCK)))]


def _insert(content: bytearray, form: Form, random: Random) -> None:
    at, size = _place(content, form, random), random.choice((1, 2, 4, 8, random.randint(1, _LONGEST_BLOCK)))
    content[at:at] = content[at : at + size] if random.random() < 0.5 else random.randbytes(size)


def _cut(content: bytearray, form: Form, random: Random) -> None:
    del content[_place(content, form, random) :]


def _extend(content: bytearray, form: Form, random: Random) -> None:
    size = random.choice((1, 4, 8, 4096, random.randint(1, _LONGEST_BLOCK)))
    content += random.choice((bytes(size), random.randbytes(size), bytes(content[-size:]), form.donor[-size:]))


def _noise(content: bytearray, form: Form, random: Random) -> None:
    at = _place(content, form, random)
    piece = random.randbytes(random.randint(1, 32))
    content[at : at + len(piece)] = piece[: len(content) - at]


Stroke = Callable[[bytearray, Form, Random], None]

_WEIGHED: dict[Stroke, int] = {
    _flip: 20,
    _byte: 15,
    _number: 25,
    _step: 15,
    _copy: 6,
    _graft: 5,
    _swap_pages: 2,
    _remove: 3,
    _insert: 3,
    _cut: 3,
    _extend: 2,
    _noise: 5,
}
_STROKES, _WEIGHTS = tuple(_WEIGHED), tuple(_WEIGHED.values())
