"""Writing archives: the same members give the same bytes, whoever writes them and when."""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import zstandard

from pycontextify.errors import ConfigError
from pycontextify.publish.progress import CountedFile

__all__ = ["check_archive_name", "write_archive"]

_OnBytes = Callable[[int], None]

_GZIP_LEVEL = 4
"""Most of an index hardly shrinks: level 6 takes a quarter longer for 0.2% less (130 MB: 5.5 s instead of 4.3)."""
_ZSTD_LEVEL = 9
_UNIX = 3
# What a zip file can date, in any time zone.
_EARLIEST, _LATEST = datetime(1980, 1, 2, tzinfo=UTC), datetime(2107, 12, 30, tzinfo=UTC)


def write_archive(
    path: Path,
    name: str,
    members: Mapping[str, Path],
    *,
    created: str,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> None:
    """Write an archive at ``path``, of the kind that ``name`` ends in; ``created`` (RFC 3339) dates its members.

    ``on_bytes`` hears how many bytes of them were read, a piece at a time.

    Raises ConfigError for another ending than .zip, .tar, .tar.gz, .tgz and .tar.zst, OSError from the disk.
    """
    _KINDS[check_archive_name(name)](path, members, _moment(created), on_bytes)


def check_archive_name(name: str) -> str:
    """Return what a file name ends in that says which kind of archive it is.

    Raises ConfigError when it says none.
    """
    for ending in _KINDS:
        if name.lower().endswith(ending):
            return ending
    raise ConfigError(
        "its name does not say what kind of archive to write",
        code="archive_kind",
        asset=name,
        hint=f"end it in {', '.join(_KINDS)}",
    )


def _moment(created: str) -> datetime:
    """Return the time that an index says it was created, or the nearest that every kind of archive can hold."""
    try:
        moment = datetime.fromisoformat(created)
    except ValueError:
        return _EARLIEST
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(moment, _EARLIEST), _LATEST).astimezone(UTC)


def _write_zip(path: Path, members: Mapping[str, Path], moment: datetime, on_bytes: _OnBytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, source in members.items():
            entry = zipfile.ZipInfo(name, date_time=moment.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system, entry.external_attr = _UNIX, 0o644 << 16
            with source.open("rb") as origin, archive.open(entry, "w", force_zip64=True) as target:
                shutil.copyfileobj(CountedFile(origin, on_bytes), target, 1 << 20)


def _write_plain_tar(path: Path, members: Mapping[str, Path], moment: datetime, on_bytes: _OnBytes) -> None:
    with path.open("wb") as file:
        _write_tar(file, members, moment, on_bytes)


def _write_gzip_tar(path: Path, members: Mapping[str, Path], moment: datetime, on_bytes: _OnBytes) -> None:
    with (
        path.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", compresslevel=_GZIP_LEVEL, fileobj=file, mtime=0) as packed,
    ):
        _write_tar(packed, members, moment, on_bytes)


def _write_zstd_tar(path: Path, members: Mapping[str, Path], moment: datetime, on_bytes: _OnBytes) -> None:
    with path.open("wb") as file, zstandard.ZstdCompressor(level=_ZSTD_LEVEL).stream_writer(file) as packed:
        _write_tar(packed, members, moment, on_bytes)


def _write_tar(
    file: BinaryIO | io.BufferedIOBase, members: Mapping[str, Path], moment: datetime, on_bytes: _OnBytes
) -> None:
    with tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for name, source in members.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = source.stat().st_size, int(moment.timestamp()), 0o644
            with source.open("rb") as origin:
                archive.addfile(entry, CountedFile(origin, on_bytes))


_KINDS: Mapping[str, Callable[[Path, Mapping[str, Path], datetime, _OnBytes], None]] = {
    ".zip": _write_zip,
    ".tar": _write_plain_tar,
    ".tar.gz": _write_gzip_tar,
    ".tgz": _write_gzip_tar,
    ".tar.zst": _write_zstd_tar,
}
