"""Answers as text: what a model or a person reads, in as few words as carry it. Pure.

The same facts are in the structured content whole; what is cut here says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pycontextify.server.document import failure
from pycontextify.server.words import count, duration, hydrating

if TYPE_CHECKING:
    from pycontextify.index.model import Answer, Hit, Overview
    from pycontextify.ingest.report import IndexReport
    from pycontextify.server.document import Situation, Standing

__all__ = ["excerpt", "indexed_text", "overview_text", "rehydrated_text", "search_text", "status_text"]

_LINES = 15
_WIDTH = 200
_LISTED = 20


def search_text(answer: Answer, state: Standing) -> str:
    """Return one block for each hit: ``path:start-end  symbol  (score)`` and its first lines, indented."""
    if state.index_state in ("warming", "empty"):
        return state.message
    note = f"Note: {state.message}\n\n" if state.index_state == "degraded" else ""
    if not answer.hits:
        said = note or f"{state.message} "
        return f"{said}Nothing matches. Try other words, or fewer filters; discover tells what there is."
    trees = {hit.tree for hit in answer.hits}
    return note + "\n\n".join(_block(hit, with_tree=len(trees) > 1) for hit in answer.hits)


def _block(hit: Hit, *, with_tree: bool) -> str:
    place = f"{hit.tree}/{hit.path}" if with_tree else hit.path
    head = "  ".join(part for part in (f"{place}:{hit.start_line}-{hit.end_line}", hit.symbol) if part)
    return "\n".join([f"{head}  ({hit.score:.2f})", *(f"    {line}".rstrip() for line in excerpt(hit.snippet))])


def excerpt(snippet: str, most: int = _LINES) -> list[str]:
    """Return the first lines of a passage, each cut where it gets long; the last one says what was left out."""
    lines = snippet.rstrip().splitlines()
    shown = [f"{line[:_WIDTH]}{'…' if len(line) > _WIDTH else ''}" for line in lines[:most]]
    if len(lines) > most:
        shown.append(f"… {count(len(lines) - most, 'more line')}")
    return shown


def overview_text(overview: Overview, situation: Situation, state: Standing) -> str:
    """Return what an index holds, a line for each kind of thing."""
    if situation.facts is None:
        return state.message
    age = "" if state.age_seconds is None else f", built {duration(state.age_seconds)} ago"
    lines = [
        f"{count(overview.chunks, 'chunk')} of {count(overview.documents, 'document')}{age}",
        f"trees: {_listing(overview.trees)}",
        f"languages: {_listing(overview.languages)}",
        f"tags: {_listing(overview.tags)}",
    ]
    return "\n".join(lines if state.index_state == "ready" else [*lines, f"Note: {state.message}"])


def _listing(counts: Mapping[str, int]) -> str:
    """Return ``name (documents), …``, the most frequent first."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = [f"{name} ({number})" for name, number in ranked[:_LISTED]]
    if len(ranked) > _LISTED:
        shown.append(f"and {len(ranked) - _LISTED} more")
    return ", ".join(shown) or "none"


def indexed_text(report: IndexReport) -> str:
    """Return what indexing a tree has brought in a line, and a line for each skipped file."""
    files = f"{report.added} added, {report.updated} updated, {report.unchanged} unchanged, {report.removed} removed"
    holds = f"{count(report.chunks, 'chunk')} of {count(report.documents, 'document')}"
    left_out = f"{report.ignored} ignored, {len(report.skipped)} skipped"
    lines = [f"Indexed in {report.seconds:.1f} s: {files}; {left_out}. The index holds {holds}."]
    lines += [f"skipped {each.path}: {each.reason}" for each in report.skipped[:_LISTED]]
    if len(report.skipped) > _LISTED:
        lines.append(f"and {len(report.skipped) - _LISTED} more, named in the structured content")
    return "\n".join(lines)


def rehydrated_text(outcome: str, situation: Situation, state: Standing) -> str:
    """Return how a hydration goes or has gone, in a sentence."""
    hydration = situation.hydration
    match outcome:
        case "installed":
            return f"The new index is in place. {state.message}"
        case "unchanged":
            return f"The source has nothing new. {state.message}"
        case "cancelled":
            return "The hydration was cancelled."
        case "failed":
            return failure(situation)
    doing = f": {hydrating(hydration)}" if hydration.active else ""
    return f"Hydration has started{doing}. Call status to see how it goes."


def status_text(situation: Situation, health: Mapping[str, object], state: Standing) -> str:
    """Return the status in two or three lines."""
    hydration = situation.hydration
    lines = [f"{health['status']}: {health['message']}"]
    if situation.facts is not None and state.age_seconds is not None:
        lines.append(f"index: version {situation.facts.config.version}, built {duration(state.age_seconds)} ago")
    doing = hydrating(hydration) if hydration.active else hydration.state
    source = f" from {hydration.source}" if hydration.source else ""
    lines.append(f"hydration: {doing}{source}")
    if hydration.notice:
        lines.append(f"note: {hydration.notice}")
    return "\n".join(lines)
