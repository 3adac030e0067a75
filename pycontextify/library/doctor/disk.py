"""The disk that the index is on, and who may read and write what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pycontextify.config import SETTINGS, Settings
from pycontextify.library.doctor.finding import Finding, Level
from pycontextify.store.ability import exposed, file_system_of, free_bytes, try_out

__all__ = ["examine_disk"]

_MEGA = 1e6
_LITTLE = 256 << 20


def examine_disk(settings: Settings, needed: int | None) -> Iterator[Finding]:
    """Yield what is found of the index directory's disk; ``needed`` bytes are to come, None where nobody knows.

    Blocks; files are written and removed again.
    """
    directory = settings.index_dir
    there = _nearest(directory)
    yield from _room(there, needed)
    ability = try_out(there)
    if not ability.writable:
        what = f"nothing can be written in {there} ({ability.reason})"
        yield _found(
            "directory_read_only", what, "let this user write there, or name another with --index-path", "problem"
        )
    else:
        what = str(directory) if there == directory else f"{directory} is not there yet, and can be made"
        yield _found("directory", f"{what}: it can be written", level="ok")
        yield from _able(there, locks=ability.locks, links=ability.links)
    kind = file_system_of(there)
    if kind is not None:
        hint = "keep the index on a local disk: locks and mapped files are slow or unreliable over a network"
        yield _found("directory_remote", f"{there} is on a network file system ({kind})", hint, "warning")
    yield from _secrets(settings)


def _nearest(directory: Path) -> Path:
    """Return the directory, or the nearest above it that is there."""
    return next((each for each in (directory, *directory.parents) if each.is_dir()), Path(directory.anchor))


def _room(there: Path, needed: int | None) -> Iterator[Finding]:
    free = free_bytes(there)
    if free is None:
        return
    have = f"{free / _MEGA:,.1f} MB are free"
    more = "free space, or name a directory on another disk with --index-path"
    if needed is not None and free < needed + (8 << 20):
        yield _found("disk_full", f"{have}, and the source has {needed / _MEGA:,.1f} MB to fetch", more, "problem")
    elif free < _LITTLE:
        yield _found("disk_low", f"only {have}", more, "warning")
    else:
        told = "" if needed is None else f", and {needed / _MEGA:,.1f} MB are to be fetched"
        yield _found("disk", f"{have}{told}", level="ok")


def _able(there: Path, *, locks: bool, links: bool) -> Iterator[Finding]:
    if not locks:
        hint = "let one process alone use the directory, or move it to a disk that has locks"
        yield _found("disk_no_locks", f"the file system of {there} has no locks", hint, "warning")
    if not links:
        hint = "nothing, but that a backup takes as much room as the index"
        yield _found("disk_no_links", f"the file system of {there} has no hard links", hint, "note")
    if locks and links:
        yield _found("disk_able", "the file system has locks and hard links", level="ok")


def _secrets(settings: Settings) -> Iterator[Finding]:
    """Look at who may read the files that hold secrets."""
    files: dict[Path, str] = {}
    for setting in SETTINGS:
        origin = settings.origins[setting.name]
        if setting.secret and origin.file is not None and getattr(settings, setting.name):
            files[origin.file] = setting.name
    key = settings.index_bootstrap_client_key or settings.index_bootstrap_client_cert
    if key is not None:
        files[key] = "a private key"
    for path, what in files.items():
        if exposed(path):
            told = f"{path} holds {what}, and others than its owner may read it"
            yield _found("secret_exposed", told, f"chmod 600 {path}", "warning")
        else:
            yield _found("secret_kept", f"{path} holds {what}, for its owner alone", level="ok")


def _found(code: str, what: str, hint: str = "", level: Level = "ok") -> Finding:
    return Finding(code, what, hint, area="disk", level=level)
