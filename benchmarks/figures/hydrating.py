"""Hydrating against what a shell or a peer would do with the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from benchmarks.child import Used
from benchmarks.figure import Figure, Growth
from benchmarks.figures.fetching import aria2c, curl, hub, hydrated, piped
from benchmarks.figures.turns import grown, in_turn, pairs
from benchmarks.ground import Ground, Published

__all__ = ["archives", "layout", "unsigned"]

_UNPACK = {"tar.zst": "zstd -q -d", "tar.gz": "pigz -d"}


def layout(ground: Ground) -> Iterator[Figure | Growth]:
    """A layout, by the clock against curl and by the processor against curl and a checksum; peers; smaller ones."""
    index = ground.large
    contenders: dict[str, Callable[[], Used]] = {
        "ours": partial(_layout, ground, index),
        "curl": partial(curl, ground, index),
    }
    if ground.peers is not None:
        contenders |= {"aria2c": partial(aria2c, ground, index), "hub": partial(hub, ground, index)}
    contenders |= {"middle": partial(_layout, ground, ground.middle), "small": partial(_layout, ground, ground.small)}

    turns = in_turn(ground.scale.times, contenders)
    wall = {name: [used.seconds for used in turn] for name, turn in turns.items()}
    cpu = {name: [used.cpu * 1e9 / index.size for used in turn] for name, turn in turns.items()}
    what, against = f"hydrate a layout of {_size_of(index)}", "`curl -o` of the same bytes, and fsync"
    whole = f"{what}, cold, to searchable and durable"
    yield Figure("hydrate-layout", whole, against, "s", pairs(wall["ours"], wall["curl"]), 1.10)
    both = pairs(cpu["ours"], cpu["curl"])
    yield Figure(
        "hydrate-cpu", "processor time of it, for a gigabyte", "curl, and openssl's SHA-256", "s/GB", both, 1.25
    )
    if ground.peers is not None:
        against = "aria2c fetching the same in four streams and checking it, and fsync"
        yield Figure("peer-aria2c", what, against, "s", pairs(wall["ours"], wall["aria2c"]))
        against = "huggingface_hub's downloader, unchecked, and fsync"
        yield Figure("peer-huggingface", what, against, "s", pairs(wall["ours"], wall["hub"]))
    sizes = wall["small"], wall["middle"], wall["ours"]
    yield grown("grow-hydrate", "hydrate a signed layout", ground.scale, sizes)


def unsigned(ground: Ground) -> Iterator[Figure]:
    """The same layout where no key is trusted: all of it is read before it is served."""
    index = ground.middle
    turns = in_turn(
        ground.scale.times,
        {
            "ours": lambda: hydrated(ground, "url", index.url).seconds,
            "curl": lambda: curl(ground, index).seconds,
        },
    )
    what = f"hydrate {_size_of(index)}, trusting no signature: {index.rows:,} chunks are read through before they serve"
    both = pairs(turns["ours"], turns["curl"])
    yield Figure("hydrate-unsigned", what, "`curl -o` of the same bytes, and fsync", "s", both)


def archives(ground: Ground) -> Iterator[Figure]:
    """Archives, against pipes that download, check, unpack and write at the same time."""
    paths = ground.archives(ground.large, _UNPACK)
    for path, (kind, unpack) in zip(paths, _UNPACK.items(), strict=True):
        url = f"{ground.host.url}/{path.name}"
        turns = in_turn(
            ground.scale.times,
            {
                "ours": partial(hydrated, ground, "archive", url, ground.key),
                "pipe": partial(piped, ground, url, unpack),
            },
        )
        yield Figure(
            f"hydrate-{kind.replace('.', '-')}",
            f"hydrate the same as a {kind} of {path.stat().st_size / 1e6:,.0f} MB",
            f"curl, openssl's SHA-256, `{unpack}` and tar in one pipe, and fsync",
            "s",
            pairs(*([used.seconds for used in turn] for turn in turns.values())),
            1.00,
        )


def _layout(ground: Ground, index: Published) -> Used:
    return hydrated(ground, "url", index.url, ground.key)


def _size_of(index: Published) -> str:
    """Tell the size of an index in words."""
    return f"{index.size / 1e9:.1f} GB" if index.size >= 1e9 else f"{index.size / 1e6:.0f} MB"
