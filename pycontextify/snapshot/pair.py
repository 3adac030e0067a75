"""The pair form of a snapshot: NAME.faiss and NAME.sqlite, which need nothing else but the encoder.

The chunks file's ``meta`` table repeats what the config would say, so a config can be made from the two files alone,
the same one every time. It names its vectors file by digest as well: two files of different builds are no pair.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pycontextify.errors import ValidateError
from pycontextify.snapshot.config import (
    SCHEMA,
    SegmentInfo,
    SnapshotConfig,
    check_schema,
    parse_count,
    parse_encoder,
    parse_expires,
    parse_file_name,
    parse_text,
    shown,
)
from pycontextify.snapshot.digest import Digest

__all__ = ["check_belongs", "config_of_pair", "segment_meta"]


def segment_meta(config: SnapshotConfig, *, rows: int, documents: int, chunker: int) -> dict[str, Any]:
    """Return what a chunks file of this generation says about itself.

    ``chunker`` is the version of the rules that cut the chunks.
    """
    return {
        "schema": SCHEMA,
        "name": config.name,
        "channel": config.channel,
        "version": config.version,
        "created": config.created,
        "expires": config.expires,
        "encoder": {key: value for key, value in asdict(config.encoder).items() if key != "files"},
        "dimension": config.encoder.dimension,
        "metric": "inner_product",
        "rows": rows,
        "documents": documents,
        "chunker": chunker,
    }


def config_of_pair(meta: Mapping[str, Any], *, vectors: Digest, chunks: Digest) -> SnapshotConfig:
    """Make the config of a snapshot that consists of one pair of files.

    Raises ValidateError when the meta table is not one of ours, of another schema, or that of other vectors.
    """
    check_schema(meta.get("schema"), "chunks file")
    check_belongs(meta, vectors, "the chunks file")
    try:
        segment = SegmentInfo(
            vectors=vectors, chunks=chunks, rows=parse_count(meta["rows"]), documents=parse_count(meta["documents"])
        )
        return SnapshotConfig(
            name=parse_file_name(meta["name"]),
            channel=parse_file_name(meta["channel"]),
            version=parse_count(meta["version"]),
            created=parse_text(meta["created"]),
            expires=parse_expires(meta["expires"]),
            encoder=parse_encoder(meta["encoder"]),
            segments=(segment,),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValidateError(
            f"the chunks file's meta table is malformed: {shown(error)}",
            code="meta_invalid",
            hint="publish the index again",
        ) from error


def check_belongs(meta: Mapping[str, Any], vectors: Digest, asset: str) -> None:
    """Raise ValidateError unless a chunks file was written for these vectors."""
    if meta.get("vectors") != vectors:
        raise ValidateError(
            f"it was not built together with the vectors {vectors.short}…",
            code="pair_differs",
            asset=asset,
            hint="publish the two files of one build together",
        )
