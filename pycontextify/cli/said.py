"""Reports in words: what a person reads when a verb has ended. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pycontextify.redact import one_line
from pycontextify.server.words import count, size

if TYPE_CHECKING:
    from pycontextify.ingest.report import IndexReport, SkippedFile
    from pycontextify.library.generations import Generation
    from pycontextify.library.preview import Preview
    from pycontextify.publish.report import PublishReport

__all__ = ["generation", "index_total", "indexed", "previewed", "published"]

_LISTED = 10
_WORTH_TELLING = 1e4


def indexed(label: str, report: IndexReport) -> list[str]:
    """Tell what has become of one tree."""
    files = f"{report.added} added, {report.updated} updated, {report.unchanged} unchanged, {report.removed} removed"
    lines = [
        f"{one_line(label)}: {files}, {report.ignored} ignored, {len(report.skipped)} skipped ({report.seconds:.1f} s)"
    ]
    return lines + _skipped(report.skipped)


def index_total(report: IndexReport) -> str:
    """Tell what the index holds after a run."""
    holds = f"{count(report.chunks, 'chunk')} of {count(report.documents, 'document')}"
    return f"The index holds {holds}: generation {report.generation.short}, version {report.version}."


def previewed(label: str, preview: Preview) -> list[str]:
    """Tell what would be indexed of one tree: every file, for that is what was asked."""
    lines = [one_line(path) for path in preview.files]
    what = f"{count(len(preview.files), 'file')}, {size(preview.size)}"
    lines.append(f"{one_line(label)}: would index {what}; {preview.ignored} ignored, {len(preview.skipped)} skipped")
    return lines + _skipped(preview.skipped)


def published(report: PublishReport) -> list[str]:
    """Tell what was written where."""
    there = report.bytes_total - report.bytes_copied
    beside = f", {size(there)} of it were there already" if there > _WORTH_TELLING else ""
    what = f"Published generation {report.generation.short}, version {report.version}: {size(report.bytes_total)}"
    return [*map(one_line, report.files), f"{what}{beside}."]


def generation(found: Generation) -> str:
    """Tell of a generation in a line: its refs, what it is, and what is to be known of it."""
    built = f"version {found.version}, built {found.created}, {count(found.documents or 0, 'document')}"
    what = "what it is can't be read" if found.version is None else built
    known = {"indexed here": found.local, "gone back from": found.rolled_back, "damaged": not found.whole}
    signed = f", signed by {found.signed_by}" if found.signed_by else ""
    notes = signed + "".join(f", {note}" for note, holds in known.items() if holds)
    digits = found.digest.removeprefix("sha256:")[:12]
    return f"{digits}  {', '.join(found.refs)}: {what}, {size(found.size or 0)}{notes}"


def _skipped(files: Sequence[SkippedFile]) -> list[str]:
    lines = [f"  skipped {one_line(each.path)}: {each.reason}" for each in files[:_LISTED]]
    if len(files) > _LISTED:
        lines.append(f"  and {len(files) - _LISTED} more; --json names them all")
    return lines
